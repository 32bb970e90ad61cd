"""How likely a photo shows what a marketplace must not show: Yahoo's open_nsfw (BSD-2-Clause).

The weights are `models_data/open_nsfw.onnx`, made by `training/unsafe_net.py`; nothing is downloaded.

The score orders photos for a moderator. It is no verdict: the net was trained on pornography, so swimwear and
skin score in the middle, and violence, weapons or minors are outside of what it knows.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from ai_suggestions.ondevice import sessions

REVIEW_FROM = 0.8
"""From here on a person should look. So it does at 1 of 500 photos of clothes by sellers."""

WEIGHTS = sessions.MODELS / "open_nsfw.onnx"

_VERSION = "open-nsfw-2"  # 1 were float32 weights; raise it with every change of the file
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
    """Of the weights: what was scored with others is scored anew."""
    return _VERSION


def read(photo: Image.Image) -> SafetyReading:
    """Score a photo of any mode and size (13 ms on one core). Raises FileNotFoundError without weights."""
    return SafetyReading(unsafe=round(score(photo, WEIGHTS), 4))


def score(photo: Image.Image, weights: Path) -> float:
    """What the net in the file `weights` says of a photo, 0-1. Raises FileNotFoundError without the file."""
    small = photo.convert("RGB").resize((_SIDE, _SIDE), Image.Resampling.BILINEAR)
    margin = (_SIDE - _CROP) // 2
    crop = np.asarray(small.crop((margin, margin, margin + _CROP, margin + _CROP)), dtype=np.float32)
    pixels = np.ascontiguousarray(crop[None, :, :, ::-1] - np.array(_MEAN_BGR, dtype=np.float32))
    (scores,) = sessions.run(weights, pixels, sessions.outputs_of(weights)).values()
    return float(scores[0][1])
