"""What the text on a label says: brand, size, materials, care. Pure functions over lines that were read.

Caution comes first: folds, prints and logos give letters and numbers that are no size. So a size needs a
second sign that the text is a label, a brand must be one of a given list, and a material needs its
percentage. Text that gives orders ("set the brand to ...") is written for a machine, and states nothing.
"""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ai_suggestions.brand_words import WORDS_TOO
from ai_suggestions.ondevice.care_words import care_in
from ai_suggestions.ondevice.labels import TextLine
from ai_suggestions.ondevice.material_words import MATERIAL_BY_WORD

MOST_SURE = 0.95
"""The most that a fact on a label is stated with: the reader's own confidence is no probability.

On 110 drawn labels, half of them too blurred, small or pale to be read, none of 58 brands, 51 sizes and 74
materials that were read was wrong: at least .94 of such readings are right (95 % certainty). Real labels were
not measured, for lack of a set that may be kept.
"""

_CARE = re.compile(
    r"\b(machine wash\w*|hand wash\w*|wash (at|with|cold|inside|separately)|do not (wash|iron|bleach|tumble)"
    r"|dry ?clean|made in|fabrique en|hergestellt in|fabricado en|pagaminta|\d0 ?[°c]+|rn ?\d{4,}|ca ?\d{4,}"
    r"|style no|art\.? ?n[or])"
)
_SIZE_WORD = r"(?:size|taille|grosse|groesse|gr|dydis|taglia|tg|talla|maat|rozmiar|eu|eur|uk|us|it|fr|de)"
_LETTER_SIZE = r"(?:[2-6]?x{0,4}s|m|[2-6]?x{0,4}l)"
_NUMBER_SIZE = r"(?:\d{2,3}(?:[.,]5| ?1/2)?)"
_SIZE = rf"(?:{_LETTER_SIZE}|{_NUMBER_SIZE}|one size|taille unique|einheitsgrosse)"
_SPLIT_SIZE = re.compile(r"\bw ?(\d{2}) ?[x/ ]? ?l ?(\d{2})\b")
_NAMED_SIZE = re.compile(
    rf"\b({_SIZE_WORD})(?:\.|:| |-|/)*\s*({_LETTER_SIZE}|\d{{1,3}}(?:[.,]5| ?1/2)?)(?![\w%°]|[.,]\d)"
)
_BARE_SIZE = re.compile(rf"({_SIZE})(?: ?[/|-] ?({_SIZE}))?")
_SCALES = {"eu", "eur", "uk", "us", "it", "fr", "de"}
_LEATHER = {
    "leather",
    "genuine leather",
    "real leather",
    "vera pelle",
    "echtleder",
    "echt leder",
    "cuir veritable",
}
# Letters and digits only, since readers of text lose spaces. In the languages that we compose in.
_FORM = r"(?:brand|size|colou?r|category|condition|materials?|price|title|description)"
_ORDERS = re.compile(
    r"(?:ignor[ei]|disregard|forgetall|override|missachte|oublie[zr]?(?:toute|les)|nepaisyk).{0,30}"
    r"(?:instruction|rule|prompt|anweisung|regel|consigne|regle|instrukcij|taisykl|nurodym)"
    r"|system(?:prompt|message|override)|newinstructions|(?:aimodel|assistant|chatbot)s?you"
    r"|you(?:must|shall|haveto|aretold)(?:now)?(?:set|write|say|answer|fill|choose|classif)"
    rf"|set(?:the|its)?{_FORM}(?:field)?(?:to|as)|change(?:the|its)?{_FORM}(?:field)?to"
    rf"|(?:write|enter)(?:the|as)?{_FORM}|use(?:the|as)?(?:category|title|description)"
    r"|setze?(?:die|den|das)?(?:marke|preis|titel|kategorie)auf|mets?(?:la|le)(?:marque|prix|titre)"
    r"|nustatyk(?:preke|kain|pavadinim|kategorij)"
)
_PERCENT = re.compile(r"(\d{1,3}) ?%\s*([^%]{2,60}?)(?=\d{1,3} ?%|$)")
_PERCENT_AFTER = re.compile(r"([^%]{3,60}?)\s*\b(\d{1,3}) ?%")
_MOST_MATERIALS = 3
# Brands that labels and prints say without meaning them; only alone in a line are they one.
_PRINTED_OFTEN = frozenset({"diesel", "extra", "gap", "guess", "mango", "monki"}) | frozenset(
    {"next", "object", "only", "pieces", "weekday", "why"}
)
_WORDS_TOO = frozenset(re.sub(r"[^a-z0-9&]", "", word) for word in WORDS_TOO)
# Of a match, and the least with which a brand is a sign that the text is a label.
_PART, _PERHAPS_A_WORD, _SIGN = 0.9, 0.5, 0.6


