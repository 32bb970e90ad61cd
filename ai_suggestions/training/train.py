"""Train, measure, export: `python -m ai_suggestions.training.train --data ../shared/clothing`.

Needs the extra `training` of pyproject.toml and about 10 GB of memory; an hour and a half on one CPU core.
What was done already is kept in `--work` and not done again, so it can be stopped, and folds may run side by
side with `--fold`.

1. Activations of the frozen trunk for 8 random variations and the 3 views of every photo.
2. Five folds without a common sender: fine-tune on four, export to INT8, predict the fifth with that file.
3. Calibration, thresholds and figures from these predictions, each fold judged by the others' calibration.
4. The shipped file: the same recipe on all photos.
"""

from __future__ import annotations

import argparse
import csv
import dataclasses
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import KFold, cross_val_predict

from ai_suggestions.ondevice import sessions
from ai_suggestions.ondevice.garments import OTHER, gate_probability, gate_signs, object_kinds
from ai_suggestions.ondevice.views import views_of, working_copy
from ai_suggestions.training.export import TwoHeads, export_int8
from ai_suggestions.training.network import INPUT_SIDE, EfficientNetLite, Variant, pretrained
from ai_suggestions.training.photos import (
    KINDS,
    LabelledPhoto,
    augmented_activations,
    folds,
    labelled_photos,
    view_activations,
)
from ai_suggestions.training.scores import (
    Scores,
    best_temperature,
    scores_of,
    softmax_at,
    threshold_for,
)
from ai_suggestions.training.tuning import Recipe, tuned

VARIANT: Variant = "lite2"
FIRST_BLOCK = 7  # the first of the 80-channel stage: what comes before is as good for clothes as for ImageNet
VARIATIONS = 8
FOLDS = 5
SEED = 1
PRECISION = 0.95  # of what is filled in without asking
OBJECT_TEMPERATURE = 0.7  # the published head is under-confident (it was trained with smoothed labels)
GATE_SIGNS = ("other", "wearable", "peak")
MODEL_FILE = "kinds.onnx"


@dataclasses.dataclass(frozen=True)
class Bench:
    """Everything that the steps share."""

    photos: list[LabelledPhoto]
    labels: NDArray[np.int64]
    net: EfficientNetLite
    side: int
    work: Path

    def augmented(self) -> torch.Tensor:
        """Activations of the random variations, from `work` when they are there."""
        path = self.work / f"{VARIANT}_{self.side}_{FIRST_BLOCK}_aug.pt"
        if not path.exists():
            made = augmented_activations(
                self.photos, self.net, FIRST_BLOCK, side=self.side, variations=VARIATIONS, seed=7
            )
            torch.save(made, path)
        return _loaded(path)

    def object_probabilities(self) -> NDArray[np.float32]:
        """What the published head says about every photo, mean of the views."""
        path = self.work / f"{VARIANT}_{self.side}_objects.npy"
        if not path.exists():
            views = view_activations(self.photos, self.net, FIRST_BLOCK, side=self.side)
            np.save(path, _objects(self.net, views))
        found: NDArray[np.float32] = np.load(path)
        return found

    def train(self, rows: NDArray[np.intp], seed: int) -> EfficientNetLite:
        """The net fine-tuned on some of the photos."""

        def report(epoch: int, loss: float, _net: EfficientNetLite) -> None:
            print(f"  epoch {epoch + 1} of {Recipe().epochs}: loss {loss:.3f}", flush=True)

        return tuned(
            self.net,
            self.augmented(),
            self.labels,
            rows,
            len(KINDS),
            first_block=FIRST_BLOCK,
            recipe=Recipe(),
            seed=seed,
            each_epoch=report,
        )

    def export(self, net: EfficientNetLite, rows: NDArray[np.intp], target: Path) -> None:
        """The INT8 file of a net, its ranges taken from 120 of the photos it was trained on."""
        chosen = np.random.default_rng(SEED).choice(rows, min(120, len(rows)), replace=False)
        paths = [self.photos[row].path for row in chosen]
        export_int8(TwoHeads(self.net, net, FIRST_BLOCK), target, side=self.side, calibration=paths)


def _loaded(path: Path) -> torch.Tensor:
    found: torch.Tensor = torch.load(path, mmap=True, weights_only=True)
    return found


@torch.inference_mode()
def _objects(net: EfficientNetLite, views: torch.Tensor) -> NDArray[np.float32]:
    found = []
    for photo in views:
        logits = net.classify(photo.float(), FIRST_BLOCK)
        found.append((logits / OBJECT_TEMPERATURE).softmax(dim=1).mean(dim=0).numpy())
    return np.stack(found)


