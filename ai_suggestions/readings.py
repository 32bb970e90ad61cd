"""What was read from one photo, in shapes that survive a round trip through JSON.

What depends on the pixels and on the model version only, never on the seller or the catalogue, is kept by
content hash and used again. Facts (``LabelFact``) are drawn from the text that was read, with the catalogue.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ai_suggestions.contract import Box, Evidence, Field, Json, Source


@dataclass(frozen=True, slots=True)
class KindsSeen:
    """Which kind of thing a listing's photos show together: calibrated probabilities, most likely first.

    ``shown_by`` is the photo that speaks most clearly for the first kind. ``sure_from`` is the probability
    from which on the model that gave them was right in 95 of 100 held-out cases.
    """

    ranked: tuple[tuple[str, float], ...]
    sure_from: float
    shown_by: str | None = None


@dataclass(frozen=True, slots=True)
class ColoursSeen:
    """The palette colours that a photo's main thing has.

    ``chosen`` are the one or two to name, main colour first; ``likely`` are the candidates for the main
    colour as (colour id, probability 0-1), most likely first. Both are empty for a photo that shows nothing.
    """

    chosen: tuple[str, ...]
    likely: tuple[tuple[str, float], ...]
    box: Box | None = None

    def to_json(self) -> Json:
        """As plain lists."""
        box = None if self.box is None else [self.box.left, self.box.top, self.box.width, self.box.height]
        return {"chosen": list(self.chosen), "likely": [list(entry) for entry in self.likely], "box": box}

    @classmethod
    def from_json(cls, data: Json) -> ColoursSeen:
        """From what ``to_json`` gave."""
        return cls(
            chosen=tuple(data["chosen"]),
            likely=tuple((str(colour), float(probability)) for colour, probability in data["likely"]),
            box=None if data["box"] is None else Box(*data["box"]),
        )


@dataclass(frozen=True, slots=True)
class LabelFact:
    """A fact that text on a photo states.

    ``value`` is a brand id, a material id, or for a size the words on the label (``M``, ``38``): which size
    of which system that is depends on the category. ``percent`` is the share of a material.
    """

    field: Field
    value: str
    text: str
    confidence: float
    photo_id: str
    box: Box | None = None
    percent: int | None = None

    def evidence(self, note: str) -> Evidence:
        """The words and where they stand, to be shown beside a proposal."""
        return Evidence(Source.LABEL, photo_id=self.photo_id, box=self.box, text=self.text, note=note)


@dataclass(frozen=True, slots=True)
class CareFact:
    """A washing instruction that a label states; ``code`` is one of ``steps.care.care_codes()``."""

    code: str
    text: str
    confidence: float
    photo_id: str
    box: Box | None = None

    def evidence(self) -> Evidence:
        """The words and where they stand, to be shown beside a description."""
        return Evidence(
            Source.LABEL, photo_id=self.photo_id, box=self.box, text=self.text, note="care_on_label"
        )


def strongest(facts: Sequence[LabelFact]) -> list[LabelFact]:
    """The surest fact for each value, surest first, ties by value so that the order is stable."""
    best: dict[str, LabelFact] = {}
    for fact in facts:
        if fact.value not in best or fact.confidence > best[fact.value].confidence:
            best[fact.value] = fact
    return sorted(best.values(), key=lambda fact: (-fact.confidence, fact.value))
