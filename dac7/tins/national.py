"""Check digits of numbers that python-stdnum has not, or not for this use. Digits only come in.

Every function answers whether the check digits fit. Sources: for HU and LU the states' pages in
the Commission's TIN portal [S]; the others are named at each.
"""

from __future__ import annotations

from datetime import date

from stdnum import luhn, verhoeff
from stdnum.hu import anum
from stdnum.lv import pvn


def hu_individual(number: str) -> bool:
    """Adóazonosító jel: an 8 first; the sum of digit times place, of nine, mod 11 is the tenth."""
    if number[0] != "8":
        return False
    weighted = sum(place * int(digit) for place, digit in enumerate(number[:9], start=1))
    return weighted % 11 == int(number[9])


def hu_entity(number: str) -> bool:
    """Adószám: the first eight digits carry the check; a VAT code 1 to 5 and a county follow, or nothing."""
    return anum.is_valid(number[:8]) and (len(number) == 8 or number[8] in "12345")


def lu_individual(number: str) -> bool:
    """Matricule: digit 12 is a Luhn digit of the eleven before it, digit 13 a Verhoeff digit of the same."""
    return luhn.is_valid(number[:12]) and verhoeff.is_valid(number[:11] + number[12])


def lt_entity(number: str) -> bool:
    """Company code: weights 1 to 8 mod 11; at 10 again with 3 to 9 and 1; at 10 again the digit is 0.

    The rule of the personal code (python-stdnum's lt.asmens), which the Centre of Registers uses for both.
    """
    digits = [int(digit) for digit in number]
    for weights in ((1, 2, 3, 4, 5, 6, 7, 8), (3, 4, 5, 6, 7, 8, 9, 1)):
        check = sum(weight * digit for weight, digit in zip(weights, digits, strict=False)) % 11
        if check < 10:
            return check == digits[8]
    return digits[8] == 0


def se_individual(number: str) -> bool:
    """Personnummer, or samordningsnummer with 60 added to the day (Skatteverket): a date and a Luhn digit."""
    year, month, day = int(number[-10:-8]), int(number[-8:-6]), int(number[-6:-4])
    century = int(number[:2]) * 100 if len(number) == 12 else 2000
    try:
        # In ten digits the century is open; 29 February is a date of 2000, and not of 1900.
        date(century + year, month, day - 60 if day > 60 else day)
    except ValueError:
        return False
    return luhn.is_valid(number[-10:])


def lv_individual(number: str) -> bool:
    """Personas kods: a day of birth, or 32 to 39 in the codes given since 2017 (python-stdnum's lv.pvn)."""
    return number[0] <= "3" and pvn.is_valid(number)


def lv_entity(number: str) -> bool:
    """Registration number: the same eleven digits, beginning above 3 (python-stdnum's lv.pvn)."""
    return number[0] > "3" and pvn.is_valid(number)
