"""Titles and descriptions, put together from known facts and nothing else.

No adjective, no praise, no guess: each sentence is a fact with a fixed frame around it, in the language of
the market. A language model of 135 million parameters was tried for this and invented brands
(docs/suggestions.md). ``FRAME_WORDS`` lists every word that a frame adds; a property test takes facts and
frame words away from a text and expects nothing to be left.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from types import MappingProxyType

from ai_suggestions.catalogue import Catalogue, name_in
from ai_suggestions.contract import (
    Alternative,
    Evidence,
    Field,
    Proposal,
    SellerFacts,
    Source,
    abstained,
    choice,
    proposed,
)
from ai_suggestions.steps.attributes import NO_BRAND
from ai_suggestions.steps.known import Known

VERSION = "wording-1"
MIN_LENGTH = 5  # listing rule: titles and descriptions have 5 or more characters
MAX_TITLE = 100
# An absence that a seller stated is theirs to describe; "no label" in a title helps nobody.
NOT_SAID = frozenset({NO_BRAND, "no-label", "one-size"})


@dataclass(frozen=True, slots=True)
class Frames:
    """The fixed words of one language. ``{}`` is where the fact goes."""

    noun_first: bool  # "T-shirt Nike" rather than "Nike T-shirt"
    also: str
    size: str
    by: str
    colour: str
    size_line: str
    material: str
    condition: str


FRAMES: MappingProxyType[str, Frames] = MappingProxyType(
    {
        "en": Frames(
            False,
            "and",
            "size {}",
            "Brand: {}.",
            "Colour: {}.",
            "Size: {}.",
            "Material: {}.",
            "Condition: {}.",
        ),
        "de": Frames(
            False,
            "und",
            "Größe {}",
            "Marke: {}.",
            "Farbe: {}.",
            "Größe: {}.",
            "Material: {}.",
            "Zustand: {}.",
        ),
        "fr": Frames(
            True,
            "et",
            "taille {}",
            "Marque : {}.",
            "Couleur : {}.",
            "Taille : {}.",
            "Matière : {}.",
            "État : {}.",
        ),
        "lt": Frames(
            False,
            "ir",
            "dydis {}",
            "Prekės ženklas: {}.",
            "Spalva: {}.",
            "Dydis: {}.",
            "Medžiaga: {}.",
            "Būklė: {}.",
        ),
    }
)
LANGUAGES = tuple(FRAMES)
FRAME_WORDS: MappingProxyType[str, frozenset[str]] = MappingProxyType(
    {
        language: frozenset(
            word.strip(" .:").casefold()
            for frame in (f.also, f.size, f.by, f.colour, f.size_line, f.material, f.condition)
            for word in frame.replace("{}", "").split()
            if word.strip(" .:")
        )
        for language, f in FRAMES.items()
    }
)


@cache
def _nouns() -> dict[str, dict[str, str]]:
    with (Path(__file__).parent / "nouns.csv").open(encoding="utf-8", newline="") as file:
        return {row["kind"]: row for row in csv.DictReader(file)}


def language_for(wanted: str) -> str:
    """The language of a text: the one wanted if there are frames for it, English otherwise."""
    return wanted if wanted in FRAMES else "en"


def noun_for(known: Known, *, language: str, catalogue: Catalogue) -> str | None:
    """What the thing is called; None when that is not settled.

    The kind's noun, but the category's own name once the category is settled and one of several of its
    kind: a cardigan is not just any long-sleeved top.
    """
    if known.category_id is not None:
        category = catalogue.category_by_id[known.category_id]
        siblings = catalogue.leaves_of_kind(
            category.kind or "", department=catalogue.department_of(category.id)
        )
        if len(siblings) != 1:
            return name_in(category.names, language)
    if known.kind is None:
        return None
    noun = _nouns().get(known.kind)
    if noun is not None:
        return noun[language]
    leaves = catalogue.leaves_of_kind(known.kind)
    return name_in(leaves[0].names, language) if len(leaves) == 1 else None


def _upper_first(text: str) -> str:
    return text[:1].upper() + text[1:]


def _inside(noun: str, language: str) -> str:
    """A noun inside a line: German keeps its capital."""
    return noun if language == "de" else noun.lower()


def _colour_words(known: Known, language: str, catalogue: Catalogue) -> list[str]:
    names = [name_in(catalogue.colour_by_id[id_].names, language) for id_ in known.colour_ids]
    # German nouns of colours are adjectives here too: "blau", not "Blau", inside a line.
    return [name.lower() for name in names]


def _brand_name(known: Known, catalogue: Catalogue) -> str | None:
    if known.brand_id is None or known.brand_id in NOT_SAID:
        return None
    brand = catalogue.brand_by_id.get(known.brand_id)
    return brand.name if brand else None


def _size_label(known: Known, catalogue: Catalogue) -> str | None:
    if known.size_id is None or known.size_id in NOT_SAID:
        return None
    size = catalogue.size_by_id.get(known.size_id)
    return size.label if size else None


def title_of(known: Known, *, language: str, catalogue: Catalogue) -> str | None:
    """ "Nike T-shirt, navy and white, size M"; None when the thing itself is not settled."""
    language = language_for(language)
    frames = FRAMES[language]
    noun = noun_for(known, language=language, catalogue=catalogue)
    if noun is None:
        return None
    brand = _brand_name(known, catalogue)
    head = [noun, brand] if frames.noun_first else [brand, noun]
    parts = [_upper_first(" ".join(word for word in head if word))]
    if colours := _colour_words(known, language, catalogue):
        parts.append(f" {frames.also} ".join(colours))
    if size := _size_label(known, catalogue):
        parts.append(frames.size.format(size))
    # What does not fit is left out as a whole, never cut.
    while len(", ".join(parts)) > MAX_TITLE and len(parts) > 1:
        parts.pop()
    title = ", ".join(parts)
    return title if MIN_LENGTH <= len(title) <= MAX_TITLE else None


def description_of(known: Known, *, language: str, catalogue: Catalogue) -> str | None:
    """One short line for each fact; None when the thing itself is not settled."""
    language = language_for(language)
    frames = FRAMES[language]
    noun = noun_for(known, language=language, catalogue=catalogue)
    if noun is None:
        return None
    lines = [f"{_upper_first(noun)}."]
    if brand := _brand_name(known, catalogue):
        lines.append(frames.by.format(brand.rstrip(".")))
    if colours := _colour_words(known, language, catalogue):
        lines.append(frames.colour.format(f" {frames.also} ".join(colours)))
    if size := _size_label(known, catalogue):
        lines.append(frames.size_line.format(size))
    materials = [
        f"{percent} % {name}" if percent is not None else name
        for id_, percent in known.materials
        if (name := _inside(name_in(catalogue.material_by_id[id_].names, language), language))
    ]
    if materials:
        lines.append(frames.material.format(", ".join(materials)))
    condition = catalogue.condition_by_id.get(known.condition_id or "")
    if condition is not None:
        lines.append(frames.condition.format(name_in(condition.names, language).lower()))
    text = "\n".join(lines)
    return text if len(text) >= MIN_LENGTH else None


def _texts(known: Known, field: Field, language: str, catalogue: Catalogue) -> list[str]:
    """The text, or one for each kind in question."""
    compose = title_of if field is Field.TITLE else description_of
    kinds: Sequence[str | None] = [known.kind] if known.kind or known.category_id else known.kinds_possible
    found = [compose(replace(known, kind=kind), language=language, catalogue=catalogue) for kind in kinds]
    return list(dict.fromkeys(text for text in found if text))


def propose_text(
    field: Field, *, known: Known, facts: SellerFacts, confidence: float, language: str, catalogue: Catalogue
) -> Proposal:
    """Title or description. A text that the seller wrote is never replaced, only accompanied.

    ``confidence`` is that of the least sure fact in it.
    """
    texts = _texts(known, field, language, catalogue)
    if not texts:
        return abstained(field, note="thing_unknown")
    evidence = [Evidence(Source.CATALOGUE, text=language_for(language), note="composed_of_facts")]
    written = facts.title if field is Field.TITLE else facts.description
    # One text is no settled thing: the only kind in question may still be a guess.
    settled = known.kind is not None or known.category_id is not None
    if settled and len(texts) == 1 and not written.strip():
        return proposed(field, texts[0], confidence, evidence=evidence)
    note = "already_written" if written.strip() else "thing_uncertain"
    return choice(field, [Alternative(text) for text in texts], note=note, evidence=evidence)
