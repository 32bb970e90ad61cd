"""Which palette colours the thing on a photo has.

Four steps: what fills the borders is probably background; GrabCut (Rother et al., 2004) separates the thing
from it; k-means in CIE Lab finds its colours; each votes with its share of the pixels for the nearest palette
colour. White balance is left alone: it was measured to make things worse.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray
from PIL import Image

RULES_VERSION = "colours-1"
VARIOUS = "various"
"""The palette's name for things of many colours."""

_SIDE = 160  # pixels of the working copy; larger changes no answer and costs time
_CLUSTERS = 6
_SECOND_FROM = 0.22  # share of the thing from which on a second colour is named
_MANY_FROM = 0.10  # share from which on a colour counts for "various"
_MANY = 4  # so many such colours are "various"
_LEAST_THING, _MOST_THING = 0.06, 0.92  # share of the photo; outside of it the separation failed
_UNCOLOURED = frozenset(
    {"black", "grey", "white", "cream", "body", "brown"}
)  # folds of one cloth show several
_DARKER_COUNTS = 0.65  # lightness weighs less than hue: folds and shade change only lightness
_WHITE, _MOST_EXPOSURE = (
    94.0,
    1.2,
)  # the brightest parts of a dim photo are lifted to this lightness, within limits

_PROTOTYPES = MappingProxyType(
    {
        "apricot": ("F7C09B", "F2B48C"),
        "black": ("151515", "252527", "303033"),
        "blue": ("2D62B3", "3A5A90", "4A6FA5", "1F4E9E", "2F6FD0", "5B7FAE"),
        "body": ("E3C1A4", "D2B59A", "C8AD92", "B89F86"),
        "brown": ("70472B", "553726", "8A5F3E", "4A342A", "967053"),
        "burgundy": ("6D1A2F", "551A28", "7C2438", "4B1521"),
        "coral": ("F2735A", "E96A62", "F0846E"),
        "cream": ("F5EBD3", "E8DCC0", "DFD3B8"),
        "dark-green": ("1F4A36", "26402F", "2E4A3D"),
        "green": ("3F9150", "5AA04A", "2E7D46", "6E9A4E"),
        "grey": ("8B8D8F", "6A6C6F", "A6A6A6", "55585C", "BAB9B7"),
        "khaki": ("7C7A4F", "6A6845", "8F8B63", "55563A"),
        "light-blue": ("9CC8E8", "8AB2DA", "A9C4DC", "7FA8CF"),
        "lilac": ("BFA3D6", "A894C4", "CBB8DA"),
        "mint": ("A7DCC4", "B5DFCF", "8FCDB4"),
        "mustard": ("CF9F2C", "B98A26", "D6A93B"),
        "navy": ("1C2747", "232B40", "1A2036", "2A3556"),
        "orange": ("EB7A24", "F08C3A", "D9642A"),
        "pink": ("E98FB2", "E4679A", "D94F88", "E57BA5"),
        "purple": ("6E3B8C", "54305F", "7F4FA0", "5A3A78"),
        "red": ("C3272B", "D93A3A", "A8232A", "B5303A"),
        "rose": ("EFC4C9", "E3B4B8", "D9A9AE"),
        "turquoise": ("35AEB0", "2A8F98", "5CC0BF"),
        "white": ("FAFAF7", "ECECEC", "DDDEE0", "D0D2D6"),
        "yellow": ("F3D33C", "F5E06A", "E8C52E"),
    }
)
"""sRGB examples of each palette colour under indoor light; the first is the palette's own. Ours, chosen by
eye.

Gold and silver are missing: they are a finish, and a flat colour does not show it. Various is a count, not a
colour.
"""


@dataclass(frozen=True, slots=True)
class ColourShare:
    """A palette colour and the share (0-1) of the thing that has it."""

    colour: str
    share: float


