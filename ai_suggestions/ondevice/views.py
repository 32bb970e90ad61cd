"""Photos as the nets see them; training and service share this file, so that both see the same pixels."""

from __future__ import annotations

import io
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image

WORKING_SIDE = 512  # pixels; the training photos' longest side, so a service photo is brought to it first
_LONGEST_ASPECT = 1.2  # the mild crop keeps this much of a long photo and squeezes it into the square
_CENTRE_SHARE = 0.9  # of the short side
# Of 255, among 32 x 32 parts. The flattest of the 2,360 photos in ../shared/clothing has 36.
_NOTHING_VARIES = 8


def opened(content: bytes) -> Image.Image:
    """An encoded photo as RGB with its longest side at most WORKING_SIDE.

    JPEG is decoded at a reduced scale. Raises PIL.UnidentifiedImageError or OSError when it is no image.
    """
    image = Image.open(io.BytesIO(content))
    image.draft("RGB", (WORKING_SIDE, WORKING_SIDE))
    return working_copy(image)


@lru_cache(maxsize=4)
def picture_of(content: bytes) -> Image.Image:
    """As ``opened``, decoded once for the steps that look at a photo one after the other. Not to be changed.

    Four are kept, as many as a listing has on average, each with its encoded photo: with eight a worker
    reached its 700 MB (docs/performance.md).
    """
    return opened(content)


def working_copy(image: Image.Image) -> Image.Image:
    """The photo as RGB (transparent parts on white) with its longest side at most WORKING_SIDE."""
    if image.has_transparency_data:
        opaque = Image.new("RGBA", image.size, "white")
        opaque.alpha_composite(image.convert("RGBA"))
        image = opaque
    image = image.convert("RGB")  # a copy: the caller's image stays as it is
    image.thumbnail((WORKING_SIDE, WORKING_SIDE), Image.Resampling.BICUBIC, reducing_gap=2.0)
    return image


def is_of_one_colour(photo: Image.Image) -> bool:
    """Whether a photo shows nothing at all: blank, or all black. Cloth that fills one has folds and light."""
    small = np.asarray(photo.convert("RGB").resize((32, 32), Image.Resampling.BOX), dtype=np.int16)
    return bool(np.abs(small - np.median(small, axis=(0, 1))).max() <= _NOTHING_VARIES)


def as_input(square: Image.Image) -> NDArray[np.float32]:
    """Pixels in the range and order the EfficientNet-Lite weights were trained with: (value - 127) / 128,
    CHW.
    """
    pixels = np.asarray(square, dtype=np.float32)
    return np.ascontiguousarray(((pixels - 127.0) / 128.0).transpose(2, 0, 1))


def views_of(photo: Image.Image, side: int, *, count: int = 3) -> NDArray[np.float32]:
    """The first `count` views of a working copy, shape (count, 3, side, side): mild crop, its mirror image,
    centre.
    """
    width, height = photo.size
    short = min(width, height)
    mild = _square(photo, min(width, short * _LONGEST_ASPECT), min(height, short * _LONGEST_ASPECT), side)
    views = [mild]
    if count > 1:
        views.append(mild.transpose(Image.Transpose.FLIP_LEFT_RIGHT))
    if count > 2:
        views.append(_square(photo, short * _CENTRE_SHARE, short * _CENTRE_SHARE, side))
    return np.stack([as_input(view) for view in views])


def _square(photo: Image.Image, width: float, height: float, side: int) -> Image.Image:
    """The centre of the photo, `width` x `height` pixels of it, as a square."""
    left, top = (photo.width - width) / 2, (photo.height - height) / 2
    return photo.resize(
        (side, side), Image.Resampling.BICUBIC, box=(left, top, left + width, top + height), reducing_gap=2.0
    )