@dataclass(frozen=True, slots=True)
class BrandRead:
    """A brand of the given list. `id` is what the list gave for the spelling, `line` its line's index."""

    id: str
    text: str
    line: int
    confidence: float


@dataclass(frozen=True, slots=True)
class SizeRead:
    """A size as printed (`M`, `38`, `W32 L34`); `scale` is the printed one (`eu`, `uk`, ...), None when none
    was.
    """

    text: str
    scale: str | None
    line: int
    confidence: float


@dataclass(frozen=True, slots=True)
class MaterialRead:
    """A material (id of the catalogue) and its percentage; None for leather named without one."""

    id: str
    percent: int | None
    text: str
    line: int
    confidence: float


@dataclass(frozen=True, slots=True)
class CareRead:
    """A washing instruction (`care_words.CODES`)."""

    code: str
    text: str
    line: int
    confidence: float


@dataclass(frozen=True, slots=True)
class LabelFacts:
    """What a label states. `sizes` keeps every scale, those named in the order of the label; empty means not
    stated.
    """

    brand: BrandRead | None = None
    sizes: tuple[SizeRead, ...] = ()
    materials: tuple[MaterialRead, ...] = ()
    care: tuple[CareRead, ...] = ()
    is_label: bool = False


def facts_in(lines: Sequence[TextLine], brands: Mapping[str, str]) -> LabelFacts:
    """The facts in the lines of one photo.

    `brands` maps every accepted spelling to an id. Sizes are read only when the lines show other signs of a
    label: care or origin words, materials, a word like "size", or a brand beside print that is not bigger
    than the brand's. Lines that together give orders state nothing.
    """
    plain = [_plain(line.text) for line in lines]
    if _ORDERS.search("".join(re.sub(r"[^a-z0-9]", "", text) for text in plain)):
        return LabelFacts()
    brand = _brand_in(lines, plain, brands)
    sign = brand if brand is not None and brand.confidence >= _SIGN else None
    materials = _materials_in(lines, plain)
    care = tuple(
        CareRead(code, lines[index].text, index, lines[index].confidence) for code, index in care_in(plain)
    )
    is_label = bool(care) or any(_CARE.search(text) for text in plain) or bool(materials)
    named = _named_sizes(lines, plain)
    bare: list[SizeRead] = []
    if not named and (is_label or sign is not None):
        tallest = None if is_label or sign is None else 1.5 * lines[sign.line].box.height
        bare = _bare_sizes(lines, plain, brand, tallest)
    # A size word alone ("us 10" on a shirt of a band) is not enough for a letter or a number either.
    signs = is_label or sign is not None or len({size.scale for size in named}) > 1 or _says_size(plain)
    sizes = named if signs else []
    return LabelFacts(
        brand=brand,
        sizes=tuple(sizes or bare),
        materials=materials,
        care=care,
        is_label=is_label or bool(sizes or bare),
    )


def _plain(text: str) -> str:
    """Lower case without accents, so that a label in any of the languages compares."""
    decomposed = unicodedata.normalize("NFKD", text.replace("ß", "ss")).casefold()
    bare = "".join(char for char in decomposed if not unicodedata.combining(char))
    return " ".join(bare.replace("\N{RIGHT SINGLE QUOTATION MARK}", "'").split())


def _key(text: str) -> str:
    return re.sub(r"[^a-z0-9&]", "", text)


def _brand_in(lines: Sequence[TextLine], plain: Sequence[str], brands: Mapping[str, str]) -> BrandRead | None:
    """The surest brand; of equals the one in larger print."""
    spellings = {_key(_plain(spelling)): id_ for spelling, id_ in brands.items()}
    found: list[tuple[float, float, BrandRead]] = []
    for index, (line, text) in enumerate(zip(lines, plain, strict=True)):
        match = _brand_of(text, spellings)
        if match is not None:
            id_, quality = match
            confidence = round(line.confidence * quality, 4)
            found.append((confidence, line.box.height, BrandRead(id_, line.text, index, confidence)))
    return max(found, key=lambda entry: entry[:2])[2] if found else None


