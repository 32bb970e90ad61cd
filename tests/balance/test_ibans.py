from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from balance.holder_names import is_same_person
from balance.ibans import find_problem, masked, normalised

GOOD = [
    "LT121000011101001000",
    "DE89370400440532013000",
    "FR1420041010050500013M02606",
    "GB33BUKB20201555555555",
]


def code(text: str) -> str | None:
    problem = find_problem(normalised(text))
    return None if problem is None else problem.code


class TestFindProblem:
    @pytest.mark.parametrize("iban", GOOD)
    def test_takes_real_ones(self, iban: str) -> None:
        assert code(iban) is None

    def test_takes_them_as_people_write_them(self) -> None:
        assert code(" lt12 1000 0111 0100 1000 ") is None

    @pytest.mark.parametrize(
        ("iban", "expected"),
        [
            ("", "invalid_iban"),
            ("1234", "invalid_iban"),
            ("LT12 1000-0111_01001000", "invalid_iban"),
            ("\uff2c\uff34121000011101001000", "invalid_iban"),  # full-width letters
            ("LT\u0661\u0662" + GOOD[0][4:], "invalid_iban"),  # Arabic digits, the numbers of the first
            ("XX121000011101001000", "unknown_iban_country"),
            ("US121000011101001000", "unknown_iban_country"),
            ("LT12100001110100100", "invalid_iban_length"),
            ("LT1210000111010010000", "invalid_iban_length"),
            ("LT121000011101001001", "invalid_iban_check_digits"),
            # The check digits fit, but Lithuanian accounts are digits.
            ("LT70ABCD011101001000", "invalid_iban_check_digits"),
            ("BE68539007547035", "invalid_iban_check_digits"),
        ],
    )
    def test_names_what_is_wrong(self, iban: str, expected: str) -> None:
        assert code(iban) == expected

    def test_knows_the_national_rules_behind_the_check_digits(self) -> None:
        from stdnum import iban

        letters = "LT" + iban.calc_check_digits("LT00ABCD011101001000") + "ABCD011101001000"
        assert code(letters) == "invalid_iban_account_number"

    @given(position=st.integers(2, 19), digit=st.sampled_from("0123456789"))
    @settings(max_examples=60)
    def test_finds_every_single_mistyped_digit(self, position: int, digit: str) -> None:
        right = GOOD[0]
        typed = right[:position] + digit + right[position + 1 :]
        assert (code(typed) is None) == (typed == right)

    def test_never_quotes_the_number(self) -> None:
        problem = find_problem("LT121000011101001001")
        assert problem is not None
        assert "1000" not in problem.detail

    def test_is_shown_by_its_end_only(self) -> None:
        assert masked("LT", "1000") == "LT•• … 1000"


class TestIsSamePerson:
    @pytest.mark.parametrize(
        ("holder", "legal_name"),
        [
            ("Ona Kazlauskienė", "Ona Kazlauskienė"),
            ("KAZLAUSKIENE ONA", "Ona Kazlauskienė"),
            ("Jürgen Groß", "JUERGEN GROSS"),
            ("Søren Ångström", "Soren Angstrom"),
            ("Łukasz Żółć", "Lukasz Zolc"),
            ("Мария Иванова", "Mariya Ivanova"),
            ("Anna Maria Schmidt", "Anna Schmidt"),
            ("Siobhan O'Neill", "Siobhán ONeill"),
            ("Marie-Claire Dupont", "Marie Claire Dupont"),
        ],
    )
    def test_reads_over_how_banks_write(self, holder: str, legal_name: str) -> None:
        assert is_same_person(holder, legal_name)
        assert is_same_person(legal_name, holder)

    @pytest.mark.parametrize(
        ("holder", "legal_name"),
        [
            ("Jonas Kazlauskas", "Ona Kazlauskienė"),
            ("Ona", "Ona Kazlauskienė"),
            ("Ona Petraitė", "Ona Kazlauskienė"),
            ("Firma UAB", "Ona Kazlauskienė"),
            ("***", "Ona Kazlauskienė"),
            ("", ""),
        ],
    )
    def test_leaves_the_rest_to_a_person(self, holder: str, legal_name: str) -> None:
        assert not is_same_person(holder, legal_name)
