"""Small labelled folders, and proposals about the photos in them."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path

from PIL import Image, ImageDraw

from ai_suggestions.contract import Alternative, Evidence, Field, Proposal, Source, choice, proposed
from listings.photos.processing import process

SEEN = (Evidence(Source.PHOTO, note="seen"),)
LABEL_COLUMNS = ("file", "label", "kids", "sender_id", "width", "height")


def save_photo(folder: Path, name: str) -> Path:
    """A picture that no other name gives."""
    path = folder / "images" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    picture = Image.new("RGB", (96, 128), "white")
    drawing = ImageDraw.Draw(picture)
    for row, letter in enumerate(name.encode()):
        drawing.rectangle((10, 4 * row, 10 + letter // 2, 4 * row + 2), fill=(letter, 255 - letter, 40))
    picture.save(path, "JPEG", quality=90)
    return path


def seen_as(folder: Path, name: str) -> str:
    """The SHA-256 of the photo as a provider gets it."""
    return process((folder / "images" / name).read_bytes()).sha256


def write_labels(folder: Path, rows: Sequence[tuple[str, str, str]]) -> None:
    """labels.csv of (name, label, sender), and a photo for each name."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "labels.csv").open("w", newline="", encoding="utf-8") as lines:
        table = csv.DictWriter(lines, LABEL_COLUMNS)
        table.writeheader()
        for name, label, sender in rows:
            save_photo(folder, name)
            table.writerow(
                {"file": f"images/{name}", "label": label, "kids": "false", "sender_id": sender}
                | {"width": 96, "height": 128}
            )


def write_colours(table: Path, rows: Mapping[str, str]) -> None:
    """colours.csv of name -> acceptable colours, the first one being the primary."""
    with table.open("w", newline="", encoding="utf-8") as lines:
        writer = csv.writer(lines)
        writer.writerow(["file", "primary", "acceptable"])
        for name, acceptable in rows.items():
            writer.writerow([f"images/{name}", acceptable.partition("|")[0], acceptable])


def category(*leaves: tuple[str, float | None]) -> Proposal:
    """The first category filled in when its probability is at least .9, a choice otherwise."""
    (best, probability), *others = leaves
    if probability is not None and probability >= 0.9:
        return proposed(
            Field.CATEGORY,
            best,
            probability,
            evidence=SEEN,
            alternatives=[Alternative(leaf, p) for leaf, p in others],
        )
    return choice(
        Field.CATEGORY,
        [Alternative(leaf, p) for leaf, p in leaves],
        note="below_threshold",
        confidence=probability,
        evidence=SEEN,
    )


def for_whom_unknown(kind: str, confidence: float, *leaves: str) -> Proposal:
    """A kind that was recognised, with a category for each department."""
    return choice(
        Field.CATEGORY,
        [Alternative(leaf) for leaf in leaves],
        note="department_unknown",
        confidence=confidence,
        evidence=(Evidence(Source.PHOTO, text=kind, note="kind_of_thing"),),
    )


def colours(*ids: str, then: Sequence[str] = ()) -> Proposal:
    """One or two colours filled in, others as alternatives."""
    return proposed(
        Field.COLOURS, list(ids), 0.8, evidence=SEEN, alternatives=[Alternative([id_]) for id_ in then]
    )


def size(id_: str, words: str) -> Proposal:
    """A size on offer."""
    evidence = (Evidence(Source.LABEL, photo_id="cover", text=words, note="size_on_label"),)
    return choice(Field.SIZE, [Alternative(id_)], note="below_threshold", evidence=evidence)