def fold_logits(bench: Bench, fold: int) -> NDArray[np.float32]:
    """Logits of one held-out fold by an INT8 file that never saw its senders, mean of three views."""
    kept = bench.work / f"fold_{fold}.npy"
    if not kept.exists():
        held_out = folds(bench.photos, FOLDS, seed=0)[fold]
        rows = np.setdiff1d(np.arange(len(bench.photos)), held_out)
        print(f"fold {fold}: train on {len(rows)}, hold out {len(held_out)}", flush=True)
        model = bench.work / f"fold_{fold}.onnx"
        bench.export(bench.train(rows, SEED + fold), rows, model)
        np.save(kept, np.stack([_logits(model, bench.photos[row].path, bench.side) for row in held_out]))
    found: NDArray[np.float32] = np.load(kept)
    return found


def _logits(model: Path, photo: Path, side: int) -> NDArray[np.float32]:
    with Image.open(photo) as image:
        views = views_of(working_copy(image), side)
    mean: NDArray[np.float32] = sessions.run(model, views, ("garments",))["garments"].mean(axis=0)
    return mean


def judged(
    labels: NDArray[np.int64], logits: NDArray[np.float32], parts: Sequence[NDArray[np.intp]]
) -> tuple[Scores, float, float]:
    """(figures of the folds, temperature, threshold): each fold is judged by the others' calibration.

    `logits` and `labels` are of all photos; rows outside of `parts` are not looked at.
    """
    rows = np.concatenate(parts)
    probabilities = np.zeros_like(logits)
    filled = np.zeros(len(logits), dtype=bool)
    for part in parts:
        others = np.setdiff1d(rows, part)
        temperature = best_temperature(logits[others], labels[others])
        probabilities[part] = softmax_at(logits[part], temperature)
        threshold = _threshold(softmax_at(logits[others], temperature), labels[others])
        filled[part] = probabilities[part].max(axis=1) >= threshold
    scores = scores_of(probabilities[rows], labels[rows], filled[rows])
    temperature = best_temperature(logits[rows], labels[rows])
    return scores, temperature, _threshold(softmax_at(logits[rows], temperature), labels[rows])


def _threshold(probabilities: NDArray[np.float32], labels: NDArray[np.int64]) -> float:
    return threshold_for(probabilities.max(axis=1), probabilities.argmax(axis=1) == labels, PRECISION)


def _signs(garments: NDArray[np.float32], objects: NDArray[np.float32]) -> list[float]:
    by_garment = dict(zip(KINDS, garments.tolist(), strict=True))
    wearable = sum(float(objects[index]) for index, kind in object_kinds().items() if kind in by_garment)
    signs = gate_signs(by_garment, wearable)
    return [signs[name] for name in GATE_SIGNS]


def fitted_gate(
    bench: Bench,
    rows: NDArray[np.intp],
    probabilities: NDArray[np.float32],
    model: Path,
    temperature: float,
    things: Path,
) -> tuple[dict[str, float], dict[str, Any]]:
    """The garment gate and its figures, from held-out garments and a folder of things that are none.

    `things.csv` beside this file names the pictures of things and what they show; it keeps those out that the
    demo ships, and shoes.
    """
    garment_rows = rows[bench.labels[rows] != KINDS.index(OTHER)]
    objects = bench.object_probabilities()
    signs = [_signs(probabilities[row], objects[row]) for row in garment_rows]
    names = [row["file"] for row in _table(Path(__file__).with_name("things.csv"))]
    for name in names:
        with Image.open(next(things.rglob(name))) as image:
            found = sessions.run(model, views_of(working_copy(image), bench.side), ("garments", "objects"))
        seen = softmax_at(found["objects"], OBJECT_TEMPERATURE).mean(axis=0)
        signs.append(_signs(softmax_at(found["garments"].mean(axis=0), temperature), seen))
    x = np.array(signs)
    y = np.concatenate([np.ones(len(garment_rows)), np.zeros(len(names))]).astype(int)
    weights = np.where(y == 1, 1.0, len(garment_rows) / len(names) / 4)  # a fifth of uploads are no garments
    logistic = LogisticRegression(C=0.3)
    held_out = cross_val_predict(
        logistic,
        x,
        y,
        cv=KFold(20, shuffle=True, random_state=0),
        method="predict_proba",
        params={"sample_weight": weights},
    )[:, 1]
    logistic.fit(x, y, sample_weight=weights)
    gate = dict(zip(GATE_SIGNS, (round(float(value), 4) for value in logistic.coef_[0]), strict=True))
    gate["bias"] = round(float(logistic.intercept_[0]), 4)
    return gate, {
        "garments": len(garment_rows),
        "garments_passed": float((held_out[y == 1] > 0.5).mean()),
        "things": len(names),
        "things_refused": float((held_out[y == 0] < 0.5).mean()),
    }


