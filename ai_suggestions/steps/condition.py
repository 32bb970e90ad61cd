"""The condition, from the seller's own words only.

Wear is not read from photos: folds, shade and prints look like stains and holes to anything that was not
trained on them, and there is no labelled set of worn things to measure it with. What the seller wrote
("small stain", "never worn") is turned into conditions to choose from. It is always a choice, without
probabilities: how worn a thing is, is the seller's promise to the buyer, and words for it are loose.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from types import MappingProxyType

from ai_suggestions.catalogue import Catalogue, Category
from ai_suggestions.contract import (
    MAX_ALTERNATIVES,
    Alternative,
    Evidence,
    Field,
    Proposal,
    SellerFacts,
    Source,
    abstained,
    choice,
)

BROKEN = "not_fully_functional"
BROKEN_WITHIN = frozenset({"electronics", "home-appliances"})
"""Branches whose things may be sold as not fully functional: the rule of listings/data/conditions.csv."""

CONDITIONS_OF: MappingProxyType[str, tuple[str, ...]] = MappingProxyType(
    {
        "with_tags": ("new_with_tags", "new_without_tags"),
        "unworn": ("new_without_tags", "very_good"),
        "hardly_worn": ("very_good", "good"),
        "worn": ("good", "satisfactory"),
        "small_flaw": ("good", "satisfactory"),
        "flaw": ("satisfactory", "good"),
        "broken": (BROKEN, "satisfactory"),
    }
)
"""What a sign in the seller's words may mean, the likeliest first. Signs go from the best to the worst."""
_ORDER = tuple(CONDITIONS_OF)
_DENIED_BY_NONE = frozenset({"small_flaw", "flaw", "broken"})

_SENTENCE_END = re.compile(r"[.!?]+(?:\s|$)|\n")


@cache
def _words(role: str) -> str:
    """The words of a role in all languages, as alternatives of a regular expression."""
    with (Path(__file__).parent / "condition_words.csv").open(encoding="utf-8", newline="") as rows:
        return "|".join(row["words"] for row in csv.DictReader(rows) if row["role"] == role)


@cache
def _pattern(role: str) -> re.Pattern[str]:
    """A role's words as whole words: neither "keyhole" nor "tear-resistant" has a flaw."""
    if role == "small_flaw":
        words = rf"(?:{_words('small')}) (?:\w+ )?(?:{_words('flaw')})|(?:mini|klein\w*)loch"
    else:
        words = _words(role)
    return re.compile(rf"(?<!\w)(?:{words})(?![\w-])", re.IGNORECASE)


@cache
def _part_end() -> re.Pattern[str]:
    return re.compile(rf"[,;:()]|\s[-\N{{EN DASH}}]\s|\b(?:{_words('or')})\b", re.IGNORECASE)


@cache
def _not_before() -> re.Pattern[str]:
    """A "not" at most two words before what it denies."""
    return re.compile(rf"\b(?:{_words('not')})\s+(?:\w+\s+){{0,2}}$", re.IGNORECASE)


def _found(sentence: str) -> Iterator[tuple[str, re.Match[str]]]:
    """What the signs match, longest first, none inside of another."""
    matches = [(sign, match) for sign in _ORDER for match in _pattern(sign).finditer(sentence)]
    taken: list[tuple[int, int]] = []
    for sign, match in sorted(
        matches, key=lambda found: (found[1].start() - found[1].end(), found[1].start())
    ):
        if all(match.end() <= start or end <= match.start() for start, end in taken):
            taken.append(match.span())
            yield sign, match


def _is_denied(sign: str, before: str) -> bool:
    """Whether a "no" or a "not" in the words before a sign takes it back."""
    before = before[max((match.end() for match in _pattern("but").finditer(before)), default=0) :]
    part = max((match.end() for match in _part_end().finditer(before)), default=0)
    if _not_before().search(before[part:]):
        return True
    if sign not in _DENIED_BY_NONE:
        return False
    if _pattern("no").search(before[part:]):
        return True
    # "No stains, holes or tears" goes on until something is named: "no stains, a hole".
    nones = list(_pattern("no").finditer(before))
    return bool(nones) and sign != "small_flaw" and not _pattern("one").search(before[nones[-1].end() :])


def signs_in(text: str) -> list[tuple[str, str]]:
    """(sign, the seller's words) in the order in any of our languages, without what is denied."""
    found: list[tuple[str, str]] = []
    for sentence in _SENTENCE_END.split(text.replace("\N{RIGHT SINGLE QUOTATION MARK}", "'")):
        for sign, match in sorted(_found(sentence), key=lambda entry: entry[1].start()):
            if not _is_denied(sign, sentence[: match.start()]):
                found.append((sign, match[0]))
    return found


def propose_condition(
    facts: SellerFacts, *, leaves: Sequence[Category] = (), catalogue: Catalogue
) -> Proposal:
    """Conditions to choose from when the seller's words speak of it, worst first; else the seller is asked.

    ``leaves`` are the categories in question: only some of them know things that do not work.
    """
    if facts.condition_id is not None:
        return abstained(Field.CONDITION, note="already_given")
    found = [entry for text in (facts.title, facts.description) for entry in signs_in(text)]
    found.sort(key=lambda entry: -_ORDER.index(entry[0]))
    may_be_broken = any(BROKEN_WITHIN & {leaf.id, *catalogue.ancestors_of(leaf.id)} for leaf in leaves)
    offered = list(
        dict.fromkeys(
            condition
            for sign, _ in found
            for condition in CONDITIONS_OF[sign]
            if condition in catalogue.condition_by_id and (condition != BROKEN or may_be_broken)
        )
    )
    if not offered:
        return abstained(Field.CONDITION, note="needs_the_seller")
    said = list(dict.fromkeys(words for _, words in found))[:MAX_ALTERNATIVES]
    return choice(
        Field.CONDITION,
        [Alternative(condition) for condition in offered[:MAX_ALTERNATIVES]],
        note="confirm_condition",
        evidence=[Evidence(Source.SELLER, text=words, note="condition_in_text") for words in said],
    )
