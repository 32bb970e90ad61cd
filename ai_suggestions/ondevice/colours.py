"""Which palette colours the thing on a photo has.

Every pixel has the nearest palette colour in CIE Lab. Three shares of each colour speak for or against it:
of the thing, which GrabCut (Rother et al., 2004) separates from what fills the borders; of the photo's
middle, for when that separation fails; and of the photo's rim, where the background is. A softmax over their
logarithms, with three weights fitted on labelled photos, makes probabilities of them. White balance is left
alone: it was measured to make things worse. Figures, and what was tried: `models_data/MODEL_CARD.md`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ai_suggestions.ondevice.views import is_of_one_colour

RULES_VERSION = "colours-4"
VARIOUS = "various"
"""The palette's name for things of many colours."""

_SIDE = 160  # pixels of the working copy; larger changes no answer and costs time
_LEAST_THING, _MOST_THING = 0.06, 0.92  # share of the photo; outside of it the separation failed
_WHITE = 94.0  # the brightest parts of a dim photo are lifted to this lightness,
_MOST_EXPOSURE = 1.35  # by at most this factor
_CHROMA = 1.2  # rooms are lit dimly and phones make cloth paler than people remember it
_DARKER_COUNTS = 0.65  # lightness weighs less than hue: folds and shade change only lightness
_LAST_GREY = 4.0  # Lab units by which grey has to be nearer: people say grey when nothing else fits
_MIDDLE = 0.18  # standard deviation of the weight of the middle, as a share of width and height
_RIM = 12  # the rim is this part of the shorter side
_NEVER_ZERO = 0.02  # added to shares before their logarithm
# Fitted by maximum likelihood on 140 photos: 80 of colours.csv, 60 (`fit`) of training/colours_seen.csv.
_THING_SPEAKS, _MIDDLE_SPEAKS, _RIM_SPEAKS = 0.54, 1.98, -0.81

_SHADE = 0.5  # of lightness, where two colours of one thing are compared: a fold is a shade of the same cloth
_ANOTHER = 25.0  # Lab units from which on a second colour is no shade of the first
_SECOND_FROM = 0.10  # share of the thing from which on a second colour is named
_MANY, _MANY_FROM, _MANY_APART = 4, 0.06, 20.0  # so many colours, this large, this far apart are "various"
_MOST_MAIN = 0.5  # no such thing has a main colour
_SURELY_VARIOUS = 0.5  # 3 of the 4 such photos among those 140 were accepted as various

