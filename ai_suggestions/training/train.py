"""Train, measure, export: `python -m ai_suggestions.training.train --data ../shared/clothing`.

Needs the extra `training` of pyproject.toml, 6 GB of memory and about five hours on one CPU core.
What was done already is kept in `--work` and not done again: it can be stopped, parts may run side by side.

1. Activations of the frozen trunk for 8 random variations and the 3 views of every photo.
2. Five folds without a common sender: fine-tune the net on four (four times, and average the weights), export
   to INT8, add a linear head on the published features, predict the fifth with these files.
3. The heads' shares, calibration, thresholds and figures from these predictions, each fold judged by the
   others' shares and calibration.
4. The shipped files: the same recipe on all photos.
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

from ai_suggestions.evaluation.folds import write_fold
from ai_suggestions.evaluation.known_photos import write_known_photos
from ai_suggestions.ondevice import sessions
from ai_suggestions.ondevice.garments import OTHER, gate_probability, gate_signs, object_kinds, worn_classes
from ai_suggestions.ondevice.views import views_of, working_copy
from ai_suggestions.training.bench import FOLDS, MEMBERS, OBJECT_TEMPERATURE, Bench
from ai_suggestions.training.photos import KINDS, LabelledPhoto, folds, labelled_photos
from ai_suggestions.training.scores import (
    Scores,
    best_shares,
    best_temperature,
    scores_of,
    softmax_at,
    threshold_for,
    top,
)
from ai_suggestions.training.tuning import Recipe

PRECISION = 0.95  # of what is filled in without asking
GATE_SIGNS = ("worn", "peak")


def joined(
    heads: NDArray[np.float32], labels: NDArray[np.int64], parts: Sequence[NDArray[np.intp]]
) -> tuple[tuple[float, ...], NDArray[np.float32]]:
    """(each head's share, their logits joined): each fold is joined by the shares that suit the others best.

    `heads` are logits (heads, photos, kinds). The shares that are returned are the best ones for all folds.
    """
    rows = np.concatenate(parts)
    logits = np.zeros_like(heads[0])
    for part in parts:
        others = np.setdiff1d(rows, part)
        shares = best_shares(heads[:, others], labels[others])
        logits[part] = np.tensordot(shares, heads[:, part], 1)
    return best_shares(heads[:, rows], labels[rows]), logits


def judged(
    labels: NDArray[np.int64], logits: NDArray[np.float32], parts: Sequence[NDArray[np.intp]]
) -> tuple[Scores, float]:
    """(figures of the folds before the gate, temperature): each fold is judged by the others' calibration.

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
    return scores, best_temperature(logits[rows], labels[rows])


def _threshold(probabilities: NDArray[np.float32], labels: NDArray[np.int64]) -> float:
    return threshold_for(probabilities.max(axis=1), probabilities.argmax(axis=1) == labels, PRECISION)


def _signs(garments: NDArray[np.float32], objects: NDArray[np.float32]) -> list[float]:
    by_garment = dict(zip(KINDS, garments.tolist(), strict=True))
    signs = gate_signs(by_garment, float(objects[[*worn_classes()]].sum()))
    return [signs[name] for name in GATE_SIGNS]


def fitted_gate(
    benches: Sequence[Bench],
    shares: Sequence[float],
    rows: NDArray[np.intp],
    probabilities: NDArray[np.float32],
    temperature: float,
    things: Path,
) -> tuple[dict[str, float], dict[str, Any]]:
    """The garment gate and its figures, from held-out garments and a folder of things that are none.

    `things.csv` beside this file names the pictures of things and what they show; shoes and what the demo
    ships are left out.
    """
    bench = benches[0]
    garment_rows = rows[bench.labels[rows] != KINDS.index(OTHER)]
    objects = bench.object_probabilities()
    signs = [_signs(probabilities[row], objects[row]) for row in garment_rows]
    names = [row["file"] for row in _table(Path(__file__).with_name("things.csv"))]
    for name in names:
        path = next(things.rglob(name))
        with Image.open(path) as image:
            views = views_of(working_copy(image), bench.member.side)
        heads = np.concatenate([one.logits_by(one.final_model(), path) for one in benches])
        seen = sessions.run(bench.final_model(), views, ("objects",))["objects"]
        signs.append(
            _signs(
                softmax_at(np.tensordot(shares, heads, 1).astype(np.float32), temperature),
                softmax_at(seen, OBJECT_TEMPERATURE).mean(axis=0),
            )
        )
    x = np.array(signs)
    y = np.concatenate([np.ones(len(garment_rows)), np.zeros(len(names))]).astype(int)
    weights = np.where(y == 1, 1.0, len(garment_rows) / len(names) / 9)  # say a tenth of uploads is none
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


def gated(
    bench: Bench,
    rows: NDArray[np.intp],
    probabilities: NDArray[np.float32],
    gate: Mapping[str, float],
) -> NDArray[np.float32]:
    """The rows' probabilities as the service ranks them: KINDS, then what the object head knows."""
    objects = bench.object_probabilities()[rows]
    of_kind = object_kinds()
    things = sorted({*of_kind.values()} - {*KINDS})
    mass = np.zeros((len(rows), len(things)), dtype=np.float32)
    for index, kind in of_kind.items():
        if kind not in KINDS:
            mass[:, things.index(kind)] += objects[:, index]
    spoken_for = objects[:, [index for index, kind in of_kind.items() if kind in KINDS]].sum(axis=1)
    garments = probabilities[rows]
    for place, row in enumerate(rows):
        signs = dict(zip(GATE_SIGNS, _signs(probabilities[row], objects[place]), strict=True))
        garments[place, :-1] *= gate_probability(gate, signs)
    garment = garments[:, :-1].sum(axis=1, keepdims=True)
    mass *= (1 - garment) / (1 - spoken_for[:, None]).clip(1e-9)
    garments[:, -1:] = 1 - garment - mass.sum(axis=1, keepdims=True)
    return np.concatenate([garments, mass], axis=1)


def same_embedding(one: Path, other: Path, side: int, photos: Sequence[LabelledPhoto]) -> bool:
    """Whether both files describe photos alike, so that fingerprints made with one hold with the other."""
    if not one.exists():
        return False
    for photo in photos[:8]:
        with Image.open(photo.path) as image:
            views = views_of(working_copy(image), side)
        first, second = (sessions.run(model, views, ("embedding",))["embedding"] for model in (one, other))
        if not np.array_equal(first, second):
            return False
    return True


def _table(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as rows:
        return list(csv.DictReader(rows))


def main() -> None:
    """Run the steps that are not done yet."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True, help="folder with labels.csv and images/")
    parser.add_argument("--work", type=Path, default=Path("var/training"), help="intermediate results, 5 GB")
    parser.add_argument("--out", type=Path, default=sessions.MODELS, help="where the model files go")
    parser.add_argument("--member", choices=[member.variant for member in MEMBERS], help="only this net")
    parser.add_argument("--fold", type=int, help="only train and predict this fold")
    parser.add_argument("--final", action="store_true", help="only train what ships")
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
    parser.add_argument("--version", default="kinds-6", help="stored with every suggestion")
    parser.add_argument("--threads", type=int, default=1)
    asked = parser.parse_args()
    torch.set_num_threads(asked.threads)
    asked.work.mkdir(parents=True, exist_ok=True)
    photos = labelled_photos(asked.data)
    members = [member for member in MEMBERS if asked.member in (None, member.variant)]
    benches = [Bench.of(member, photos, asked.work) for member in members]
    labels = benches[0].labels
    for bench in benches:
        if asked.fold is not None:
            bench.fold_logits(asked.fold)
        else:
            bench.final_model()
    if asked.fold is not None or asked.final:
        return
    names = [f"{bench.member.variant} {head}" for bench in benches for head in bench.member.heads]
    heads = np.zeros((len(names), len(photos), len(KINDS)), dtype=np.float32)
    every_part = folds(photos, FOLDS, seed=0)
    parts = [every_part[fold] for fold in asked.judge]
    rows = np.sort(np.concatenate(parts))
    for fold, part in zip(asked.judge, parts, strict=True):
        heads[:, part] = np.concatenate([bench.fold_logits(fold) for bench in benches])
    shares, logits = joined(heads, labels, parts)
    scores, temperature = judged(labels, logits, parts)
    manifest_path = asked.out / "kinds.json"
    before: dict[str, Any] = json.loads(manifest_path.read_text(encoding="utf-8"))
    gate: dict[str, float] = before["garment_gate"]
    same = same_embedding(asked.out / members[0].file, benches[0].final_model(), members[0].side, photos)
    embedding_version = before["embedding_version"] if same else asked.version
    metrics: dict[str, Any] = {
        "version": asked.version,
        "recipe": dataclasses.asdict(Recipe()),
        "garments": dataclasses.asdict(scores),
        "heads": {
            name: {"share": share, **{f"top{n}": top(found[rows], labels[rows], n) for n in (1, 3)}}
            for name, share, found in zip(names, shares, heads, strict=True)
        },
        "top1_by_fold": [float((logits[part].argmax(axis=1) == labels[part]).mean()) for part in parts],
    }
    probabilities = softmax_at(logits, temperature)
    if asked.things is not None:
        gate, metrics["gate"] = fitted_gate(benches, shares, rows, probabilities, temperature, asked.things)
    ranked = gated(benches[0], rows, probabilities, gate)
    threshold = _threshold(ranked, labels[rows])
    scores = scores_of(ranked, labels[rows], ranked.max(axis=1) >= threshold)
    metrics["garments_after_gate"] = dataclasses.asdict(scores)
    garment = labels[rows] != KINDS.index(OTHER)
    sure = ranked.max(axis=1) >= threshold
    scores = scores_of(ranked[garment], labels[rows][garment], sure[garment])
    metrics["garments_after_gate_without_other"] = dataclasses.asdict(scores)
    manifest = {
        "version": asked.version,
        "kinds": KINDS,
        "embedding_version": embedding_version,
        "members": [
            {
                "file": member.file,
                "side": member.side,
                "views": member.views,
                "shares": {head: shares[names.index(f"{member.variant} {head}")] for head in member.heads},
            }
            for member in members
        ],
        "temperature": round(temperature, 4),
        "object_temperature": OBJECT_TEMPERATURE,
        "auto_fill_threshold": round(threshold, 4),
        "garment_gate": gate,
    }
    for fold, part in zip(asked.judge, parts, strict=True):
        write_fold(
            asked.work / f"fold_{fold}",
            manifest=manifest,
            models={bench.member.file: bench.fold_model(fold) for bench in benches},
            object_table=sessions.MODELS / "imagenet_kinds.csv",
            held_out=[photos[row].path for row in part],
        )
    for bench in benches:
        (asked.out / bench.member.file).write_bytes(bench.final_model().read_bytes())
    manifest_path.write_text(json.dumps(manifest, indent=2) + "\n", encoding="utf-8")
    write_known_photos([photo.path for photo in photos], asked.out / "trained_on.txt")
    metrics_path = asked.out / "metrics.json"
    others = json.loads(metrics_path.read_text(encoding="utf-8")) if metrics_path.exists() else {}
    metrics_path.write_text(json.dumps({**others, **metrics}, indent=2) + "\n", encoding="utf-8")
    print(json.dumps(metrics, indent=2))


if __name__ == "__main__":
    main()