@dataclass(frozen=True, slots=True)
class ThingBox:
    """Where the thing is: shares (0-1) of the photo's width and height, from its top left corner."""

    left: float
    top: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class ColourReading:
    """The colours of the thing on one photo.

    `chosen` are the one or two palette colours to name, main colour first, or `various` alone. `shares` are
    all votes, largest first, summing to 1. `separated` is False when thing and background could not be told
    apart: then the middle of the photo was measured and `box` is that middle.
    """

    chosen: tuple[str, ...]
    shares: tuple[ColourShare, ...]
    box: ThingBox
    separated: bool


def read(photo: Image.Image) -> ColourReading:
    """The colours of the thing on a photo of any size and mode. Deterministic."""
    small = photo.convert("RGB")
    small.thumbnail((_SIDE, _SIDE), Image.Resampling.BOX)
    rgb = np.ascontiguousarray(np.asarray(small))
    if min(rgb.shape[:2]) < 16:
        rgb = np.ascontiguousarray(np.asarray(small.resize((32, 32), Image.Resampling.NEAREST)))
    lab = _lab(rgb)
    thing = _thing(rgb, lab)
    brightest = max(float(np.percentile(lab[:, :, 0], 98)), 1.0)
    lab = lab * np.array([min(_MOST_EXPOSURE, max(1.0, _WHITE / brightest)), 1.0, 1.0], dtype=np.float32)
    share = float(thing.mean())
    separated = _LEAST_THING <= share <= _MOST_THING
    if not separated:
        thing = _middle(thing.shape)
    votes = _votes(lab, thing)
    shares = tuple(
        ColourShare(colour, round(vote, 4))
        for colour, vote in sorted(votes.items(), key=lambda v: (-v[1], v[0]))
    )
    return ColourReading(chosen=_chosen(shares), shares=shares, box=_box(thing), separated=separated)


def nameable() -> frozenset[str]:
    """Every colour that `read` may name."""
    return frozenset({*_PROTOTYPES, VARIOUS})


def _lab(rgb: NDArray[np.uint8]) -> NDArray[np.float32]:
    """CIE Lab of sRGB pixels: L 0-100, a and b about ±100."""
    import cv2

    return np.asarray(cv2.cvtColor(rgb.astype(np.float32) / 255.0, cv2.COLOR_RGB2Lab), dtype=np.float32)


