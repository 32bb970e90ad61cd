"""Which number is the TIN in each state, and what is said of a text that is none."""

from __future__ import annotations

import contextlib
from datetime import date

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dac7.dossiers import EntityType, Level
from dac7.states import MEMBER_STATES
from dac7.tins import (
    LANGUAGES,
    STATES,
    TinKind,
    TinProblem,
    check_tin,
    contradicts_birth,
    kinds_of,
    places_in,
    table,
)

PERSON, COMPANY = EntityType.INDIVIDUAL, EntityType.ENTITY
KINDS = [kind for state in STATES for who in EntityType for kind in kinds_of(state, who)]


def code_of(text: str, state: str, who: EntityType = PERSON) -> str:
    with pytest.raises(TinProblem) as refusal:
        check_tin(text, state=state, who=who)
    return refusal.value.code


class TestTable:
    def test_has_a_number_of_everybody_in_every_member_state_and_the_partners(self) -> None:
        assert set(STATES) == MEMBER_STATES | {"CA", "GB"}
        assert table.MEMBER_STATES == MEMBER_STATES
        assert all(kinds_of(state, who) for state in STATES for who in EntityType)

    @pytest.mark.parametrize("kind", KINDS, ids=lambda kind: f"{kind.state}-{kind.who}-{kind.name}")
    def test_gives_an_example_that_passes_as_that_very_number(self, kind: TinKind) -> None:
        checked = check_tin(kind.example, state=kind.state, who=kind.who)
        assert checked.kind == kind
        assert checked.level is (Level.CHECKSUM if kind.check else Level.FORMAT)

    @pytest.mark.parametrize("language", LANGUAGES)
    def test_says_where_to_find_each_in_every_language(self, language: str) -> None:
        for kind in KINDS:
            places = places_in(kind, language)
            assert all(places)
            assert len(places) == len(kind.places) > 0
            assert "{" not in "".join(places)
            assert kind.site in " ".join(places)

    def test_falls_back_to_english(self) -> None:
        [kind] = kinds_of("LT", PERSON)
        assert places_in(kind, "pl") == ("on your identity card or in your passport",)


class TestCheck:
    @pytest.mark.parametrize(
        ("state", "who", "text", "number"),
        [
            ("HU", PERSON, "8071592153", "8071592153"),
            ("LU", PERSON, "1893120105732", "1893120105732"),
            ("PL", PERSON, "440514 01359", "44051401359"),
            ("PL", PERSON, "856-734-62-15", "8567346215"),
            ("AT", PERSON, "59-119/9013", "591199013"),
            ("FI", PERSON, "131052-308t", "131052-308T"),
            ("GR", COMPANY, "EL 094259216", "094259216"),
            ("CZ", COMPANY, "CZ25123891", "25123891"),
            ("SE", PERSON, "880320-0016", "8803200016"),
            ("SE", PERSON, "198803800013", "198803800013"),
            ("DE", PERSON, "181/815/08155", "18181508155"),
        ],
    )
    def test_takes_numbers_as_people_write_them(
        self, state: str, who: EntityType, text: str, number: str
    ) -> None:
        assert check_tin(text, state=state, who=who).number == number

    @pytest.mark.parametrize(
        ("state", "text", "code"),
        [
            ("LT", "33309240065", "tin_wrong_check_digits"),
            ("HU", "8071592154", "tin_wrong_check_digits"),
            ("HU", "7071592153", "tin_wrong_check_digits"),
            ("LU", "1893120105733", "tin_wrong_check_digits"),
            ("LU", "1893120105742", "tin_wrong_check_digits"),
            ("LT", "123", "tin_wrong_format"),
            ("LT", "", "tin_wrong_format"),
            ("LT", "302767152", "tin_of_other_kind"),
            ("US", "123", "unknown_tin_state"),
            ("EL", "094259216", "unknown_tin_state"),
            # An IdNr with a typo must not pass as a Steuernummer, whose check nobody can do.
            ("DE", "36574261808", "tin_wrong_check_digits"),
            ("LV", "40003521600", "tin_wrong_check_digits"),
        ],
    )
    def test_names_what_is_wrong(self, state: str, text: str, code: str) -> None:
        assert code_of(text, state) == code

    @pytest.mark.parametrize("state", ["MT", "SK"])
    def test_goes_no_further_than_the_format_where_there_is_no_public_checksum(self, state: str) -> None:
        for who in EntityType:
            assert {kind.check for kind in kinds_of(state, who)} == {""}

    def test_tells_an_example_and_names_its_checker(self) -> None:
        with pytest.raises(TinProblem) as refusal:
            check_tin("x", state="HU", who=PERSON)
        assert "8071592153" in refusal.value.detail
        assert check_tin("8071592153", state="HU", who=PERSON).by == "preloved national.hu_individual"
        assert check_tin("33309240064", state="LT", who=PERSON).by.startswith("python-stdnum ")

    # The first text that is drawn loads Unicode's tables, which takes a second on a busy machine.
    @settings(suppress_health_check=[HealthCheck.too_slow])
    @given(text=st.text(max_size=20), state=st.sampled_from(STATES), who=st.sampled_from(list(EntityType)))
    def test_answers_any_text(self, text: str, state: str, who: EntityType) -> None:
        with contextlib.suppress(TinProblem):
            assert check_tin(text, state=state, who=who).number.isascii()


class TestBirth:
    @pytest.mark.parametrize(
        ("state", "number", "born"),
        [
            ("LT", "33309240064", date(1933, 9, 24)),
            ("PL", "44051401359", date(1944, 5, 14)),
            ("IT", "RCCMNL83S18D969H", date(1983, 11, 18)),
            ("FI", "131052-308T", date(1952, 10, 13)),
            ("DK", "2110625629", date(1962, 10, 21)),
            ("LV", "16117519997", date(1975, 11, 16)),
            ("SE", "8803200016", date(1988, 3, 20)),
            ("LU", "1893120105732", date(1893, 12, 1)),
        ],
    )
    def test_in_the_number_must_be_that_of_the_seller(self, state: str, number: str, born: date) -> None:
        checked = check_tin(number, state=state, who=PERSON)
        assert not contradicts_birth(checked, born)
        assert contradicts_birth(checked, date(1990, 5, 17))

    @pytest.mark.parametrize(("state", "number"), [("DE", "36574261809"), ("LV", "32867300679")])
    def test_is_not_asked_of_numbers_without_one(self, state: str, number: str) -> None:
        assert not contradicts_birth(check_tin(number, state=state, who=PERSON), date(1990, 5, 17))
