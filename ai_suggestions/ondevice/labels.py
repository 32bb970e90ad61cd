"""Text on photos: which photos look like labels, and what stands on them.

A quick look for text at low resolution decides whether a photo is worth reading, so that plain garments cost
a tenth of a second. Reading stops at a budget. What the words mean is decided in `label_facts`, not here.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from typing import TYPE_CHECKING, cast

import numpy as np
from numpy.typing import NDArray
from PIL import Image

if TYPE_CHECKING:
    from rapidocr import RapidOCR

_LOOK_SIDE = 416  # pixels; text of a label that fills a third of the photo is still found
_READ_SIDE = 1280  # pixels; the smallest print that phones photograph legibly
_PROBES = 4  # lines that are tried before the photo is read in full
_MOST_LINES = 40  # a care label in twelve languages says the same thing twelve times
_LEAST_CONFIDENCE = 0.6  # of a line; below it the words are guesses

_reading = threading.Lock()  # the engine keeps per-call settings on itself


@dataclass(frozen=True, slots=True)
class TextBox:
    """Where text stands: shares (0-1) of the photo's width and height, from its top left corner."""

    left: float
    top: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class TextLine:
    """A line of text as read, with the reader's confidence (0-1)."""

    text: str
    confidence: float
    box: TextBox


@dataclass(frozen=True, slots=True)
class LabelReading:
    """What reading one photo gave, top line first.

    `has_text` is False when the quick look found none: nothing was read. `complete` is False when the budget
    ended the reading; the lines are those read until then, largest print first read.
    """

    has_text: bool
    complete: bool
    lines: tuple[TextLine, ...]


def model_version() -> str:
    """Of the reading models; they come inside the rapidocr wheel."""
    return f"rapidocr-{version('rapidocr')}"


def read(photo: Image.Image, *, budget_s: float) -> LabelReading:
    """Read the text on a photo within about `budget_s` seconds.

    The budget is looked at between lines; finding the lines (0.1-0.4 s on one core) cannot be interrupted.
    """
    ends_at = time.monotonic() + budget_s
    small = _pixels(photo, _LOOK_SIDE)
    found = _boxes(small)
    if not found:
        return LabelReading(has_text=False, complete=True, lines=())
    if time.monotonic() >= ends_at:
        return LabelReading(has_text=True, complete=False, lines=())
    pixels = _pixels(photo, _READ_SIDE)
    scale = max(pixels.shape[:2]) / max(small.shape[:2])
    if not _any_words(pixels, [corners * scale for corners in found]):
        return LabelReading(has_text=False, complete=True, lines=())
    height, width = pixels.shape[:2]
    lines: list[TextLine] = []
    complete = True
    corners = sorted(_boxes(pixels), key=_print_height, reverse=True)
    for corner in corners[:_MOST_LINES]:
        if time.monotonic() >= ends_at:
            complete = False
            break
        text, confidence = _recognised(_straightened(pixels, corner))
        if text and confidence >= _LEAST_CONFIDENCE:
            lines.append(TextLine(text, confidence, _box(corner, width, height)))
    lines.sort(key=lambda line: (round(line.box.top, 2), line.box.left))
    return LabelReading(has_text=True, complete=complete and len(corners) <= _MOST_LINES, lines=tuple(lines))


def _any_words(pixels: NDArray[np.uint8], found: list[NDArray[np.float32]]) -> bool:
    """Whether the largest lines of the quick look are words; folds look like lines, but read as none."""
    for corner in sorted(found, key=_print_height, reverse=True)[:_PROBES]:
        text, confidence = _recognised(_straightened(pixels, corner))
        if confidence >= _LEAST_CONFIDENCE and sum(char.isalnum() for char in text) >= 2:
            return True
    return False


def _pixels(photo: Image.Image, side: int) -> NDArray[np.uint8]:
    """The photo as BGR with its longest side at most `side`."""
    small = photo.convert("RGB")
    small.thumbnail((side, side), Image.Resampling.BICUBIC, reducing_gap=2.0)
    return np.ascontiguousarray(np.asarray(small)[:, :, ::-1])


@cache
def _engine() -> RapidOCR:
    # Imported here: the web process imports this module for its types and must not load OpenCV and a runtime.
    from rapidocr import RapidOCR

    return RapidOCR(
        params={
            "Global.log_level": "critical",
            "Det.limit_type": "max",
            "Det.limit_side_len": _READ_SIDE,
            "Rec.rec_batch_num": 1,
            "EngineConfig.onnxruntime.intra_op_num_threads": 1,
            "EngineConfig.onnxruntime.inter_op_num_threads": 1,
        }
    )


def _boxes(pixels: NDArray[np.uint8]) -> list[NDArray[np.float32]]:
    """Four corners (x, y) of each line of text found."""
    with _reading:
        found = _engine()(pixels, use_det=True, use_cls=False, use_rec=False)
    boxes = getattr(found, "boxes", None)
    return [] if boxes is None else [np.asarray(box, dtype=np.float32) for box in boxes]


def _recognised(line: NDArray[np.uint8]) -> tuple[str, float]:
    """The words of one line and how sure the reader is; upside-down lines are turned."""
    with _reading:
        found = _engine()(line, use_det=False, use_cls=True, use_rec=True)
    texts, scores = getattr(found, "txts", None), getattr(found, "scores", None)
    if not texts or not scores:
        return "", 0.0
    return cast(str, texts[0]).strip(), float(scores[0])


def _straightened(pixels: NDArray[np.uint8], corners: NDArray[np.float32]) -> NDArray[np.uint8]:
    """The quadrilateral as an upright rectangle; a line that runs downwards is turned to run to the right."""
    import cv2

    width = int(max(_distance(corners, 0, 1), _distance(corners, 2, 3), 2.0))
    height = int(max(_distance(corners, 0, 3), _distance(corners, 1, 2), 2.0))
    target = np.array([[0, 0], [width, 0], [width, height], [0, height]], dtype=np.float32)
    warp = cv2.getPerspectiveTransform(corners, target)
    line = cv2.warpPerspective(pixels, warp, (width, height), borderMode=cv2.BORDER_REPLICATE)
    return np.ascontiguousarray(np.rot90(line) if height >= 1.5 * width else line).astype(np.uint8)


def _print_height(corners: NDArray[np.float32]) -> float:
    return min(_distance(corners, 0, 3), _distance(corners, 0, 1))


def _distance(corners: NDArray[np.float32], one: int, other: int) -> float:
    return float(np.linalg.norm(corners[one] - corners[other]))


def _box(corners: NDArray[np.float32], width: int, height: int) -> TextBox:
    left, top = (float(v) for v in np.clip(corners.min(axis=0), 0, (width, height)))
    right, bottom = (float(v) for v in np.clip(corners.max(axis=0), 0, (width, height)))
    return TextBox(
        left=round(left / width, 4),
        top=round(top / height, 4),
        width=round((right - left) / width, 4),
        height=round((bottom - top) / height, 4),
    )
