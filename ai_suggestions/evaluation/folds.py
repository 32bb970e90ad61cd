"""Grouped cross-validation of the whole on-device provider: each photo by a model that never saw its sender.

`training/train.py` keeps a folder for each fold, ``fold_0`` and so on: the model files and tables as in
`models_data`, and `held_out.txt`, the photos that were held out (as ``known_photos`` tells them apart).
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from ai_suggestions.evaluation.known_photos import known_photos, write_known_photos
from ai_suggestions.evaluation.labelled import LabelledPhoto
from ai_suggestions.ondevice.garments import KindModel

HELD_OUT = "held_out.txt"


class NoFolds(Exception):
    """The folder holds no folds, or none that is complete; the text says what is missing."""


def write_fold(
    folder: Path,
    *,
    manifest: Mapping[str, Any],
    models: Mapping[str, Path],
    object_table: Path,
    held_out: Iterable[Path],
) -> None:
    """Keep a fold. ``models`` are files by the name that the manifest gives them. Raises OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, model in models.items():
        shutil.copyfile(model, folder / name)
    shutil.copyfile(object_table, folder / "imagenet_kinds.csv")
    named = {**manifest, "version": f"{manifest['version']}-{folder.name}"}
    (folder / "kinds.json").write_text(json.dumps(named, indent=2) + "\n", encoding="utf-8")
    write_known_photos(held_out, folder / HELD_OUT)


def read_folds(work: Path, photos: Iterable[LabelledPhoto]) -> list[tuple[KindModel, list[LabelledPhoto]]]:
    """(model, the photos that it may be judged by) of each fold that has any. Raises NoFolds."""
    wanted = list(photos)
    found = []
    for folder in sorted(work.glob("fold_*/")):
        try:
            strangers = known_photos([photo.path for photo in wanted], folder / HELD_OUT)
            model = KindModel(folder)
        except (OSError, KeyError, ValueError) as problem:
            raise NoFolds(f"{folder} is no complete fold: {problem}") from problem
        held_out = [photo for photo in wanted if photo.path in strangers]
        if held_out:
            found.append((model, held_out))
    if not found:
        raise NoFolds(f"{work} has no fold that held out any of these photos.")
    return found
