"""Rules of titles and descriptions. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

import regex

from foundation.errors import FieldProblem

MAX_HASHTAGS = 5

# Patterns start where a word starts only: else a long text without any would be searched in quadratic time.
_GRAPHEME = regex.compile(r"\X")
_FLAG = re.compile("[\U0001f1e6-\U0001f1ff]{2}")
_HASHTAG = re.compile(r"(?<!\w)#\w+")
_EMAIL = re.compile(r"(?<![\w.+-])[\w.+-]+\s?(?:@|\(at\)|\[at\])\s?[\w-]+\.[a-z]{2,}", re.IGNORECASE)
_LINK = re.compile(
    r"https?:/|(?<!\w)www\.|(?<![\w.-])(?:[\w-]+\.)+(?:com|net|org|info|shop|store|app|link|page|site|me|eu|de|fr|lt"
    r"|pl|at|ch|it|es|nl|be|uk|dk|se|fi|cz|ly|gg|io)(?![\w-])(?!\.\w)",
    re.IGNORECASE,
)
# Written as people write them, from + or 0 on. Sizes, measures and article numbers start otherwise.
_PHONE = re.compile(r"(?<![\w.,/-])(?:\+|00|0)[1-9](?:[ ()/.-]{0,2}\d){7,13}(?![\d-])")
_BOOK_NUMBER = re.compile(r"(?:isbn|ean|issn)(?:-1[03])?[:\s]*\Z", re.IGNORECASE)
_HANDLE = re.compile(r"(?<![\w@])@[A-Za-z_][\w.]{2,}")
_MESSENGER = re.compile(r"(?<!\w)(?:whats\s?app|telegram|viber|snapchat|messenger)(?!\w)", re.IGNORECASE)
# Turn the direction of what follows, so that a text reads otherwise than it is.
_DIRECTION = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def graphemes(text: str) -> int:
    """How many characters a person sees (UAX #29 extended grapheme clusters)."""
    # Halves of flags pair up from the start of their row, for which \X looks again at every half.
    return len(_GRAPHEME.findall(_FLAG.sub("x", text)))


def has_contact_details(text: str) -> bool:
    """Whether it holds a mail address, link, phone number, handle or messenger: trade stays here."""
    if any(pattern.search(text) for pattern in (_EMAIL, _LINK, _HANDLE, _MESSENGER)):
        return True
    return any(
        not _BOOK_NUMBER.search(text, max(0, found.start() - 20), found.start())
        for found in _PHONE.finditer(text)
    )


def hashtags(text: str) -> int:
    """How many #words."""
    return len(_HASHTAG.findall(text))


def problems_of(
    text: str,
    *,
    pointer: str,
    shortest: int,
    longest: int,
    most_code_points: int,
    complete: bool,
    lines: bool,
) -> Iterator[FieldProblem]:
    """What is wrong with a text; lengths in graphemes. Too short counts only when `complete`."""
    length = graphemes(text)
    if complete and not text:
        yield FieldProblem(pointer, "required", "Is needed to publish.")
    elif complete and length < shortest:
        yield FieldProblem(pointer, "too_short", f"Has {length} characters, needs {shortest}.")
    if length > longest:
        yield FieldProblem(pointer, "too_long", f"Has {length} characters, at most {longest} are allowed.")
    elif len(text) > most_code_points:
        # Few characters, each piled up from many: more than the column holds.
        detail = f"Is made of {len(text)} code points, at most {most_code_points} are allowed."
        yield FieldProblem(pointer, "too_long", detail)
    allowed = "\n" if lines else ""
    if any(c in _DIRECTION or (unicodedata.category(c) == "Cc" and c not in allowed) for c in text):
        yield FieldProblem(pointer, "control_character", "Holds control characters.")
    if has_contact_details(text):
        yield FieldProblem(pointer, "contact_details", "Holds contact details or a link.")
