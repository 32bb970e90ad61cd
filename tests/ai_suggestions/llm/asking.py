"""What the tests of the LLM provider ask with: the real catalogue, real photos, a seller, a server."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw, ImageFont

from ai_suggestions.catalogue import Catalogue
from ai_suggestions.contract import (
    Field,
    Market,
    PhotoInput,
    Proposal,
    SellerFacts,
    StepReport,
    SuggestionRequest,
)
from ai_suggestions.llm.answer import Certainty
from ai_suggestions.llm.proposals import Calibration
from tests.contracts.provider_suite import KeptReadings, NoSales
from tests.factories.suggestions import full_catalogue

REPOSITORY = Path(__file__).resolve().parents[3]
PHOTOS = REPOSITORY / "demo" / "photos"

MEASURED: Calibration = {
    field_: {Certainty.CERTAIN: 0.96, Certainty.LIKELY: 0.7, Certainty.POSSIBLE: 0.3} for field_ in Field
}


def measured(version: str) -> Calibration:
    """As if somebody had measured the double's certainties."""
    return MEASURED


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


def a_request(
    *photos: PhotoInput,
    facts: SellerFacts | None = None,
    language: str = "en",
    readings: KeptReadings | None = None,
    catalogue: Catalogue | None = None,
) -> SuggestionRequest:
    return SuggestionRequest(
        photos=photos or (demo_photo(),),
        facts=facts or SellerFacts(),
        market=Market("IE", "EUR", language),
        catalogue=catalogue or full_catalogue(),
        comparables=NoSales(),
        readings=KeptReadings() if readings is None else readings,
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
