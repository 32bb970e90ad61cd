"""Washing instructions that were read on a label, for a description. A listing has no field for them."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from ai_suggestions.contract import Field
from ai_suggestions.readings import CareFact
from ai_suggestions.steps.thresholds import FILL_IN_FROM

# Of each row a thing has one at most: two that were read are two labels, or misread.
_ONE_OF = (("wash_", "do_not_wash"), ("dry_clean", "do_not_dry_clean"))


@cache
def _phrases() -> dict[str, dict[str, str]]:
    with (Path(__file__).parent / "care.csv").open(encoding="utf-8", newline="") as rows:
        return {row["code"]: row for row in csv.DictReader(rows)}


def care_codes() -> tuple[str, ...]:
    """Every instruction that has words, in the order of a text."""
    return tuple(_phrases())


def care_words(code: str, language: str) -> str:
    """What an instruction is called in one of the languages of texts."""
    return _phrases()[code][language]


def settled_care(read: Sequence[CareFact]) -> tuple[CareFact, ...]:
    """What was read as surely as materials have to be and nothing contradicts, in the order of a text."""
    found: dict[str, CareFact] = {}
    for fact in read:
        if fact.confidence >= FILL_IN_FROM[Field.MATERIALS]:
            found.setdefault(fact.code, fact)
    for starts in _ONE_OF:
        rivals = [code for code in found if code.startswith(starts)]
        if len(rivals) > 1:
            for code in rivals:
                del found[code]
    return tuple(found[code] for code in care_codes() if code in found)
