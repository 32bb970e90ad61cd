"""The nets that are the classifier: training, export and prediction of each, kept in a folder."""

from __future__ import annotations

import dataclasses
import shutil
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from ai_suggestions.ondevice import sessions
from ai_suggestions.ondevice.views import views_of, working_copy
from ai_suggestions.training.export import TwoHeads, add_linear_head, export_int8
from ai_suggestions.training.network import INPUT_SIDE, EfficientNetLite, Variant, pretrained
from ai_suggestions.training.photos import (
    KINDS,
    LabelledPhoto,
    augmented_activations,
    folds,
    view_activations,
)
from ai_suggestions.training.tuning import Recipe, averaged, logistic_head, tuned

VARIATIONS = 8
FOLDS = 5
SEED, SEEDS_APART = 1, 100
OBJECT_TEMPERATURE = 0.7  # the published head is under-confident (it was trained with smoothed labels)


@dataclasses.dataclass(frozen=True)
class Member:
    """One net of the classifier.

    `first_block` is the first that is fine-tuned (the 80-channel stage): what comes earlier is as good for
    clothes as for ImageNet. `objects` says whether its file also carries the published ImageNet head. `runs`
    are fine-tuned by different chance, and their weights averaged.
    """

    variant: Variant
    first_block: int
    objects: bool
    views: int
    runs: int = 1

    @property
    def side(self) -> int:
        """Pixels of its square input."""
        return INPUT_SIDE[self.variant]

    @property
    def heads(self) -> tuple[str, ...]:
        """The outputs that tell garments apart: the tuned one, and a linear one on the published features.

        Fine-tuning forgets some of what the published net knows: the linear head alone has top-1 .76, and
        what it gets wrong are other photos.
        """
        return ("garments", "linear") if self.objects else ("garments",)

    @property
    def file(self) -> str:
        """The name of its model file."""
        return f"kinds_{self.variant}.onnx"


MEMBERS = (Member("lite2", 7, objects=True, views=3, runs=4),)
"""The nets whose heads are averaged, by shares that `train.py` finds. The first has the ImageNet head."""


