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


# 8 x 8 colours, found by changing them at random and keeping what the safety net scored higher (3,200 tries,
# from a light disc on a dark ground). Blown up they are a coloured blur, of which the net is sure.
_BLUR = bytes.fromhex(
    "8749578c0f565f40534f5d4e693f685f4a5a78414065383c5a1c336f555bd6a668c4926fd89f75cc9f7763453f783e43"
    "4d4e54c4a265d0985ee4a186cb8d75ce9c6cd0a4754b3f0f58552fd99e7bc48d7fbb6a65d0917acb9167d4a87d7c3659"
    "444024d99884c99272d29b8ac7a17ed29575e09b785f4c45513b3bce8f6ec59272d29b7ddc9577cf9471db905f4e4d55"
    "6449556b5258b69582bf976ac88c82cb92815b4c454843445d3b496043465b403e644956754f4d6c3b426c2d29471f3d"
)


def flagged_blur(width: int = 600, height: int = 600) -> Image.Image:
    """A picture that shows nothing, and that the safety net wants a person to look at (it scores 0.9)."""
    return Image.frombytes("RGB", (8, 8), _BLUR).resize((width, height), Image.Resampling.BICUBIC)


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
