"""The states' numbers as data: numbers.csv says which, places.csv where people find them."""

from __future__ import annotations

import csv
import functools
from dataclasses import dataclass
from pathlib import Path

from dac7.dossiers import EntityType

FOLDER = Path(__file__).parent
LANGUAGES = ("en", "de", "fr", "lt")


@dataclass(frozen=True, slots=True)
class TinKind:
    """A number that serves as TIN of individuals or entities in a state.

    `shapes`: 9 a digit, A a letter, * either, S the century sign of Finland,
    anything else itself. `check`: a module of python-stdnum
    ("lt.asmens") or a function here ("national.hu_individual"); empty where only the shape can be checked.
    """

    state: str
    who: EntityType
    name: str
    shapes: tuple[str, ...]
    check: str
    example: str
    places: tuple[str, ...]
    site: str


@functools.cache
def _kinds() -> dict[tuple[str, str], tuple[TinKind, ...]]:
    found: dict[tuple[str, str], tuple[TinKind, ...]] = {}
    with (FOLDER / "numbers.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            kind = TinKind(
                state=row["state"],
                who=EntityType(row["who"]),
                name=row["name"],
                shapes=tuple(row["shapes"].split()),
                check=row["check"],
                example=row["example"],
                places=tuple(row["places"].split()),
                site=row["site"],
            )
            key = (kind.state, kind.who.value)
            found[key] = (*found.get(key, ()), kind)
    return found


@functools.cache
def _places() -> dict[str, dict[str, str]]:
    with (FOLDER / "places.csv").open(encoding="utf-8", newline="") as file:
        return {row["place"]: row for row in csv.DictReader(file)}


# The member states, and the partner jurisdictions whose residents may be reported (Annex V, I.A.7 [R]).
STATES: tuple[str, ...] = tuple(sorted({state for state, _ in _kinds()}))
MEMBER_STATES: frozenset[str] = frozenset(STATES) - {"CA", "GB"}


def kinds_of(state: str, who: EntityType) -> tuple[TinKind, ...]:
    """What counts as TIN there, the usual one first; empty for a state that is not in the table."""
    return _kinds().get((state, who.value), ())


def places_in(kind: TinKind, language: str) -> tuple[str, ...]:
    """Where somebody finds the number, in words of a language (English where we have no others)."""
    language = language if language in LANGUAGES else "en"
    return tuple(_places()[place][language].format(site=kind.site) for place in kind.places)