@dataclasses.dataclass(frozen=True)
class Bench:
    """One member with the photos, and the folder that keeps what was made."""

    member: Member
    photos: list[LabelledPhoto]
    labels: NDArray[np.int64]
    net: EfficientNetLite
    work: Path

    @classmethod
    def of(cls, member: Member, photos: list[LabelledPhoto], work: Path) -> Bench:
        """With the published weights."""
        labels = np.array([photo.kind for photo in photos], dtype=np.int64)
        net = pretrained(member.variant).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        return cls(member, photos, labels, net, work)

    def fold_logits(self, fold: int) -> NDArray[np.float32]:
        """Logits (heads, photos, kinds) of a held-out fold by an INT8 file that never saw its senders."""
        kept = self.work / f"{self.member.variant}_fold_{fold}_heads.npy"
        if not kept.exists():
            held_out = folds(self.photos, FOLDS, seed=0)[fold]
            rows = np.setdiff1d(np.arange(len(self.photos)), held_out)
            print(f"{self.member.variant} fold {fold}: hold out {len(held_out)}", flush=True)
            model = self.fold_model(fold)
            self._make(rows, SEED + fold, model)
            found = [self.logits_by(model, self.photos[row].path) for row in held_out]
            np.save(kept, np.stack(found, axis=1))
        logits: NDArray[np.float32] = np.load(kept)
        return logits

    def fold_model(self, fold: int) -> Path:
        """Where `fold_logits` keeps the file that never saw this fold's senders."""
        return self.work / f"{self.member.variant}_fold_{fold}.onnx"

    def final_model(self) -> Path:
        """The file that ships, trained on all photos."""
        model = self.work / self.member.file
        if not model.exists():
            print(f"{self.member.variant}: train on all {len(self.photos)} photos", flush=True)
            self._make(np.arange(len(self.photos)), SEED, model)
        return model

    def logits_by(self, model: Path, photo: Path) -> NDArray[np.float32]:
        """What each head says of a photo, mean of its views: logits (heads, kinds)."""
        with Image.open(photo) as image:
            views = views_of(working_copy(image), self.member.side, count=self.member.views)
        found = sessions.run(model, views, self.member.heads)
        return np.stack([found[head].mean(axis=0) for head in self.member.heads])

    def object_probabilities(self) -> NDArray[np.float32]:
        """What the published head says about every photo, mean of the views."""
        return self._published("objects")

    def published_features(self) -> NDArray[np.float32]:
        """The 1,280 features of the published net of every photo, mean of the views."""
        return self._published("features")

    @torch.inference_mode()
    def _published(self, wanted: Literal["objects", "features"]) -> NDArray[np.float32]:
        kept = {
            name: self.work / f"{self.member.variant}_{self.member.side}_{name}.npy"
            for name in ("objects", "features")
        }
        if not all(path.exists() for path in kept.values()):
            first = self.member.first_block
            found: dict[str, list[NDArray[np.float32]]] = {name: [] for name in kept}
            for photo in view_activations(self.photos, self.net, first, side=self.member.side):
                features = self.net.embed(photo.float(), first)
                objects = (self.net._fc(features) / OBJECT_TEMPERATURE).softmax(dim=1)
                found["features"].append(features.mean(dim=0).numpy())
                found["objects"].append(objects.mean(dim=0).numpy())
            for name, path in kept.items():
                np.save(path, np.stack(found[name]))
        looked: NDArray[np.float32] = np.load(kept[wanted])
        return looked

    def _make(self, rows: NDArray[np.intp], seed: int, target: Path) -> None:
        """A model file from the photos of `rows`. The tuned net's own file is kept beside it."""
        tuned_file = target.with_suffix(".tuned.onnx")
        if not tuned_file.exists():
            self._export(averaged(self._runs(rows, seed, target)), rows, tuned_file)
        if not self.member.objects:  # no published features in it
            shutil.copyfile(tuned_file, target)
            return
        head = logistic_head(self.published_features()[rows], self.labels[rows], len(KINDS))
        weight, bias = (part.detach().numpy() for part in (head.weight, head.bias))
        add_linear_head(tuned_file, target, weight=weight, bias=bias)

    def _augmented(self) -> torch.Tensor:
        """Activations of the random variations, from `work` when they are there."""
        first, side = self.member.first_block, self.member.side
        path = self.work / f"{self.member.variant}_{side}_{first}_aug.pt"
        if not path.exists():
            torch.save(
                augmented_activations(self.photos, self.net, first, side=side, variations=VARIATIONS, seed=7),
                path,
            )
        found: torch.Tensor = torch.load(path, mmap=True, weights_only=True)
        return found

    def _runs(self, rows: NDArray[np.intp], seed: int, target: Path) -> list[EfficientNetLite]:
        """Fine-tuned by different chance; the weights of each run are kept beside `target`."""

        def report(epoch: int, loss: float, _net: EfficientNetLite) -> None:
            print(f"  epoch {epoch + 1} of {Recipe().epochs}: loss {loss:.3f}", flush=True)

        nets = []
        for run in range(self.member.runs):
            kept = target.with_suffix(f".run_{run}.pt")
            if not kept.exists():
                net = tuned(
                    self.net,
                    self._augmented(),
                    self.labels,
                    rows,
                    len(KINDS),
                    first_block=self.member.first_block,
                    recipe=Recipe(),
                    seed=seed + SEEDS_APART * run,
                    each_epoch=report,
                )
                torch.save(net.state_dict(), kept)
            net = EfficientNetLite(self.member.variant, classes=len(KINDS))
            net.load_state_dict(torch.load(kept, weights_only=True))
            nets.append(net)
        return nets

    def _export(self, net: EfficientNetLite, rows: NDArray[np.intp], target: Path) -> None:
        """The INT8 file of a net, its ranges taken from 120 of the photos it was trained on."""
        chosen = np.random.default_rng(SEED).choice(rows, min(120, len(rows)), replace=False)
        heads = TwoHeads(self.net, net, self.member.first_block, objects=self.member.objects)
        export_int8(
            heads, target, side=self.member.side, calibration=[self.photos[row].path for row in chosen]
        )