def _middle(shape: tuple[int, ...]) -> NDArray[np.bool_]:
    middle = np.zeros(shape, dtype=bool)
    height, width = shape
    middle[height // 4 : height - height // 4, width // 4 : width - width // 4] = True
    return middle


def _thing(rgb: NDArray[np.uint8], lab: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Pixels of the thing, by GrabCut started from the colours of the photo's borders."""
    import cv2

    height, width = rgb.shape[:2]
    edge = max(2, min(height, width) // 25)
    border = np.ones((height, width), dtype=bool)
    border[edge : height - edge, edge : width - edge] = False
    centres = _centres(lab[border], 4)
    distance = np.linalg.norm(lab[:, :, None, :] - centres, axis=-1).min(axis=-1)
    rows, columns = np.mgrid[0:height, 0:width]
    from_centre = np.hypot((rows - height / 2) / height, (columns - width / 2) / width)
    unlike_border = distance > max(10.0, float(np.percentile(distance[border], 80)))
    mask = np.full((height, width), cv2.GC_PR_BGD, dtype=np.uint8)
    mask[unlike_border | (from_centre < 0.18)] = cv2.GC_PR_FGD
    mask[border & ~unlike_border] = cv2.GC_BGD
    mask[from_centre > 0.62] = cv2.GC_BGD
    cv2.setRNGSeed(7)
    try:
        background, foreground = np.zeros((1, 65)), np.zeros((1, 65))
        cv2.grabCut(
            rgb[:, :, ::-1].copy(), mask, (0, 0, 1, 1), background, foreground, 3, cv2.GC_INIT_WITH_MASK
        )
    except cv2.error:  # a photo of one colour has no two sides to tell apart
        return np.zeros((height, width), dtype=bool)
    thing: NDArray[np.bool_] = (mask == cv2.GC_FGD) | (mask == cv2.GC_PR_FGD)
    return _largest(thing)


def _largest(thing: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The largest connected part, its rim (mixed with the background) taken off."""
    import cv2

    count, labels, stats, _ = cv2.connectedComponentsWithStats(thing.astype(np.uint8))
    if count < 2:
        return thing
    largest = labels == 1 + int(np.argmax(stats[1:, cv2.CC_STAT_AREA]))
    inner = cv2.erode(largest.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    return inner if inner.mean() >= _LEAST_THING else largest


def _centres(pixels: NDArray[np.float32], count: int) -> NDArray[np.float32]:
    """Cluster centres of Lab pixels, by k-means from fixed seeds."""
    return _clusters(pixels, count)[0]


def _clusters(pixels: NDArray[np.float32], count: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """(centres, shares) of Lab pixels, by k-means from fixed seeds."""
    import cv2

    pixels = np.ascontiguousarray(pixels, dtype=np.float32)
    count = min(count, len(pixels))
    stop = (cv2.TERM_CRITERIA_EPS + cv2.TERM_CRITERIA_MAX_ITER, 12, 0.5)
    cv2.setRNGSeed(7)
    start = np.zeros((len(pixels), 1), dtype=np.int32)
    _, labels, centres = cv2.kmeans(pixels, count, start, stop, 1, cv2.KMEANS_PP_CENTERS)
    shares = np.bincount(np.asarray(labels).ravel(), minlength=count) / len(pixels)
    return np.asarray(centres, dtype=np.float32), shares.astype(np.float32)


def _palette() -> tuple[tuple[str, ...], NDArray[np.float32]]:
    """(colour of each prototype, their Lab values)."""
    names = tuple(name for name, examples in _PROTOTYPES.items() for _ in examples)
    values = [bytes.fromhex(example) for examples in _PROTOTYPES.values() for example in examples]
    return names, _lab(np.array([[list(value) for value in values]], dtype=np.uint8))[0]


def _votes(lab: NDArray[np.float32], thing: NDArray[np.bool_]) -> dict[str, float]:
    """Share of the thing for each palette colour that some cluster is nearest to."""
    centres, shares = _clusters(lab[thing], _CLUSTERS)
    names, prototypes = _palette()
    weight = np.array([_DARKER_COUNTS, 1.0, 1.0], dtype=np.float32)
    votes: dict[str, float] = {}
    for centre, share in zip(centres, shares.tolist(), strict=True):
        nearest = int(np.linalg.norm((prototypes - centre) * weight, axis=1).argmin())
        votes[names[nearest]] = votes.get(names[nearest], 0.0) + share
    return votes


def _chosen(shares: tuple[ColourShare, ...]) -> tuple[str, ...]:
    """One colour, two when the second is large, `various` when there are many."""
    many = {entry.colour for entry in shares if entry.share >= _MANY_FROM}
    if len(many) >= _MANY and len(many - _UNCOLOURED) >= 2 and shares[0].share < 0.5:
        return (VARIOUS,)
    second = [entry.colour for entry in shares[1:2] if entry.share >= _SECOND_FROM]
    return (shares[0].colour, *second)


def _box(thing: NDArray[np.bool_]) -> ThingBox:
    height, width = thing.shape
    rows, columns = np.flatnonzero(thing.any(axis=1)), np.flatnonzero(thing.any(axis=0))
    return ThingBox(
        left=round(float(columns[0]) / width, 4),
        top=round(float(rows[0]) / height, 4),
        width=round(float(columns[-1] + 1 - columns[0]) / width, 4),
        height=round(float(rows[-1] + 1 - rows[0]) / height, 4),
    )
