"""The general head on things that are no garments: `python -m ai_suggestions.training.things FOLDER`.

FOLDER holds the pictures that `things.csv` beside this file names; the demo's photos join them. Added to
`metrics.json`; needs nothing but the service's own packages. The object head has learnt from none of these
pictures; the gate's three numbers were fitted on those of `things.csv`.
"""

from __future__ import annotations

import argparse
import csv
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from PIL import Image

from ai_suggestions.ondevice import sessions
from ai_suggestions.ondevice.garments import OTHER, KindModel, object_kinds

DEMO = {"armchair": "chair", "camera": "camera", "skateboard": "skateboard", "sofa": "sofa"}
"""Folder of `demo/photos` → what it shows."""


def labelled_things(folder: Path, demo: Path) -> list[tuple[Path, str]]:
    """(picture, kind). Raises FileNotFoundError when a picture is missing."""
    named = []
    with Path(__file__).with_name("things.csv").open(newline="", encoding="utf-8") as table:
        for row in csv.DictReader(table):
            found = next(folder.rglob(row["file"]), None)
            if found is None:
                raise FileNotFoundError(f"{row['file']} is not in {folder}")
            named.append((found, row["kind"]))
    return named + [(demo / name / "1.jpg", kind) for name, kind in DEMO.items()]


def thing_figures(things: Iterable[tuple[Path, str]], model: KindModel) -> dict[str, Any]:
    """Over the things that the head has a kind for: top-1, top-3. Over all: what would be filled in."""
    nameable = {*object_kinds().values()} - {*model.kinds}
    found = {"n": 0, "nameable": 0, "top1": 0, "top3": 0, "filled_in": 0, "of_these_right": 0}
    found |= {"called_a_garment": 0, "filled_in_as_a_garment": 0}
    for path, kind in things:
        with Image.open(path) as photo:
            ranked = model.read(photo).ranked
        names, first = [entry.kind for entry in ranked], ranked[0]
        sure = first.kind != OTHER and first.confidence >= model.auto_fill_threshold
        garment = first.kind in model.kinds and first.kind != OTHER
        found["n"] += 1
        found["nameable"] += kind in nameable
        found["top1"] += kind in nameable and names[0] == kind
        found["top3"] += kind in nameable and kind in names[:3]
        found["filled_in"] += sure
        found["of_these_right"] += sure and first.kind == kind
        found["called_a_garment"] += garment
        found["filled_in_as_a_garment"] += garment and sure
    shares = {key: found[key] / found["nameable"] for key in ("top1", "top3")}
    return {**found, **shares}


def main() -> None:
    """Measure and add to metrics.json."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path, help="holds the pictures of things.csv, at any depth")
    parser.add_argument("--demo", type=Path, default=Path("demo/photos"))
    asked = parser.parse_args()
    figures = {"things": thing_figures(labelled_things(asked.folder, asked.demo), KindModel())}
    path = sessions.MODELS / "metrics.json"
    before = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps({**before, **figures}, indent=2) + "\n", encoding="utf-8")
    print(json.dumps(figures, indent=2))


if __name__ == "__main__":
    main()
