"""Pictures and label texts that the tests draw themselves."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from ai_suggestions.ondevice.labels import TextBox, TextLine

REPOSITORY = Path(__file__).resolve().parents[3]
DEMO_PHOTOS = REPOSITORY / "demo" / "photos"
CLOTHING = REPOSITORY.parent / "shared" / "clothing"  # beside the checkout, only where models are trained


def demo_photo(name: str) -> Image.Image:
    """The first photo of one of the demo's listings."""
    return Image.open(DEMO_PHOTOS / name / "1.jpg")


def thing(colour: str, background: str = "white") -> Image.Image:
    """A square of cloth on a background, both with a little noise, as no camera sees a flat colour."""
    noise = Image.effect_noise((300, 400), 12).convert("RGB")
    picture = Image.new("RGB", (300, 400), background)
    ImageDraw.Draw(picture).rounded_rectangle((70, 90, 230, 320), 20, fill=colour)
    return Image.blend(picture, noise, 0.06)


def label(*texts: str, size: int = 46) -> Image.Image:
    """A sewn-in label photographed from near by."""
    picture = Image.new("RGB", (800, 140 + 90 * len(texts)), (238, 236, 228))
    drawing = ImageDraw.Draw(picture)
    font = ImageFont.load_default(size)
    for row, text in enumerate(texts):
        drawing.text((150, 80 + 90 * row), text, fill=(25, 25, 30), font=font)
    return picture


def lines(*texts: str, heights: Sequence[float] = ()) -> list[TextLine]:
    """Lines as the reader would give them, one below the other."""
    return [
        TextLine(text, 0.98, TextBox(0.2, 0.1 * row, 0.5, heights[row] if heights else 0.05))
        for row, text in enumerate(texts)
    ]
