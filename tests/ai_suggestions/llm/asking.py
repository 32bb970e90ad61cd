"""What the tests of the LLM provider ask with: the real catalogue, real photos, a seller, a server."""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw, ImageFont

from ai_suggestions.catalogue import Brand, Catalogue, Category, Size, Term
from ai_suggestions.contract import (
    ComparableItem,
    Field,
    Json,
    Market,
    PhotoInput,
    Proposal,
    SellerFacts,
    StepReport,
    SuggestionRequest,
)
from ai_suggestions.llm.answer import Certainty
from ai_suggestions.llm.proposals import Calibration

REPOSITORY = Path(__file__).resolve().parents[3]
DATA = REPOSITORY / "listings" / "data"
PHOTOS = REPOSITORY / "demo" / "photos"

MEASURED: Calibration = {
    field_: {Certainty.CERTAIN: 0.96, Certainty.LIKELY: 0.7, Certainty.POSSIBLE: 0.3} for field_ in Field
}
"""As if somebody had measured the double's certainties."""


def _rows(name: str) -> list[dict[str, str]]:
    with (DATA / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _names(row: Mapping[str, str]) -> dict[str, str]:
    return {
        key.removeprefix("name_"): value for key, value in row.items() if key.startswith("name_") and value
    }


def _aliases(row: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(alias for alias in row["aliases"].split("|") if alias)


@cache
def real_catalogue() -> Catalogue:
    """The catalogue's data files, as the marketplace loads them."""
    return Catalogue(
        categories=tuple(
            Category(
                id=row["id"],
                parent_id=row["parent_id"] or None,
                position=int(row["position"]),
                kind=row["kind"] or None,
                size_system=row["size_system"] or None,
                attributes=tuple(row["attributes"].split()),
                parcel_size=row["parcel_size"] or None,
                names=_names(row),
            )
            for row in _rows("categories")
        ),
        brands=tuple(Brand(row["id"], row["name"], _aliases(row)) for row in _rows("brands")),
        sizes=tuple(
            Size(row["id"], row["system"], int(row["position"]), row["label"], _aliases(row))
            for row in _rows("sizes")
        ),
        colours=tuple(Term(row["id"], _names(row)) for row in _rows("colours")),
        conditions=tuple(Term(row["id"], _names(row)) for row in _rows("conditions")),
        materials=tuple(Term(row["id"], _names(row)) for row in _rows("materials")),
    )


def photo(content: bytes, *, position: int = 0) -> PhotoInput:
    digest = hashlib.sha256(content).hexdigest()
    return PhotoInput(f"photo-{position}", position, content, digest)


def demo_photo(name: str = "sneakers/1.jpg", *, position: int = 0) -> PhotoInput:
    return photo((PHOTOS / name).read_bytes(), position=position)


def photo_of_text(*lines: str, position: int = 0) -> PhotoInput:
    """A sheet of paper with words on it."""
    sheet = Image.new("RGB", (1400, 200 + 120 * len(lines)), "white")
    drawing = ImageDraw.Draw(sheet)
    for row, line in enumerate(lines):
        drawing.text((80, 80 + 120 * row), line, fill="black", font=ImageFont.load_default(64))
    written = io.BytesIO()
    sheet.save(written, "JPEG", quality=90)
    return photo(written.getvalue(), position=position)


@dataclass
class Readings:
    """What was read before, in memory."""

    kept: dict[tuple[str, str, str], Json] = field(default_factory=dict)

    def find(self, *, sha256: str, step: str, version: str) -> Json:
        return self.kept.get((sha256, step, version))

    def keep(self, *, sha256: str, step: str, version: str, reading: Json) -> None:
        self.kept[sha256, step, version] = reading


class NoSales:
    """A marketplace that sold nothing yet."""

    def find(self, *, category_ids: Sequence[str], currency: str, limit: int) -> Sequence[ComparableItem]:
        return ()


def a_request(
    *photos: PhotoInput,
    facts: SellerFacts | None = None,
    language: str = "en",
    readings: Readings | None = None,
    catalogue: Catalogue | None = None,
) -> SuggestionRequest:
    return SuggestionRequest(
        photos=photos or (demo_photo(),),
        facts=facts or SellerFacts(),
        market=Market("IE", "EUR", language),
        catalogue=catalogue or real_catalogue(),
        comparables=NoSales(),
        readings=Readings() if readings is None else readings,
    )


SNEAKERS: dict[str, Any] = {
    "things": [{"id": "trainers", "certainty": "certain"}],
    "photo": 1,
    "colours": [{"id": "red", "certainty": "certain"}],
    "brand": None,
    "size": None,
    "materials": [],
    "condition": None,
    "title": "Red low-top trainers with white laces",
    "description": "Red trainers with a white sole and white laces, photographed from the side.",
}
"""A good answer to the photo of the sneakers."""

LABELLED: dict[str, Any] = SNEAKERS | {
    "things": [{"id": "jumpers", "certainty": "certain"}],
    "colours": [{"id": "grey", "certainty": "certain"}],
    "brand": {"name": "Levi's", "quote": "LEVI'S", "photo": 1, "certainty": "certain"},
    "size": {"label": "M", "quote": "Size M", "photo": 1, "certainty": "certain"},
    "materials": [
        {"id": "cotton", "quote": "80% cotton", "photo": 1, "certainty": "certain"},
        {"id": "polyester", "quote": "20% polyester", "photo": 1, "certainty": "certain"},
    ],
    "title": "Grey Levi's jumper, size M",
    "description": "Grey jumper with a round neck. The label says 80% cotton and 20% polyester.",
}
"""A good answer to a photo of a garment with a readable label."""


def answer(base: Mapping[str, Any] = SNEAKERS, **changed: Any) -> dict[str, Any]:
    return {**base, **changed}


def field_of(report: StepReport, field_: Field) -> Proposal:
    return next(proposal for proposal in report.proposals if proposal.field is field_)


@dataclass
class Clock:
    """A clock that the test sets."""

    now: datetime = datetime(2026, 3, 1, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def forward(self, **delta: float) -> None:
        self.now += timedelta(**delta)
