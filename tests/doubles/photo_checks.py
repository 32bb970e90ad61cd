"""Checks that a test can name in PHOTO_CHECK: listings take any, and do not know who they are."""

from __future__ import annotations

import datetime as dt
import io

from PIL import Image

from listings.services import Flag


def flag_red(*, sha256: str, content: bytes, now: dt.datetime) -> Flag | None:
    """What has a red thing in the middle needs a person's look."""
    with Image.open(io.BytesIO(content)) as photo:
        red, green, _blue = photo.convert("RGB").resize((3, 3)).getpixel((1, 1))  # type: ignore[misc]
    return Flag("unsafe_photo", 0.91) if red > 2 * green else None


def broken(*, sha256: str, content: bytes, now: dt.datetime) -> Flag | None:
    raise FileNotFoundError("its weights are not installed")


RED, BROKEN = f"{__name__}.flag_red", f"{__name__}.broken"
