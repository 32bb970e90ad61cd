"""How care labels say in words what to do, in English, German, French and Lithuanian.

Words only: the symbols of ISO 3758 are not read. Lines are lower case without accents, as ``label_facts`` has
them; readers of text lose spaces, so none is required.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from types import MappingProxyType

_DEGREES = r"(20|30|40|50|60|95) ?(?:°|deg|o ?c\b|c\b)"
_WASH = r"(?:wash|wasch(?:en|bar)|waschgang|wasche|lav(?:er|age|able)|skalb)"
# One group: the temperature in degrees Celsius, beside a word of washing.
_TEMPERATURE = re.compile(rf"{_WASH}[^\d.;]{{0,40}}{_DEGREES}|{_DEGREES}[^\d.;]{{0,12}}{_WASH}")

_SAID_SO = MappingProxyType(
    {
        "wash_cold": r"wash (?:in )?cold|wash with cold|kalt waschen|lav(?:er|age) a froid|skalbti saltame",
        "wash_by_hand": r"hand ?wash|handwasche|von hand waschen|lav(?:er|age) a la main"
        r"|skalbti (?:tik )?rankomis",
        "do_not_wash": r"do not wash(?! (?:at|with|above|over|in\b|together))|nicht waschen|ne pas laver"
        r"|neskalbti",
        "do_not_bleach": r"do not (?:use )?bleach|no bleach|nicht bleichen"
        r"|ne pas (?:blanchir|javelliser)|pas de (?:javel|chlore)|nebalinti",
        "do_not_tumble_dry": r"do not tumble|no tumble|nicht (?:im|in den|in) (?:wasche)?trockner"
        r"|nicht trommeltrocknen|nicht maschinell trocknen|ne pas secher en machine|ne pas secher au seche"
        r"|pas de seche|nedziovinti dziov",
        "do_not_iron": r"do not iron(?! (?:the|on|over|print|decor|motif))|nicht bugeln"
        r"|ne pas repasser(?! (?:sur|le\b|la\b|les))|nelyginti",
        "dry_clean": r"dry ?clean only|nur (?:chemische )?(?:reinigung|chemisch reinigen)"
        r"|nettoyage a sec (?:uniquement|seulement)|valyti tik (?:sausuoju|cheminiu)",
        "do_not_dry_clean": r"do not dry ?clean|nicht chemisch reinigen|keine chemische reinigung"
        r"|ne pas nettoyer a sec|pas de nettoyage a sec|nevalyti (?:sausuoju|cheminiu|chemiskai)",
    }
)
_PATTERNS = MappingProxyType(
    {code: re.compile(r"(?<!\w)(?:" + words.replace(" ", " ?") + ")") for code, words in _SAID_SO.items()}
)
CODES = (*(f"wash_{degrees}" for degrees in (20, 30, 40, 50, 60, 95)), *_PATTERNS)
"""Everything that is understood; the number is degrees Celsius."""


def care_in(plain: Sequence[str]) -> Iterator[tuple[str, int]]:
    """(code, index of the line) of each instruction, in the order of the label; one may span two lines."""
    told: set[str] = set()
    for index, line in enumerate(plain):
        begins = len(line)
        both = f"{line} {plain[index + 1]}" if index + 1 < len(plain) else line
        for code, start in _codes_in(both):
            # What begins in the next line is that line's.
            if start < begins and code not in told:
                told.add(code)
                yield code, index


def _codes_in(text: str) -> Iterator[tuple[str, int]]:
    for match in _TEMPERATURE.finditer(text):
        yield f"wash_{match[1] or match[2]}", match.start()
    for code, pattern in _PATTERNS.items():
        for match in pattern.finditer(text):
            yield code, match.start()
