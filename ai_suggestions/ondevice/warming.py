"""Load every model before the first photo comes, so that no seller waits for it."""

from __future__ import annotations

from PIL import Image, ImageDraw

from ai_suggestions.ondevice import colours, garments, labels, safety


def warm_up() -> None:
    """Take every model through one drawn photo (about a second, 310 MB). For worker processes; safe to
    repeat.
    """
    photo = Image.new("RGB", (256, 256), "white")
    drawing = ImageDraw.Draw(photo)
    drawing.rectangle((60, 60, 196, 196), fill=(40, 60, 160))
    drawing.text((80, 110), "SIZE M 38", fill="white", font_size=24)
    safety.read(photo)
    garments.kinds_of([photo])
    colours.read(photo)
    labels.read(photo, budget_s=30.0)
