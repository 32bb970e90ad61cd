"""Whether a title or a description that a model wrote may be shown: it claims nothing that was not given.

Two questions, kept apart. ``offences_in``: things that no composed text may have, whatever was seen.
``claims_in``: the facts of the catalogue that the text states; the caller compares them with what the photos,
labels and seller gave.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

import regex

from ai_suggestions.catalogue import Catalogue
from ai_suggestions.contract import Field, SellerFacts
from ai_suggestions.llm.vocabulary import plain
from ai_suggestions.ondevice.material_words import MATERIAL_BY_WORD
from ai_suggestions.steps.department import department_of

# Listing rules: graphemes after trimming.
LENGTHS = {Field.TITLE: (5, 100), Field.DESCRIPTION: (5, 2000)}

_LINK_OR_CONTACT = re.compile(
    r"https?:|www\.|\b[\w-]+\.(?:com|net|org|info|shop|store|io|co|eu|de|fr|lt|uk|me|app|link|ly)\b"
    r"|\S+@\S+|(?<!\w)@\w{2,}|(?:\d[\s().+/-]?){7,}"
    r"|\b(?:whats ?app|telegram|instagram|facebook|snapchat|tiktok|paypal|revolut|viber)\b"
    r"|\b(?:call|text|write|contact|dm) me\b",
    re.IGNORECASE,
)
_HASHTAG = re.compile(r"(?<!\w)#\w")
_PRICE = re.compile(
    r"[€$£¥]|\b(?:eur|euros?|usd|gbp|pln|czk|sek|dkk|zł|kč)\b|\b(?:price|preis|prix|kaina)\b", re.IGNORECASE
)
# Histories and promises that no photo can back, in the languages that we compose in (accents removed).
_UNSEEN = re.compile(
    r"\b(?:authentic\w*|genuine|original\w*|certified|guarante\w+|limited edition|rare|brand.?new|"
    r"new with\w*|never worn|never used|unworn|unused|worn once|like new|as new|bnwt|smoke.?free|waterproof|"
    r"echt\w*|garantie\w*|neu(?:wertig\w*|er?|es|em|en)?|ungetragen\w*|unbenutzt\w*|nie getragen|selten\w*|"
    r"wasserdicht\w*|authentique\w*|neu[fv]\w*|jamais porte\w*|impermeable\w*|"
    r"autentisk\w*|originali\w*|nauj(?:as|a|i|os|u)|nenesiot\w*|nenaudot\w*|retas|reta|neperslampam\w*)\b",
    re.IGNORECASE,
)
# Brands that are ordinary words: at the beginning of a sentence they are taken for the word.
_ALSO_WORDS = frozenset(
    {
        "bench", "boss", "coach", "diesel", "esprit", "even", "extra", "fox", "free people", "gap", "guess",
        "mango", "monki", "new look", "next", "object", "only", "pieces", "theory", "vans", "weekday", "why",
    }
)  # fmt: skip
# "Buttons down the front" speaks of no feathers.
_NO_MATERIAL = frozenset({"down"})
_WORD = regex.compile(r"[\p{L}\p{M}'&-]+")
# Whoever speaks of the condition makes a statement about it, whatever the adjective.
_CONDITION = re.compile(r"\b(?:condition|zustand\w*|etat|bukle\w*|bukles)\b")
_SIZE = re.compile(r"\b(?:size|grosse|groesse|gr\.|taille|dydis|dydzio|eu|uk|us)\s+([a-z0-9]+)")
_NUMBER = re.compile(r"\d+(?:[.,]\d+)?")


ANY_CONDITION = "any"


@dataclass(frozen=True, slots=True)
class Claim:
    """A fact that a text states. For a number ``field`` is None, and ``value`` the number as written."""

    field: Field | None
    value: str


def cleaned(text: str | None) -> str:
    """Trimmed, without control characters, spaces single."""
    if text is None:
        return ""
    return " ".join(regex.sub(r"[\p{Cc}\p{Cf}\p{Co}\p{Cs}]+", " ", text).split())


def length_fits(field: Field, text: str) -> bool:
    """Whether a listing would take a text of this length."""
    shortest, longest = LENGTHS[field]
    return shortest <= len(regex.findall(r"\X", text)) <= longest


def offences_in(text: str) -> frozenset[str]:
    """Codes of what no composed text may have."""
    found = set()
    if _LINK_OR_CONTACT.search(text):
        found.add("contact_or_link")
    if _HASHTAG.search(text):
        found.add("hashtag")
    if _PRICE.search(text):
        found.add("price_in_text")
    if _UNSEEN.search(plain(text)):
        found.add("claim_that_no_photo_shows")
    return frozenset(found)


def numbers_in(text: str) -> list[str]:
    """The numbers in a text, as they are written."""
    return _NUMBER.findall(text)


def claims_in(
    text: str, *, catalogue: Catalogue, language: str, things: Iterable[str] = ()
) -> frozenset[Claim]:
    """The brands, materials, sizes, conditions, departments and numbers that a text states.

    ``things`` are names of the categories in question: a "leather jacket" or a "Jeansjacke" is the name of
    a thing and claims no material.
    """
    folded = plain(text)
    words = [plain(word) for word in _WORD.findall(text)]
    named = {word for thing in things for word in plain(thing).split()}
    claims = {
        Claim(Field.MATERIALS, MATERIAL_BY_WORD[word])
        for word in words
        if word in MATERIAL_BY_WORD.keys() - _NO_MATERIAL
        and not any(word in name or name in word for name in named)
    }
    claims |= {Claim(Field.BRAND, id_) for id_ in _brands_in(text, catalogue)}
    for condition in catalogue.conditions:
        name = plain(condition.names.get(language, ""))
        # One common word ("good", "gut") is no statement about the condition; two or more are.
        if " " in name and name in folded:
            claims.add(Claim(Field.CONDITION, condition.id))
    if _CONDITION.search(folded):
        claims.add(Claim(Field.CONDITION, ANY_CONDITION))
    claims |= {Claim(Field.SIZE, size) for size in _SIZE.findall(folded)}
    claims |= {Claim(None, number) for number in numbers_in(text)}
    for sentence in re.split(r"[.!?;\n]", text):
        said = department_of(facts=SellerFacts(title=sentence), kind=None, sizes=(), catalogue=catalogue)
        if said is not None:
            claims.add(Claim(Field.CATEGORY, said.id))
    return frozenset(claims)


def _brands_in(text: str, catalogue: Catalogue) -> Iterable[str]:
    """Brands that the text names. A single word in lower case is a word, not a name."""
    folded = text.casefold()
    for brand in catalogue.brands:
        for spelling in (brand.name, *brand.aliases):
            if len(spelling) >= 3 and spelling.casefold() in folded and _names(text, spelling):
                yield brand.id
                break


def _names(text: str, spelling: str) -> bool:
    for match in re.finditer(rf"(?<!\w){re.escape(spelling)}(?!\w)", text, re.IGNORECASE):
        as_word = spelling.isalpha() and match[0].islower()
        begins = not text[: match.start()].strip() or text[: match.start()].rstrip()[-1] in ".!?:"
        if not as_word and not (begins and spelling.casefold() in _ALSO_WORDS):
            return True
    return False