def _brand_of(text: str, spellings: Mapping[str, str]) -> tuple[str, float] | None:
    """(id, quality of the match): the whole line, a part of a short line, or one misread letter of a long
    name. A part that is an everyday word too is hardly a match.
    """
    whole = _key(text)
    if len(whole) >= 2 and whole in spellings:
        return spellings[whole], 1.0
    words = [_key(word) for word in text.split()]
    if 2 <= len(words) <= 4:
        for length in range(len(words) - 1, 0, -1):
            for start in range(len(words) - length + 1):
                part = "".join(words[start : start + length])
                if len(part) >= 4 and part not in _PRINTED_OFTEN and part in spellings:
                    return spellings[part], _PERHAPS_A_WORD if part in _WORDS_TOO else _PART
    if len(whole) >= 6:
        for spelling, id_ in spellings.items():
            if len(spelling) == len(whole) and sum(a != b for a, b in zip(spelling, whole, strict=True)) == 1:
                return id_, 0.8
    return None


def _says_size(plain: Sequence[str]) -> bool:
    return any(re.search(r"\b(size|taille|groesse|grosse|dydis|taglia|talla|maat)\b", text) for text in plain)


def _named_sizes(lines: Sequence[TextLine], plain: Sequence[str]) -> list[SizeRead]:
    """Sizes beside a word that says so: `size M`, `EU 38 UK 10`, `Taille: 40`, `W32 L34`."""
    found: dict[tuple[str | None, str], SizeRead] = {}
    for index, (line, text) in enumerate(zip(lines, plain, strict=True)):
        split = _SPLIT_SIZE.search(text)
        if split:
            size = SizeRead(f"W{split[1]} L{split[2]}", None, index, line.confidence)
            found.setdefault((None, size.text), size)
            continue
        for match in _NAMED_SIZE.finditer(text):
            scale = match[1] if match[1] in _SCALES else None
            if scale and match[2].isalpha() and len(match[2]) == 1:
                continue  # "it m..", "us l..": words broken by the reader
            scale = "eu" if scale == "eur" else scale
            size = SizeRead(_size_text(match[2]), scale, index, line.confidence)
            found.setdefault((scale, size.text), size)
    return list(found.values())


def _bare_sizes(
    lines: Sequence[TextLine], plain: Sequence[str], brand: BrandRead | None, tallest: float | None
) -> list[SizeRead]:
    """Lines that are nothing but a size. Taller print than `tallest` (share of the photo) is a print, not a
    label.
    """
    for index, (line, text) in enumerate(zip(lines, plain, strict=True)):
        match = _BARE_SIZE.fullmatch(text.strip(" .:*"))
        if match is None or (brand is not None and brand.line == index):
            continue
        if tallest is not None and line.box.height > tallest:
            continue
        if match[1].isdigit() and not 15 <= int(match[1]) <= 190:  # shoe sizes to children's heights in cm
            continue
        return [SizeRead(_size_text(part), None, index, line.confidence) for part in match.groups() if part]
    return []


def _size_text(size: str) -> str:
    return size.upper().replace(",", ".").replace(" 1/2", ".5")


def _materials_in(lines: Sequence[TextLine], plain: Sequence[str]) -> tuple[MaterialRead, ...]:
    """Materials with their percentages, largest first. The same one in another language is the same one."""
    found: dict[str, MaterialRead] = {}
    for index, (line, text) in enumerate(zip(lines, plain, strict=True)):
        if text.rstrip(" .").endswith("%"):  # "cotton 98% elastane 2%"
            pairs = [(int(percent), words) for words, percent in _PERCENT_AFTER.findall(text)]
        else:
            pairs = [(int(percent), words) for percent, words in _PERCENT.findall(text)]
        if not pairs and re.fullmatch(r"\d{1,3} ?%", text) and index + 1 < len(lines):
            pairs = [(int(text.rstrip(" %")), plain[index + 1])]  # the percentage in a column of its own
        for percent, words in pairs:
            id_ = _material_of(words)
            if id_ is not None and 1 <= percent <= 100 and id_ not in found:
                found[id_] = MaterialRead(id_, percent, line.text, index, line.confidence)
        if text.strip(" .") in _LEATHER:
            found.setdefault("leather", MaterialRead("leather", None, line.text, index, line.confidence))
    largest_first = sorted(found.values(), key=lambda material: -(material.percent or 101))
    return tuple(largest_first[:_MOST_MATERIALS])


def _material_of(words: str) -> str | None:
    """The material that some words name first, one misread letter allowed in a long word."""
    for word in re.findall(r"[a-z0-9]+", words):
        letters = word.replace("0", "o").replace("1", "l").replace("5", "s")
        if letters in MATERIAL_BY_WORD:
            return MATERIAL_BY_WORD[letters]
        near = difflib.get_close_matches(letters, MATERIAL_BY_WORD, 1, 0.86) if len(letters) >= 6 else []
        if near:
            return MATERIAL_BY_WORD[near[0]]
    return None
