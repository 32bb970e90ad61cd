"""The uploads of the suggestion benchmarks: four photos of 12 megapixels a listing, the last one a label.

They are made of the demo's photos, tilted, in another light and with sensor noise, so that no two are the
same and each compresses like a telephone's.
"""

from __future__ import annotations

import functools
import io
import random
from pathlib import Path

from PIL import Image, ImageEnhance

PHOTOS = Path(__file__).resolve().parent.parent / "demo" / "photos"
LABEL = PHOTOS / "clothing-label" / "1.jpg"
PER_LISTING = 4
PIXELS = 4032 * 3024


@functools.cache
def _noise(size: tuple[int, int]) -> Image.Image:
    return Image.effect_noise(size, 12).convert("RGB")


def _upload(sample: Path, chance: random.Random) -> bytes:
    with Image.open(sample) as image:
        picture = image.convert("RGB").rotate(chance.uniform(-6, 6), Image.Resampling.BICUBIC)
    picture = ImageEnhance.Brightness(picture).enhance(chance.uniform(0.85, 1.15))
    scale = (PIXELS / (picture.width * picture.height)) ** 0.5
    size = (round(picture.width * scale), round(picture.height * scale))
    large = picture.resize(size, Image.Resampling.BICUBIC)
    buffer = io.BytesIO()
    Image.blend(large, _noise(size), 0.08).save(buffer, "JPEG", quality=90)
    return buffer.getvalue()


def listing_uploads(chance: random.Random) -> list[bytes]:
    """Three photos of one thing and one of a label, as a seller's telephone sends them."""
    samples = sorted(PHOTOS.glob("*/*.jpg"))
    thing = chance.choice([sample for sample in samples if sample != LABEL])
    return [_upload(sample, chance) for sample in (*[thing] * (PER_LISTING - 1), LABEL)]