_PROTOTYPES = MappingProxyType(
    {
        "apricot": ("F7C09B", "F2B48C"),
        "black": ("151515", "252527", "303033"),
        "blue": ("2D62B3", "3A5A90", "4A6FA5", "1F4E9E", "2F6FD0", "5B7FAE"),
        "body": ("E3C1A4", "D2B59A", "C8AD92", "B89F86"),
        "brown": ("70472B", "553726", "8A5F3E", "4A342A", "967053", "B07A4E", "A2653A"),
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
class LikelyColour:
    """A palette colour and the probability (0-1) that it is the thing's main one."""

    colour: str
    probability: float


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

    `chosen` are the one or two palette colours to name, main colour first, or `various` alone. `likely` are
    the candidates for the main colour, most likely first; the probabilities are not calibrated yet
    (`steps.attributes` does it). `separated` is False when thing and background could not be told apart: then
    the middle of the photo was measured and `box` is that middle. Of a photo of one colour all over nothing
    is said: no thing is to be seen that could have it.
    """

    chosen: tuple[str, ...]
    likely: tuple[LikelyColour, ...]
    box: ThingBox
    separated: bool


def read(photo: Image.Image) -> ColourReading:
    """The colours of the thing on a photo of any size and mode. Deterministic."""
    small = photo.convert("RGB")
    small.thumbnail((_SIDE, _SIDE), Image.Resampling.BOX)
    rgb = np.ascontiguousarray(np.asarray(small))
    if min(rgb.shape[:2]) < 16:
        rgb = np.ascontiguousarray(np.asarray(small.resize((32, 32), Image.Resampling.NEAREST)))
    if is_of_one_colour(small):
        return ColourReading((), (), _box(_middle(rgb.shape[:2])), separated=False)
    lab = _lab(rgb)
    thing = _thing(rgb, lab)
    separated = _LEAST_THING <= float(thing.mean()) <= _MOST_THING
    if not separated:
        thing = _middle(thing.shape)
    brightest = max(float(np.percentile(lab[:, :, 0], 98)), 1.0)
    exposure = min(_MOST_EXPOSURE, max(1.0, _WHITE / brightest))
    lab = lab * np.array([exposure, _CHROMA, _CHROMA], dtype=np.float32)
    named = _nearest(lab)
    of_thing, of_middle, of_rim = (
        _shares(named, weight) for weight in (thing, *_middle_and_rim(thing.shape))
    )
    speaks = (
        _THING_SPEAKS * np.log(of_thing + _NEVER_ZERO)
        + _MIDDLE_SPEAKS * np.log(of_middle + _NEVER_ZERO)
        + _RIM_SPEAKS * np.log(of_rim + _NEVER_ZERO)
    )
    raised = np.exp(speaks - speaks.max())
    probabilities = raised / raised.sum()
    likely = sorted(
        zip(_COLOURS, probabilities.tolist(), strict=True), key=lambda entry: (-entry[1], entry[0])
    )
    means = {i: lab[thing & (named == i)].mean(axis=0) for i in np.unique(named[thing]).tolist()}
    if of_thing.max() < _MOST_MAIN and _many(of_thing, means):
        likely = [(VARIOUS, _SURELY_VARIOUS), *((c, p * (1 - _SURELY_VARIOUS)) for c, p in likely)]
        chosen: tuple[str, ...] = (VARIOUS,)
    else:
        # What only the separation or only the middle sees is probably background.
        shares = np.minimum(of_thing, 1.5 * of_middle) * (of_middle + of_thing > of_rim)
        chosen = (likely[0][0], *_second(_COLOURS.index(likely[0][0]), shares, means))
    return ColourReading(
        chosen=chosen,
        likely=tuple(LikelyColour(colour, round(p, 4)) for colour, p in likely if p >= 0.005),
        box=_box(thing),
        separated=separated,
    )


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
    if not unlike_border.any():
        # Nothing stands out. GrabCut would take seconds to find that.
        return np.zeros((height, width), dtype=bool)
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
    import cv2

    pixels = np.ascontiguousarray(pixels, dtype=np.float32)
    stop = (cv2.TERM_CRITERIA_EPS + cv2.TERM_CRITERIA_MAX_ITER, 12, 0.5)
    cv2.setRNGSeed(7)
    start = np.zeros((len(pixels), 1), dtype=np.int32)
    _, _, centres = cv2.kmeans(pixels, min(count, len(pixels)), start, stop, 1, cv2.KMEANS_PP_CENTERS)
    return np.asarray(centres, dtype=np.float32)


_COLOURS = tuple(sorted(_PROTOTYPES))


@cache
def _palette() -> tuple[NDArray[np.intp], NDArray[np.float32], NDArray[np.float32]]:
    """(index of each prototype's colour, their weighted Lab values, what is added to the distance)."""
    owners = np.array([_COLOURS.index(name) for name, examples in _PROTOTYPES.items() for _ in examples])
    values = [bytes.fromhex(example) for examples in _PROTOTYPES.values() for example in examples]
    lab = _lab(np.array([[list(value) for value in values]], dtype=np.uint8))[0]
    handicap = np.where(owners == _COLOURS.index("grey"), _LAST_GREY, 0.0).astype(np.float32)
    return owners, lab * _hue_first(_DARKER_COUNTS), handicap


def _hue_first(lightness: float) -> NDArray[np.float32]:
    return np.array([lightness, 1.0, 1.0], dtype=np.float32)


def _nearest(lab: NDArray[np.float32]) -> NDArray[np.intp]:
    """For each pixel the index of its palette colour."""
    owners, prototypes, handicap = _palette()
    pixels = (lab * _hue_first(_DARKER_COUNTS)).reshape(-1, 3)
    squared = (pixels**2).sum(axis=1)[:, None] - 2 * pixels @ prototypes.T + (prototypes**2).sum(axis=1)
    distance = np.sqrt(np.maximum(squared, 0.0)) + handicap
    return np.asarray(owners[distance.argmin(axis=1)].reshape(lab.shape[:2]), dtype=np.intp)


def _shares(named: NDArray[np.intp], weight: NDArray[Any]) -> NDArray[np.float64]:
    """The share of each palette colour in a weighted part of the photo."""
    sums = np.bincount(named.ravel(), weights=weight.ravel().astype(float), minlength=len(_COLOURS))
    return np.asarray(sums / max(float(sums.sum()), 1e-9), dtype=np.float64)


def _middle_and_rim(shape: tuple[int, ...]) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    height, width = shape
    rows, columns = np.mgrid[0:height, 0:width]
    far = ((rows - height / 2) / height) ** 2 + ((columns - width / 2) / width) ** 2
    edge = max(2, min(height, width) // _RIM)
    rim = np.ones(shape, dtype=bool)
    rim[edge : height - edge, edge : width - edge] = False
    return np.exp(-far / (2 * _MIDDLE**2)), rim


def _apart(one: NDArray[np.float32], other: NDArray[np.float32]) -> float:
    return float(np.linalg.norm((one - other) * _hue_first(_SHADE)))


def _second(
    first: int, shares: NDArray[np.float64], means: Mapping[int, NDArray[np.float32]]
) -> tuple[str, ...]:
    """The largest other colour of the thing that is no shade of the first one."""
    if first not in means:
        return ()
    others = [
        index
        for index, mean in means.items()
        if index != first and shares[index] >= _SECOND_FROM and _apart(mean, means[first]) >= _ANOTHER
    ]
    return (_COLOURS[max(others, key=lambda index: shares[index])],) if others else ()


def _many(shares: NDArray[np.float64], means: Mapping[int, NDArray[np.float32]]) -> bool:
    """Whether there are many colours, none a shade of another."""
    kept: list[NDArray[np.float32]] = []
    for index in sorted(means, key=lambda index: -shares[index]):
        if shares[index] >= _MANY_FROM and all(_apart(means[index], mean) >= _MANY_APART for mean in kept):
            kept.append(means[index])
    return len(kept) >= _MANY


def _box(thing: NDArray[np.bool_]) -> ThingBox:
    height, width = thing.shape
    rows, columns = np.flatnonzero(thing.any(axis=1)), np.flatnonzero(thing.any(axis=0))
    return ThingBox(
        left=round(float(columns[0]) / width, 4),
        top=round(float(rows[0]) / height, 4),
        width=round(float(columns[-1] + 1 - columns[0]) / width, 4),
        height=round(float(rows[-1] + 1 - rows[0]) / height, 4),
    )
