"""Titles and descriptions, put together from known facts and nothing else.

No adjective, no praise, no guess: each sentence is a fact with a fixed frame around it, in the language of
the market. A language model of 135 million parameters was tried for this and invented brands
(docs/suggestions.md). ``FRAME_WORDS`` lists every word that a frame adds; a property test takes facts and
frame words away from a text and expects nothing to be left.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass, replace
from functools import cache
from pathlib import Path
from types import MappingProxyType

from ai_suggestions.catalogue import Catalogue, Category, name_in
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
from ai_suggestions.steps.care import care_words
from ai_suggestions.steps.known import Known

VERSION = "wording-3"
MIN_LENGTH = 5  # listing rule: titles and descriptions have 5 or more characters
MAX_TITLE = 100
# An absence that a seller stated is theirs to describe; "no label" in a title helps nobody.
NOT_SAID = frozenset({NO_BRAND, "no-label", "one-size"})


# Names of the catalogue that stand well in a list of colours but not in a sentence.
IN_A_TEXT = MappingProxyType({("various", "en"): "multicoloured"})


@dataclass(frozen=True, slots=True)
class Frames:
    """The fixed words of one language. ``{}`` is where the fact goes."""

    noun_first: bool  # "T-shirt Nike" rather than "Nike T-shirt"
    also: str
    colours: str  # in the title; a frame that needs no agreement with the noun
    size: str
    by: str
    colour: str
    size_line: str
    material: str
    condition: str
    care: str


FRAMES: MappingProxyType[str, Frames] = MappingProxyType(
    {
        "en": Frames(
            False,
            "and",
            "{}",
            "size {}",
            "Brand: {}.",
            "Colour: {}.",
            "Size: {}.",
            "Material: {}.",
            "Condition: {}.",
            "Care: {}.",
        ),
        "de": Frames(
            False,
            "und",
            "{}",
            "Größe {}",
            "Marke: {}.",
            "Farbe: {}.",
            "Größe: {}.",
            "Material: {}.",
            "Zustand: {}.",
            "Pflege: {}.",
        ),
        "fr": Frames(
            True,
            "et",
            "coloris {}",
            "taille {}",
            "Marque : {}.",
            "Couleur : {}.",
            "Taille : {}.",
            "Matière : {}.",
            "État : {}.",
            "Entretien : {}.",
        ),
        "lt": Frames(
            False,
            "ir",
            "{} spalvos",
            "dydis {}",
            "Prekės ženklas: {}.",
            "Spalva: {}.",
            "Dydis: {}.",
            "Medžiaga: {}.",
            "Būklė: {}.",
            "Priežiūra: {}.",
        ),
    }
)
LANGUAGES = tuple(FRAMES)
FRAME_WORDS: MappingProxyType[str, frozenset[str]] = MappingProxyType(
    {
        language: frozenset(
            word.strip(" .:").casefold()
            for frame in astuple(f)[1:]
            for word in frame.replace("{}", "").split()
            if word.strip(" .:")
        )
        for language, f in FRAMES.items()
    }
)


@cache
def _nouns(table: str, key: str) -> dict[str, dict[str, str]]:
    with (Path(__file__).parent / table).open(encoding="utf-8", newline="") as file:
        return {row[key]: row for row in csv.DictReader(file)}


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
            return _one_of(category, language)
    if known.kind is None:
        return None
    noun = _nouns("nouns.csv", "kind").get(known.kind)
    if noun is not None:
        return noun[language]
    leaves = catalogue.leaves_of_kind(known.kind)
    return _one_of(leaves[0], language) if len(leaves) == 1 else None


def _one_of(category: Category, language: str) -> str:
    """Categories have plural names; one thing is "a cardigan", where we know how that is said."""
    one = _nouns("leaf_nouns.csv", "name_en").get(name_in(category.names, "en"))
    return one[language] if one else name_in(category.names, language)


def _upper_first(text: str) -> str:
    return text[:1].upper() + text[1:]


def _lower_first(text: str) -> str:
    """In the middle of a line; what is written like "T-shirt" or "DVDs" stays."""
    return text if text[1:2] == "-" or text[1:2].isupper() else text[:1].lower() + text[1:]


def _inside(noun: str, language: str) -> str:
    """A noun inside a line: German keeps its capital."""
    return noun if language == "de" else _lower_first(noun)


def _colour_words(known: Known, language: str, catalogue: Catalogue) -> list[str]:
    names = [
        IN_A_TEXT.get((id_, language)) or name_in(catalogue.colour_by_id[id_].names, language)
        for id_ in known.colour_ids
    ]
    # German colours are adjectives here, too: "blau", not "Blau", inside a line.
    return [_lower_first(name) for name in names]


_GENITIVE = MappingProxyType({"a": "os", "ė": "ės"})


def genitive(colour: str) -> str:
    """A Lithuanian colour as in "… spalvos" ("of … colour"), which fits a noun of any gender and number.

    Names that do not end as an adjective are genitives already ("koralų") or never change ("bordo").
    """
    colour = colour.removesuffix(" spalvos")  # "kūno spalvos" says it itself
    if colour.casefold() == "įvairiaspalvė":
        return "įvairių"
    return colour[:-1] + _GENITIVE.get(colour[-1], colour[-1])


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


@dataclass(frozen=True, slots=True)
class Phrase:
    """A part of a text and the field that it states; None: care, for which there is no field."""

    field: Field | None
    words: str


def _title_phrases(known: Known, *, language: str, catalogue: Catalogue) -> list[Phrase]:
    frames = FRAMES[language]
    noun = noun_for(known, language=language, catalogue=catalogue)
    if noun is None:
        return []
    phrases = [Phrase(Field.CATEGORY, noun)]
    if brand := _brand_name(known, catalogue):
        # The two make one phrase; which comes first is the language's habit.
        pair = [noun, brand] if frames.noun_first else [brand, _inside(noun, language)]
        phrases = [Phrase(Field.CATEGORY, " ".join(pair)), Phrase(Field.BRAND, "")]
    if colours := _colour_words(known, language, catalogue):
        if language == "lt":
            colours = [genitive(colour) for colour in colours]
        said = frames.colours.format(f" {frames.also} ".join(colours))
        # Various colours are several: "įvairių spalvų".
        phrases.append(Phrase(Field.COLOURS, said.replace("įvairių spalvos", "įvairių spalvų")))
    if size := _size_label(known, catalogue):
        phrases.append(Phrase(Field.SIZE, frames.size.format(size)))
    # What does not fit is left out as a whole, never cut.
    while len(_joined(phrases)) > MAX_TITLE and phrases[-1].words and len(phrases) > 1:
        phrases.pop()
    return phrases if MIN_LENGTH <= len(_joined(phrases)) <= MAX_TITLE else []


def _joined(phrases: Sequence[Phrase]) -> str:
    return _upper_first(", ".join(phrase.words for phrase in phrases if phrase.words))


def _description_phrases(known: Known, *, language: str, catalogue: Catalogue) -> list[Phrase]:
    frames = FRAMES[language]
    noun = noun_for(known, language=language, catalogue=catalogue)
    if noun is None:
        return []
    phrases = [Phrase(Field.CATEGORY, f"{_upper_first(noun)}.")]
    if brand := _brand_name(known, catalogue):
        phrases.append(Phrase(Field.BRAND, frames.by.format(brand.rstrip("."))))
    if colours := _colour_words(known, language, catalogue):
        phrases.append(Phrase(Field.COLOURS, frames.colour.format(f" {frames.also} ".join(colours))))
    if size := _size_label(known, catalogue):
        phrases.append(Phrase(Field.SIZE, frames.size_line.format(size)))
    materials = [
        f"{percent} % {name}" if percent is not None else name
        for id_, percent in known.materials
        if (name := _inside(name_in(catalogue.material_by_id[id_].names, language), language))
    ]
    if materials:
        phrases.append(Phrase(Field.MATERIALS, frames.material.format(", ".join(materials))))
    condition = catalogue.condition_by_id.get(known.condition_id or "")
    if condition is not None:
        words = _lower_first(name_in(condition.names, language))
        phrases.append(Phrase(Field.CONDITION, frames.condition.format(words)))
    if known.care:
        told = ", ".join(care_words(fact.code, language) for fact in known.care)
        phrases.append(Phrase(None, frames.care.format(told)))
    return phrases


def title_of(known: Known, *, language: str, catalogue: Catalogue) -> str | None:
    """ "Nike T-shirt, navy and white, size M"; None when the thing itself is not settled."""
    return _joined(_title_phrases(known, language=language_for(language), catalogue=catalogue)) or None


def description_of(known: Known, *, language: str, catalogue: Catalogue) -> str | None:
    """One short line for each fact; None when the thing itself is not settled."""
    phrases = _description_phrases(known, language=language_for(language), catalogue=catalogue)
    text = "\n".join(phrase.words for phrase in phrases)
    return text if len(text) >= MIN_LENGTH else None


def fields_stated(field: Field, *, known: Known, language: str, catalogue: Catalogue) -> tuple[Field, ...]:
    """The fields whose facts stand in the title or the description of a thing."""
    phrases_of = _title_phrases if field is Field.TITLE else _description_phrases
    return tuple(
        phrase.field
        for phrase in phrases_of(known, language=language_for(language), catalogue=catalogue)
        if phrase.field is not None
    )


def _each_kind(known: Known) -> list[Known]:
    """The thing, or one for each kind in question."""
    settled = known.kind is not None or known.category_id is not None
    return [known] if settled else [replace(known, kind=kind) for kind in known.kinds_possible]


def _reasons(
    stated: Sequence[Field], *, facts: SellerFacts, proposals: Mapping[Field, Proposal]
) -> list[Evidence]:
    """For each fact in a text where it comes from: what the seller gave, or the reasons of its own field."""
    given = {
        Field.CATEGORY: facts.category_id,
        Field.BRAND: facts.brand_id,
        Field.COLOURS: facts.colour_ids,
        Field.SIZE: facts.size_id,
        Field.MATERIALS: facts.material_ids,
        Field.CONDITION: facts.condition_id,
    }
    found: list[Evidence] = []
    for field in stated:
        if given[field]:
            found.append(Evidence(Source.SELLER, note="given_by_seller", field=field))
        elif field in proposals:
            found += [replace(piece, field=field) for piece in proposals[field].evidence]
    return found


def propose_text(
    field: Field,
    *,
    known: Known,
    facts: SellerFacts,
    proposals: Mapping[Field, Proposal],
    confidence: float,
    language: str,
    catalogue: Catalogue,
) -> Proposal:
    """Title or description. A text that the seller wrote is never replaced, only accompanied.

    ``proposals`` are those of the other fields: their reasons are the text's. ``confidence`` is that of the
    least sure fact in it.
    """
    compose = title_of if field is Field.TITLE else description_of
    things = _each_kind(known)
    composed = [compose(thing, language=language, catalogue=catalogue) for thing in things]
    texts = list(dict.fromkeys(text for text in composed if text))
    if not texts:
        return abstained(field, note="thing_unknown")
    stated = dict.fromkeys(
        stated
        for thing in things
        for stated in fields_stated(field, known=thing, language=language, catalogue=catalogue)
    )
    evidence = _reasons(tuple(stated), facts=facts, proposals=proposals)
    if field is Field.DESCRIPTION:
        evidence += [fact.evidence() for fact in known.care]
    written = facts.title if field is Field.TITLE else facts.description
    # One text is no settled thing: the only kind in question may still be a guess.
    settled = known.kind is not None or known.category_id is not None
    if settled and len(texts) == 1 and not written.strip():
        return proposed(field, texts[0], confidence, evidence=evidence)
    note = "already_written" if written.strip() else "thing_uncertain"
    return choice(field, [Alternative(text) for text in texts], note=note, evidence=evidence)
