"""How well near-duplicates are told: photos edited as people edit them, and photos that are different."""

from __future__ import annotations

import csv
import io
import random
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageEnhance

from ai_suggestions.evaluation.figures import Share
from ai_suggestions.ondevice import fingerprints
from ai_suggestions.ondevice.fingerprints import Fingerprint
from ai_suggestions.ondevice.views import opened

Edit = Callable[[Image.Image, random.Random], Image.Image]
# After its edit a picture is uploaded, which encodes it once more.
_UPLOAD_QUALITY = 85


def _encoded(photo: Image.Image, quality: int) -> bytes:
    buffer = io.BytesIO()
    photo.save(buffer, "JPEG", quality=quality)
    return buffer.getvalue()


def _recompressed(photo: Image.Image, _: random.Random) -> Image.Image:
    return Image.open(io.BytesIO(_encoded(photo, 40))).convert("RGB")


def _cropped(share: float) -> Edit:
    """Without `share` of width and of height, somewhere."""

    def crop(photo: Image.Image, chance: random.Random) -> Image.Image:
        width, height = round(photo.width * (1 - share)), round(photo.height * (1 - share))
        left, top = chance.randint(0, photo.width - width), chance.randint(0, photo.height - height)
        return photo.crop((left, top, left + width, top + height))

    return crop


def _framed(photo: Image.Image, _: random.Random) -> Image.Image:
    """A screenshot: bars above and below, a margin on both sides."""
    screen = Image.new("RGB", (round(photo.width * 1.08), round(photo.height * 1.35)), (245, 245, 245))
    screen.paste(photo, (round(photo.width * 0.04), round(photo.height * 0.15)))
    return screen


EDITS: Mapping[str, Edit] = {
    "reencoded": _recompressed,
    "half_size": lambda photo, _: photo.resize((photo.width // 2, photo.height // 2)),
    "mirrored": lambda photo, _: photo.transpose(Image.Transpose.FLIP_LEFT_RIGHT),
    "crop_10": _cropped(0.10),
    "crop_25": _cropped(0.25),
    "brightness": lambda photo, chance: ImageEnhance.Brightness(photo).enhance(chance.choice((0.75, 1.3))),
    "rotated_4_degrees": lambda photo, chance: photo.rotate(
        chance.choice((-4, 4)), resample=Image.Resampling.BICUBIC, fillcolor="white"
    ),
    "screenshot": _framed,
}
"""What people do to a picture; crops take that share of each side away."""


@dataclass(frozen=True, slots=True)
class Photo:
    """A file, and who took it (empty: nobody said)."""

    path: Path
    sender_id: str


def read_photos(folder: Path, *, limit: int) -> list[Photo]:
    """Photos of a labelled folder (labels.csv: file, sender_id), always the same ones.

    Raises OSError, KeyError.
    """
    with (folder / "labels.csv").open(newline="", encoding="utf-8") as table:
        rows = sorted((row["file"], row.get("sender_id") or "") for row in csv.DictReader(table))
    random.Random(7).shuffle(rows)  # noqa: S311  # a fixed order that no name decides
    return [Photo(folder / file, sender_id) for file, sender_id in rows[:limit]]


@dataclass(frozen=True, slots=True)
class Recall:
    """Of photos with one edit: called the same picture, and found through the index at all."""

    as_strangers: Share
    as_own: Share
    through_keys: Share  # of those called the same, as strangers

    def as_json(self) -> dict[str, Any]:
        return {
            "n": self.as_strangers.n,
            "other_seller": _rounded(self.as_strangers),
            "same_seller": _rounded(self.as_own),
            "found_through_index": _rounded(self.through_keys),
        }


def _rounded(share: Share) -> float | None:
    return None if share.value is None else round(share.value, 4)


def measured(photos: Sequence[Photo], *, edited: int, say: Callable[[str], None]) -> dict[str, Any]:
    """All figures; the first `edited` photos are edited, all are compared with each other."""
    seconds: list[float] = []

    def read(content: bytes) -> Fingerprint:
        began = time.perf_counter()
        found, _ = fingerprints.read(opened(content))
        seconds.append(time.perf_counter() - began)
        return found

    originals = []
    for place, photo in enumerate(photos):
        originals.append(read(photo.path.read_bytes()))
        if place % 200 == 199:
            say(f"{place + 1} of {len(photos)} photos read")
    recalls = {
        name: _recall(name, edit, photos[:edited], originals[:edited], read) for name, edit in EDITS.items()
    }
    milliseconds = np.array(seconds) * 1000
    return {
        "version": fingerprints.version(),
        "photos": len(photos),
        "edits": {name: recall.as_json() for name, recall in recalls.items()},
        "different_photos": _false_pairs(photos, originals),
        "candidates_per_photo": _candidates(originals),
        "ms_per_photo": {
            "p50": round(float(np.quantile(milliseconds, 0.5)), 1),
            "p95": round(float(np.quantile(milliseconds, 0.95)), 1),
        },
    }


def _recall(
    name: str,
    edit: Edit,
    photos: Sequence[Photo],
    originals: Sequence[Fingerprint],
    read: Callable[[bytes], Fingerprint],
) -> Recall:
    strangers = own = indexed = 0
    for photo, original in zip(photos, originals, strict=True):
        chance = random.Random(f"{name} {photo.path.name}")  # noqa: S311  # the same edit every time
        with Image.open(photo.path) as picture:
            found = read(_encoded(edit(picture.convert("RGB"), chance), _UPLOAD_QUALITY))
        how = fingerprints.likeness(found, original)
        own += how.is_same_picture(same_seller=True)
        if how.is_same_picture(same_seller=False):
            strangers += 1
            indexed += bool(set(fingerprints.keys_near(found)) & set(fingerprints.keys_of(original)))
    n = len(photos)
    return Recall(Share(strangers, n), Share(own, n), Share(indexed, strangers))


def _false_pairs(photos: Sequence[Photo], originals: Sequence[Fingerprint]) -> dict[str, dict[str, int]]:
    """All pairs of different photos, by whether one person took both, and how many are called the same."""
    embeddings = np.stack([found.embedding for found in originals])
    counts = {"other_seller": {"pairs": 0, "alike": 0}, "same_seller": {"pairs": 0, "alike": 0}}
    for place in range(1, len(photos)):
        near = embeddings[:place] @ embeddings[place] >= fingerprints.NOT_UNLIKE_FROM
        for before in range(place):
            same = bool(photos[place].sender_id) and photos[place].sender_id == photos[before].sender_id
            count = counts["same_seller" if same else "other_seller"]
            count["pairs"] += 1
            if near[before]:
                how = fingerprints.likeness(originals[place], originals[before])
                count["alike"] += how.is_same_picture(same_seller=same)
    return counts


def _candidates(originals: Sequence[Fingerprint]) -> float:
    """How many other photos a look-up compares with, on average: what it costs beside the index."""
    buckets: dict[int, set[int]] = {}
    for place, found in enumerate(originals):
        for key in fingerprints.keys_of(found):
            buckets.setdefault(key, set()).add(place)
    sizes = [
        len(set().union(*(buckets.get(key, ()) for key in fingerprints.keys_near(found)))) - 1
        for found in originals
    ]
    return round(float(np.mean(sizes)), 3)
