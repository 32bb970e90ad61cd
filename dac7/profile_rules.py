"""What a seller may say of themselves, and every problem of it at once. Pure: no database, no clock."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date

from stdnum.eu import vat as eu_vat

from dac7.dossiers import EntityType
from dac7.postal_codes import looks_like_postal_code
from dac7.tins import CheckedTin, TinProblem, check_tin, contradicts_birth
from dac7.tins.table import MEMBER_STATES, STATES
from foundation.countries import COUNTRIES
from foundation.errors import FieldProblem

TEXT_MAX_LENGTH = 200
OLDEST = 120
MOST_TINS = 5
# Prefixes of VAT numbers: those of the states, with EL for Greece and XI for Northern Ireland.
VAT_PREFIXES = (MEMBER_STATES - {"GR"}) | {"EL", "XI"}
# Forbidden on the exchange network whatever the escaping (OECD DPI user guide, and the FR and HU guides [S]).
FORBIDDEN = ("--", "/*", "&#")


@dataclass(frozen=True, slots=True)
class GivenTin:
    """A TIN as typed; `number` None keeps the one that is known of this state."""

    state: str
    number: str | None = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProfileDetails:
    """All that a seller says, tidied by `tidied`. None and "" mean: not said."""

    entity_type: EntityType
    first_name: str = field(default="", repr=False)
    last_name: str = field(default="", repr=False)
    birth_date: date | None = field(default=None, repr=False)
    birth_city: str = field(default="", repr=False)
    birth_country: str = ""
    legal_name: str = field(default="", repr=False)
    registration_number: str = field(default="", repr=False)
    registered_in: str = ""
    establishments: tuple[str, ...] = ()
    street: str = field(default="", repr=False)
    building: str = field(default="", repr=False)
    postal_code: str = field(default="", repr=False)
    city: str = field(default="", repr=False)
    country: str = ""
    tins: tuple[GivenTin, ...] = ()
    has_no_tin: bool = False
    vat_number: str = field(default="", repr=False)

    @property
    def is_entity(self) -> bool:
        return self.entity_type is EntityType.ENTITY

    @property
    def needs_tin(self) -> bool:
        """Nobody is asked for a number of a state whose residents are reported to nobody, unless an
        establishment makes them reportable."""
        return self.country in ("", *STATES) or bool(self.establishments)


# Field, its place in the body of PUT /tax-profile, and whom it is asked of.
_TEXTS: tuple[tuple[str, str, EntityType | None], ...] = (
    ("first_name", "/first_name", EntityType.INDIVIDUAL),
    ("last_name", "/last_name", EntityType.INDIVIDUAL),
    ("birth_city", "/birth_place/city", EntityType.INDIVIDUAL),
    ("legal_name", "/legal_name", EntityType.ENTITY),
    ("registration_number", "/registration_number", EntityType.ENTITY),
    ("street", "/address/street", None),
    ("building", "/address/building", None),
    ("postal_code", "/address/postal_code", None),
    ("city", "/address/city", None),
)
_NEEDED = {
    "first_name": "Your first name, as in your passport.",
    "last_name": "Your family name, as in your passport.",
    "legal_name": "The name in the business register.",
    "registration_number": "The number in the business register. An entity cannot be reported without it.",
    "street": "Street, or the place where streets have no names.",
    "postal_code": "The postal code.",
    "city": "The city.",
}
POINTERS = {name: pointer for name, pointer, _ in _TEXTS} | {
    "birth_date": "/birth_date",
    "country": "/address/country",
    "tins": "/tins",
}


def tidied(text: str) -> str:
    """Composed characters, single blanks, none at the ends. Control characters stay, to be refused."""
    return re.sub(r"[ \t\r\n\u00a0]+", " ", unicodedata.normalize("NFC", text)).strip()


def missing_of(details: ProfileDetails) -> list[FieldProblem]:
    """What still has to be said, and nothing that is known already."""
    found = [
        FieldProblem(pointer, "required", _NEEDED[name])
        for name, pointer, who in _TEXTS
        if name in _NEEDED and who in (None, details.entity_type) and not getattr(details, name)
    ]
    if not details.is_entity and details.birth_date is None:
        found.append(FieldProblem("/birth_date", "required", "The day you were born."))
    if not details.country:
        found.append(FieldProblem("/address/country", "required", "The country where you live."))
    if details.needs_tin and not details.tins and not details.has_no_tin:
        found.append(
            FieldProblem(
                "/tins", "tin_required", "Your tax number with the state that issued it, or has_no_tin."
            )
        )
    if details.has_no_tin and not details.is_entity and not (details.birth_city and details.birth_country):
        found.append(
            FieldProblem(
                "/birth_place", "birth_place_required", "Without a tax number: the place where you were born."
            )
        )
    return found


def problems_of(
    details: ProfileDetails, *, today: date, known_states: frozenset[str]
) -> tuple[list[FieldProblem], list[CheckedTin]]:
    """Every problem, what is missing included, and the TINs that stood their checks.

    `known_states`: those whose TIN may be left out, being known.
    """
    found = [*missing_of(details), *_text_problems(details), *_not_applicable(details)]
    if details.birth_date is not None:
        if details.birth_date > today:
            found.append(FieldProblem("/birth_date", "birth_date_in_future", "This day is still to come."))
        elif today.year - details.birth_date.year > OLDEST:
            found.append(FieldProblem("/birth_date", "implausible_date", "The day you were born."))
    for pointer, country in (
        ("/address/country", details.country),
        ("/birth_place/country", details.birth_country),
        ("/registered_in", details.registered_in),
        *((f"/establishments/{place}", state) for place, state in enumerate(details.establishments)),
    ):
        if country and country not in COUNTRIES:
            found.append(
                FieldProblem(pointer, "unknown_country", "An ISO 3166 code such as LT; Greece is GR.")
            )
    for place, state in enumerate(details.establishments):
        if state in COUNTRIES and state not in MEMBER_STATES:
            found.append(
                FieldProblem(
                    f"/establishments/{place}", "not_a_member_state", "Only establishments inside the Union."
                )
            )
    if (
        details.postal_code
        and details.country in COUNTRIES
        and not looks_like_postal_code(details.postal_code, details.country)
    ):
        found.append(
            FieldProblem(
                "/address/postal_code",
                "invalid_postal_code",
                f"{details.country} has no postal codes like this.",
            )
        )
    found += _vat_problems(details.vat_number)
    tin_problems, checked = _tin_problems(details, known_states)
    return [*found, *tin_problems], checked


def _text_problems(details: ProfileDetails) -> Iterator[FieldProblem]:
    for name, pointer, _ in _TEXTS:
        yield from _one_text(getattr(details, name), pointer)


def _one_text(text: str, pointer: str) -> Iterator[FieldProblem]:
    if len(text) > TEXT_MAX_LENGTH:
        yield FieldProblem(pointer, "text_too_long", f"At most {TEXT_MAX_LENGTH} characters.")
    if any(unicodedata.category(character) in ("Cc", "Cf", "Cs", "Co", "Cn") for character in text):
        yield FieldProblem(pointer, "control_characters", "It holds characters that cannot be seen.")
    if any(sequence in text for sequence in FORBIDDEN):
        yield FieldProblem(
            pointer,
            "forbidden_characters",
            "The tax authorities' network takes no --, /* or &#; write it otherwise.",
        )


def _not_applicable(details: ProfileDetails) -> Iterator[FieldProblem]:
    whom = "entities" if details.is_entity else "individuals"
    said = [(pointer, who) for name, pointer, who in _TEXTS if getattr(details, name)]
    if details.birth_date is not None:
        said.append(("/birth_date", EntityType.INDIVIDUAL))
    if details.birth_country:
        said.append(("/birth_place/country", EntityType.INDIVIDUAL))
    if details.registered_in:
        said.append(("/registered_in", EntityType.ENTITY))
    if details.establishments:
        said.append(("/establishments", EntityType.ENTITY))
    for pointer, who in said:
        if who not in (None, details.entity_type):
            yield FieldProblem(pointer, "not_applicable", f"It is not asked of {whom}.")


def _vat_problems(number: str) -> Iterator[FieldProblem]:
    if not number:
        return
    if number[:2] not in VAT_PREFIXES or not re.fullmatch(r"[A-Z]{2}[0-9A-Z+*]{2,12}", number):
        yield FieldProblem(
            "/vat_number", "vat_wrong_format", "The state's two letters, then the number: LT119511515."
        )
    elif not eu_vat.is_valid(number):
        yield FieldProblem("/vat_number", "vat_wrong_check_digits", "It does not fit: something is mistyped.")


def tidied_vat(text: str) -> str:
    """The form that VIES takes: upper case, no separators, EL for Greece."""
    number = re.sub(r"[\s.\-/]", "", text).upper()
    return f"EL{number[2:]}" if number.startswith("GR") else number


def _tin_problems(
    details: ProfileDetails, known_states: frozenset[str]
) -> tuple[list[FieldProblem], list[CheckedTin]]:
    found: list[FieldProblem] = []
    checked: list[CheckedTin] = []
    if details.tins and details.has_no_tin:
        found.append(
            FieldProblem("/has_no_tin", "tin_and_no_tin", "Give the tax number or say that there is none.")
        )
    if len(details.tins) > MOST_TINS:
        found.append(FieldProblem("/tins", "too_many_tins", f"At most {MOST_TINS}."))
    seen: set[str] = set()
    for place, given in enumerate(details.tins):
        if given.state in seen:
            found.append(
                FieldProblem(f"/tins/{place}/state", "tin_state_repeated", "One number for each state.")
            )
        seen.add(given.state)
        if given.number is None:
            if given.state not in known_states:
                found.append(
                    FieldProblem(f"/tins/{place}/number", "required", "We do not know this number yet.")
                )
            continue
        try:
            tin = check_tin(given.number, state=given.state, who=details.entity_type)
        except TinProblem as problem:
            part = "state" if problem.code == "unknown_tin_state" else "number"
            found.append(FieldProblem(f"/tins/{place}/{part}", problem.code, problem.detail))
            continue
        checked.append(tin)
        if details.birth_date is not None and contradicts_birth(tin, details.birth_date):
            found.append(
                FieldProblem(
                    f"/tins/{place}/number",
                    "tin_of_another_person",
                    "This number belongs to somebody born on another day.",
                )
            )
    return found, checked
