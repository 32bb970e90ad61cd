"""The labelled photos, their split by sender, and their augmentations as cached activations of the frozen
trunk.
"""

from __future__ import annotations

import csv
import math
import random
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, ImageEnhance
from sklearn.model_selection import StratifiedGroupKFold

from ai_suggestions.ondevice.views import as_input, views_of, working_copy
from ai_suggestions.training.network import EfficientNetLite

KINDS = (
    "t_shirt", "longsleeve", "pants", "shoes", "shirt", "dress", "outwear", "shorts", "hat", "skirt",
    "polo", "undershirt", "blazer", "hoodie", "body", "top", "blouse", "other",
)  # fmt: skip
"""The classes in the order of the model's outputs."""

_LABELS = {"T-Shirt": "t_shirt"}  # all others are the kind with a capital


@dataclass(frozen=True)
class LabelledPhoto:
    """A photo file, what it shows (index into KINDS), and who took it."""

    path: Path
    kind: int
    sender_id: str


def labelled_photos(folder: Path) -> list[LabelledPhoto]:
    """The photos of a folder with a labels.csv (columns file, label, sender_id), ordered by file name.

    Raises KeyError or ValueError for a label that is none of KINDS.
    """
    with (folder / "labels.csv").open(newline="", encoding="utf-8") as table:
        return sorted(
            (
                LabelledPhoto(
                    path=folder / row["file"],
                    kind=KINDS.index(_LABELS.get(row["label"], row["label"].lower())),
                    sender_id=row["sender_id"],
                )
                for row in csv.DictReader(table)
            ),
            key=lambda photo: photo.path.name,
        )


def folds(photos: Sequence[LabelledPhoto], count: int, seed: int) -> list[NDArray[np.intp]]:
    """`count` disjoint lists of indices; no sender is in two of them, each has nearly the same mix."""
    splitter = StratifiedGroupKFold(count, shuffle=True, random_state=seed)
    kinds = [photo.kind for photo in photos]
    senders = [photo.sender_id for photo in photos]
    return [held_out for _, held_out in splitter.split(kinds, kinds, senders)]


def _augmented(photo: Image.Image, side: int, chance: random.Random) -> NDArray[np.float32]:
    """One random variation: tilt ±12°, crop of 45-100 % of the area, mirror, brightness, contrast, tint."""
    width, height = photo.size
    area = width * height * chance.uniform(0.45, 1.0)
    aspect = math.exp(chance.uniform(math.log(0.72), math.log(1.39)))
    crop_width, crop_height = min(width, math.sqrt(area * aspect)), min(height, math.sqrt(area / aspect))
    left, top = chance.uniform(0, width - crop_width), chance.uniform(0, height - crop_height)
    box = (left, top, left + crop_width, top + crop_height)
    if chance.random() < 0.6:
        average = photo.resize((1, 1), Image.Resampling.BOX).getpixel((0, 0))
        photo = photo.rotate(chance.uniform(-12, 12), Image.Resampling.BILINEAR, fillcolor=average)
    square = photo.resize((side, side), Image.Resampling.BICUBIC, box=box, reducing_gap=2.0)
    if chance.random() < 0.5:
        square = square.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    square = ImageEnhance.Brightness(square).enhance(chance.uniform(0.75, 1.25))
    square = ImageEnhance.Contrast(square).enhance(chance.uniform(0.8, 1.2))
    square = ImageEnhance.Color(square).enhance(chance.uniform(0.6, 1.3))
    pixels = as_input(square)
    tint = np.array([chance.uniform(0.93, 1.07) for _ in range(3)], dtype=np.float32)
    tinted: NDArray[np.float32] = np.clip((pixels + 1) * tint[:, None, None] - 1, -1, 1)
    return tinted


def _activations(
    photos: Sequence[LabelledPhoto],
    net: EfficientNetLite,
    first_block: int,
    pixels_of: Callable[[int, Image.Image], NDArray[np.float32]],
) -> torch.Tensor:
    """Float16 activations before `first_block`, shape (photos, variations, channels, height, width)."""

    def load(index: int) -> NDArray[np.float32]:
        with Image.open(photos[index].path) as image:
            return pixels_of(index, working_copy(image))

    kept = torch.empty(0)
    with ThreadPoolExecutor(1) as loader, torch.inference_mode():
        for index, pixels in enumerate(loader.map(load, range(len(photos)))):
            batch = torch.from_numpy(pixels).contiguous(memory_format=torch.channels_last)
            with torch.autocast("cpu", dtype=torch.bfloat16):
                activations = net.trunk(batch, first_block).to(torch.float16)
            if index == 0:
                kept = torch.empty((len(photos), *activations.shape), dtype=torch.float16)
            kept[index] = activations
    return kept.clone()  # out of inference mode, so that training may use it


def augmented_activations(
    photos: Sequence[LabelledPhoto],
    net: EfficientNetLite,
    first_block: int,
    *,
    side: int,
    variations: int,
    seed: int,
) -> torch.Tensor:
    """What the frozen trunk sees of random variations of each photo (the same ones for the same seed)."""

    def pixels_of(index: int, photo: Image.Image) -> NDArray[np.float32]:
        chance = random.Random(f"{seed} {photos[index].path.name}")
        return np.stack([_augmented(photo, side, chance) for _ in range(variations)])

    return _activations(photos, net, first_block, pixels_of)


def view_activations(
    photos: Sequence[LabelledPhoto], net: EfficientNetLite, first_block: int, *, side: int
) -> torch.Tensor:
    """What the frozen trunk sees of the three views that the service takes of each photo."""
    return _activations(photos, net, first_block, lambda _, photo: views_of(photo, side))
