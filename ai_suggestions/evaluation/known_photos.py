"""Which of the photos a model was trained on, so that flattering figures are called flattering.

`models_data/trained_on.txt` holds the start of each training file's SHA-256. A file that was encoded anew or
cropped is not found by it; the people who took the photos are not in it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path

from ai_suggestions.ondevice import sessions

TABLE = sessions.MODELS / "trained_on.txt"
_DIGITS = 16  # hexadecimal; two of a million photos share them with a chance of 1 in 10 million


def known_photos(files: Iterable[Path], table: Path = TABLE) -> set[Path]:
    """Those of the files that the model learned from. Raises OSError when the table or a file is missing."""
    trained = set(table.read_text(encoding="ascii").split())
    return {file for file in files if _mark(file) in trained}


def write_known_photos(files: Iterable[Path], table: Path = TABLE) -> int:
    """Remember the files that a model is trained on; how many there are. Raises OSError."""
    marks = sorted({_mark(file) for file in files})
    table.write_text("".join(f"{mark}\n" for mark in marks), encoding="ascii")
    return len(marks)


def _mark(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()[:_DIGITS]
