"""Which kind of thing a photo shows: one of 17 garments, or a thing of another department.

A net looks at three views of each photo. Its garment heads were trained on sellers' photos; the object head
is the published ImageNet head, whose classes `imagenet_kinds.csv` maps to kinds. Confidences are calibrated
(temperature scaling) on photos of senders that no head was trained on; figures: `models_data/MODEL_CARD.md`.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ai_suggestions.ondevice import sessions
from ai_suggestions.ondevice.views import views_of, working_copy

OTHER = "other"
"""The kind of whatever is none that the models know."""

_SMALLEST = 1e-4  # probabilities below are not reported


@dataclass(frozen=True, slots=True)
class KindConfidence:
    """A kind and the calibrated probability (0-1) that it is the right one."""

    kind: str
    confidence: float


@dataclass(frozen=True, slots=True)
class PhotoKinds:
    """What one photo shows, most likely kind first; the confidences sum to at most 1.

    `garment` is the probability (0-1) that it is one of the garments at all. `embedding` is the net's
    description of the picture (unit length, float32), for telling near-duplicates.
    """

    ranked: tuple[KindConfidence, ...]
    garment: float
    embedding: NDArray[np.float32] = field(compare=False, repr=False)

    def to_json(self) -> Any:
        """What is kept of it as a reading, without the embedding."""
        ranked = [[entry.kind, round(entry.confidence, 5)] for entry in self.ranked]
        return {"ranked": ranked, "garment": round(self.garment, 5)}


@dataclass(frozen=True, slots=True)
class KindScores:
    """What a listing's photos show together, most likely kind first.

    `sure` says whether the first kind passes the threshold at which at least 95 % of held-out photos were
    right. `shown_by` is the index of the photo that speaks most clearly for the first kind.
    """

    ranked: tuple[KindConfidence, ...]
    sure: bool
    shown_by: int
    photos: tuple[PhotoKinds, ...]
    model_version: str


class KindModel:
    """The classifier of one manifest (`kinds.json`) and the model files and tables beside it.

    Cheap to construct; model files are loaded at first use, once per process. Safe to use from several
    threads.
    """

    def __init__(self, folder: Path = sessions.MODELS) -> None:
        """Raises FileNotFoundError when the manifest is missing, KeyError when it is incomplete."""
        self._folder = folder
        manifest: Mapping[str, Any] = json.loads((folder / "kinds.json").read_text(encoding="utf-8"))
        self.version: str = manifest["version"]
        self.kinds: tuple[str, ...] = tuple(manifest["kinds"])
        self.auto_fill_threshold: float = manifest["auto_fill_threshold"]
        self.embedding_version: str = manifest["embedding_version"]
        self._members: list[tuple[Path, int, int, Mapping[str, float]]] = [
            (folder / member["file"], member["side"], member["views"], member["shares"])
            for member in manifest["members"]
        ]
        self._temperature: float = manifest["temperature"]
        self._object_temperature: float = manifest["object_temperature"]
        self._gate: Mapping[str, float] = manifest["garment_gate"]
        self._objects = object_kinds(folder / "imagenet_kinds.csv")
        self._worn = worn_classes(folder / "imagenet_kinds.csv")

    def read(self, photo: Image.Image) -> PhotoKinds:
        """What one photo shows. Any mode and size; orientation is taken as it is."""
        photo = working_copy(photo)
        logits = np.zeros(len(self.kinds), dtype=np.float32)
        objects = np.zeros(0, dtype=np.float32)
        embedding = objects
        for position, (path, side, views, shares) in enumerate(self._members):
            wanted = (*shares, "objects", "embedding") if position == 0 else tuple(shares)
            found = sessions.run(path, views_of(photo, side, count=views), wanted)
            for head, share in shares.items():
                logits += share * found[head].mean(axis=0)
            if position == 0:
                objects = softmax(found["objects"] / self._object_temperature).mean(axis=0)
                embedding = found["embedding"].mean(axis=0)
        garments = softmax(logits / self._temperature)
        by_garment = dict(zip(self.kinds, garments.tolist(), strict=True))
        return PhotoKinds(
            *self.combined(by_garment, objects),
            embedding=(embedding / max(float(np.linalg.norm(embedding)), 1e-9)).astype(np.float32),
        )

    def combined(
        self, by_garment: Mapping[str, float], objects: NDArray[np.float32]
    ) -> tuple[tuple[KindConfidence, ...], float]:
        """One ranking out of both heads, and the probability that it is a garment.

        The garment head alone would call a chair a blouse: it saw few things that are none.
        So a logistic gate weighs how clearly it speaks against what the object head sees: clothes of any sort
        speak for a garment, also those that are none of its kinds (swimming trunks, pyjamas, an apron).
        """
        object_mass: dict[str, float] = {}
        for index, kind in self._objects.items():
            object_mass[kind] = object_mass.get(kind, 0.0) + float(objects[index])
        things = {kind: mass for kind, mass in object_mass.items() if kind not in by_garment}
        worn = sum(float(objects[index]) for index in self._worn)
        gate = gate_probability(self._gate, gate_signs(by_garment, worn))
        scores = {kind: gate * p for kind, p in by_garment.items() if kind != OTHER}
        garment = sum(scores.values())
        spoken_for = sum(object_mass.values()) - sum(things.values())  # what it gives to the same garments
        left = max(1 - spoken_for, 1e-9)
        for kind, mass in things.items():
            scores[kind] = (1 - garment) * mass / left
        scores[OTHER] = max(0.0, 1 - sum(scores.values()))
        return _ranked(scores), float(garment)

    def pooled(self, photos: Sequence[PhotoKinds]) -> KindScores:
        """What several photos of one listing show together.

        Photos that speak clearly count more than details and labels, the cover (the first) counts twice.
        Raises ValueError without a photo.
        """
        if not photos:
            raise ValueError("no photo to pool")
        weights = np.array([photo.ranked[0].confidence ** 2 for photo in photos])
        weights[0] *= 2
        weights /= weights.sum()
        scores: dict[str, float] = {}
        for photo, weight in zip(photos, weights.tolist(), strict=True):
            for entry in photo.ranked:
                scores[entry.kind] = scores.get(entry.kind, 0.0) + weight * entry.confidence
        ranked = _ranked(scores)
        support = [_confidence_of(photo, ranked[0].kind) for photo in photos]
        return KindScores(
            ranked=ranked,
            sure=ranked[0].kind != OTHER and ranked[0].confidence >= self.auto_fill_threshold,
            shown_by=int(np.argmax(support)),
            photos=tuple(photos),
            model_version=self.version,
        )


def gate_signs(by_garment: Mapping[str, float], worn: float) -> dict[str, float]:
    """What tells a garment from another thing, as log odds.

    `by_garment` are the garment head's probabilities, `worn` is the object head's mass on clothes of any
    sort.
    """
    peak = max(p for kind, p in by_garment.items() if kind != OTHER)
    return {"worn": _logit(worn), "peak": _logit(peak)}


def gate_probability(gate: Mapping[str, float], signs: Mapping[str, float]) -> float:
    """The probability that it is a garment: a logistic function of the signs."""
    odds = gate["bias"] + sum(gate[name] * value for name, value in signs.items())
    return float(1 / (1 + np.exp(-odds)))


def softmax(logits: NDArray[np.float32]) -> NDArray[np.float32]:
    """Probabilities along the last axis."""
    raised = np.exp(logits - logits.max(axis=-1, keepdims=True))
    probabilities: NDArray[np.float32] = raised / raised.sum(axis=-1, keepdims=True)
    return probabilities


def object_kinds(table: Path = sessions.MODELS / "imagenet_kinds.csv") -> dict[int, str]:
    """ImageNet class index (0-999) → kind, for the classes that somebody might sell."""
    with table.open(newline="", encoding="utf-8") as rows:
        return {int(row["index"]): row["kind"] for row in csv.DictReader(rows) if row["kind"]}


def worn_classes(table: Path = sessions.MODELS / "imagenet_kinds.csv") -> tuple[int, ...]:
    """The ImageNet classes (0-999) of clothes and cloth, sold here or not."""
    with table.open(newline="", encoding="utf-8") as rows:
        return tuple(int(row["index"]) for row in csv.DictReader(rows) if row["worn"] == "yes")


def kind_model() -> KindModel:
    """The shipped model, once per process; another one inside of `using_kind_model`."""
    return _instead[-1] if _instead else _shipped()


@cache
def _shipped() -> KindModel:
    return KindModel()


_instead: list[KindModel] = []


@contextmanager
def using_kind_model(model: KindModel) -> Iterator[None]:
    """Another model in the whole process for as long as the block lasts: the evaluation of a fold."""
    _instead.append(model)
    try:
        yield
    finally:
        _instead.pop()


def kinds_of(photos: Sequence[Image.Image]) -> KindScores:
    """Which kind of thing a listing's photos show. Raises ValueError without a photo."""
    model = kind_model()
    return model.pooled([model.read(photo) for photo in photos])


def _ranked(scores: Mapping[str, float]) -> tuple[KindConfidence, ...]:
    """Most likely first; ties by name, so that equal photos give equal answers."""
    order = sorted(scores.items(), key=lambda entry: (-entry[1], entry[0]))
    return tuple(
        KindConfidence(kind, min(1.0, float(p)))
        for place, (kind, p) in enumerate(order)
        if p >= _SMALLEST or not place
    )


def _confidence_of(photo: PhotoKinds, kind: str) -> float:
    return next((entry.confidence for entry in photo.ranked if entry.kind == kind), 0.0)


def _logit(probability: float) -> float:
    bounded = min(max(probability, 1e-4), 1 - 1e-4)
    return float(np.log(bounded / (1 - bounded)))
