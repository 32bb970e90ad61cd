"""IBANs (ISO 13616): read, checked, masked; pure. The countries' formats are those of python-stdnum."""

from __future__ import annotations

import re

from stdnum import iban as stdnum_iban
from stdnum import numdb
from stdnum.exceptions import ValidationError
from stdnum.iso7064 import mod_97_10

from foundation.errors import FieldProblem

MAX_LENGTH = 34
_FIELD = re.compile(r"(\d+)!([nac])")
_POINTER = "/iban"


def normalised(text: str) -> str:
    """The form that is stored, compared and sent: no blanks, upper case."""
    return re.sub(r"[\s.\-]", "", text).upper()


def country_of(iban: str) -> str:
    """The country of a normalised IBAN, ISO 3166-1 alpha-2."""
    return iban[:2]


def masked(country: str, last_four: str) -> str:
    """How an account is shown to its owner and to staff."""
    return f"{country}•• … {last_four}"


def find_problem(iban: str) -> FieldProblem | None:
    """What is wrong with a normalised IBAN, the most helpful thing first; None when it is one."""
    # [0-9], not \d: digits of other scripts would make another account of the same number.
    if not re.fullmatch(r"[A-Z]{2}[0-9]{2}[A-Z0-9]+", iban):
        return _problem("invalid_iban", "Two letters, two digits, then letters and digits.")
    structure = numdb.get("iban").info(iban)[0][1].get("bban")
    if structure is None:
        return _problem("unknown_iban_country", f"No country {iban[:2]} has IBANs.")
    length = 4 + sum(int(digits) for digits, _ in _FIELD.findall(structure))
    if len(iban) != length:
        return _problem("invalid_iban_length", f"An IBAN of {iban[:2]} has {length} characters.")
    try:
        mod_97_10.validate(iban[4:] + iban[:4])
    except ValidationError:
        return _problem("invalid_iban_check_digits", "The check digits do not fit: something is mistyped.")
    try:
        stdnum_iban.validate(iban)
    except ValidationError:
        return _problem("invalid_iban_account_number", f"{iban[:2]} has no account numbers like this.")
    return None


def _problem(code: str, detail: str) -> FieldProblem:
    return FieldProblem(_POINTER, code, detail)