def combined_scores(
    bench: Bench,
    rows: NDArray[np.intp],
    probabilities: NDArray[np.float32],
    gate: Mapping[str, float],
    threshold: float,
) -> Scores:
    """Figures of garments after the gate, as the service ranks them."""
    objects = bench.object_probabilities()
    gated = probabilities.copy()
    for row in rows:
        signs = dict(zip(GATE_SIGNS, _signs(probabilities[row], objects[row]), strict=True))
        garment = gate_probability(gate, signs)
        gated[row, :-1] *= garment / max(1 - float(gated[row, -1]), 1e-9)
        gated[row, -1] = 1 - garment
    gated = gated[rows]
    return scores_of(gated, bench.labels[rows], gated.max(axis=1) >= threshold)


def _table(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as rows:
        return list(csv.DictReader(rows))


def main() -> None:
    """Run the steps that are not done yet."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True, help="folder with labels.csv and images/")
    parser.add_argument("--work", type=Path, default=Path("var/training"), help="intermediate results, 3 GB")
    parser.add_argument("--out", type=Path, default=sessions.MODELS, help="where the model files go")
    parser.add_argument("--fold", type=int, help="only train and predict this fold")
    parser.add_argument("--final", action="store_true", help="only train the shipped file")
    parser.add_argument(
        "--judge",
        type=int,
        nargs="+",
        default=list(range(FOLDS)),
        help="folds that the figures are taken from",
    )
    parser.add_argument(
        "--things", type=Path, help="pictures of things.csv; without, the gate stays as it is"
    )
    parser.add_argument("--version", default="kinds-1", help="stored with every suggestion")
    parser.add_argument("--threads", type=int, default=1)
    asked = parser.parse_args()
    torch.set_num_threads(asked.threads)
    asked.work.mkdir(parents=True, exist_ok=True)
    photos = labelled_photos(asked.data)
    labels = np.array([photo.kind for photo in photos], dtype=np.int64)
    net = pretrained(VARIANT).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    bench = Bench(photos, labels, net, INPUT_SIDE[VARIANT], asked.work)
    if asked.fold is not None:
        fold_logits(bench, asked.fold)
        return
    model = asked.work / MODEL_FILE
    if not model.exists():
        everything = np.arange(len(photos))
        print(f"all {len(photos)} photos", flush=True)
        bench.export(bench.train(everything, SEED), everything, model)
    if asked.final:
        return
    logits = np.zeros((len(photos), len(KINDS)), dtype=np.float32)
    every_part = folds(photos, FOLDS, seed=0)
    parts = [every_part[fold] for fold in asked.judge]
    rows = np.sort(np.concatenate(parts))
    for fold in asked.judge:
        logits[every_part[fold]] = fold_logits(bench, fold)
    scores, temperature, threshold = judged(labels, logits, parts)
    manifest_path = asked.out / "kinds.json"
    gate: dict[str, float] = json.loads(manifest_path.read_text(encoding="utf-8"))["garment_gate"]
    metrics: dict[str, Any] = {
        "version": asked.version,
        "recipe": dataclasses.asdict(Recipe()),
        "garments": dataclasses.asdict(scores),
        "top1_by_fold": [float((logits[part].argmax(axis=1) == labels[part]).mean()) for part in parts],
    }
    probabilities = softmax_at(logits, temperature)
    if asked.things is not None:
        gate, metrics["gate"] = fitted_gate(bench, rows, probabilities, model, temperature, asked.things)
    metrics["garments_after_gate"] = dataclasses.asdict(
        combined_scores(bench, rows, probabilities, gate, threshold)
    )
    manifest = {
        "version": asked.version,
        "kinds": KINDS,
        "members": [{"file": MODEL_FILE, "side": bench.side}],
        "temperature": round(temperature, 4),
        "object_temperature": OBJECT_TEMPERATURE,
        "auto_fill_threshold": round(threshold, 4),
        "garment_gate": gate,
    }
    (asked.out / MODEL_FILE).write_bytes(model.read_bytes())
    manifest_path.write_text(json.dumps(manifest, indent=2) + "\n", encoding="utf-8")
    (asked.out / "metrics.json").write_text(json.dumps(metrics, indent=2) + "\n", encoding="utf-8")
    print(json.dumps(metrics, indent=2))


if __name__ == "__main__":
    main()
