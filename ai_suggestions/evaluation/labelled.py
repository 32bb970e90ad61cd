"""A folder of photos that people labelled: labels.csv and colours.csv in the words of our catalogue."""

from __future__ import annotations

import csv
import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType

from ai_suggestions.catalogue import Catalogue
from ai_suggestions.steps.category import UNRECOGNISED

NONE_OF_THESE = UNRECOGNISED
"""The label of a thing that is none of the classes which the people who labelled had to choose from."""

GARMENTS = frozenset(
    {"t_shirt", "longsleeve", "pants", "shoes", "shirt", "dress", "outwear", "shorts", "hat", "skirt"}
    | {"polo", "undershirt", "blazer", "hoodie", "body", "top", "blouse"}
)
"""The classes that every labelled folder of clothes chooses from, whether or not each of them occurs."""

OUR_COLOURS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {"multi": ("various",), "beige": ("body", "cream")}
)
"""Colour words that our palette has not, and what it calls them."""


class NothingLabelled(Exception):
    """The folder has no table that can be used; the text says why."""


@dataclass(frozen=True, slots=True)
class LabelledPhoto:
    """A photo, and what people say it shows.

    ``kind`` is None where nobody said, ``colours`` are the palette colours that are accepted as its main one,
    empty where nobody said; one of which nobody said anything still shows times and false sizes.
    ``sender_id`` is who took it: the photos of one person resemble each other.
    """

    file: str
    path: Path
    sender_id: str
    kind: str | None = None
    colours: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class LabelledFolder:
    """The photos to look at, and how many rows were left out for which reason.

    ``named_kinds`` are the kinds that a label could have named; a photo labelled ``other`` shows none of
    them.
    """

    path: Path
    photos: tuple[LabelledPhoto, ...]
    named_kinds: frozenset[str]
    left_out: Mapping[str, int]
    total: int  # photos that could be used, before a limit


def read_folder(
    folder: Path, *, catalogue: Catalogue, colours: Path | None = None, limit: int | None = None
) -> LabelledFolder:
    """The photos that labels.csv or the table of colours names, in a fixed order that no name decides.

    ``colours`` is another table than colours.csv in the folder. ``limit`` takes that many photos, always the
    same ones. Raises NothingLabelled.
    """
    left_out: Counter[str] = Counter()
    found: dict[str, LabelledPhoto] = {}
    labels_table = folder / "labels.csv"
    colours_table = colours if colours is not None else folder / "colours.csv"
    if not folder.is_dir():
        raise NothingLabelled(f"{folder} is no folder.")
    if colours is not None and not colours.is_file():
        raise NothingLabelled(f"{colours} is not there.")
    if not labels_table.is_file() and not colours_table.is_file():
        raise NothingLabelled(f"{folder} has neither labels.csv nor colours.csv.")
    if labels_table.is_file():
        _read_labels(labels_table, folder, kind_namer(catalogue), found, left_out)
    if colours_table.is_file():
        _read_colours(colours_table, folder, frozenset(catalogue.colour_by_id), found, left_out)
    photos = list(found.values())
    photos.sort(key=lambda photo: hashlib.sha256(photo.file.encode()).digest())
    if not photos:
        reasons = "; ".join(f"{reason}: {count}" for reason, count in sorted(left_out.items()))
        raise NothingLabelled(f"{folder}: no photo can be used ({reasons or 'the tables are empty'}).")
    return LabelledFolder(
        path=folder,
        photos=tuple(photos[:limit]),
        named_kinds=GARMENTS | {photo.kind for photo in photos if photo.kind not in (None, NONE_OF_THESE)},
        left_out=dict(left_out),
        total=len(photos),
    )


def kind_namer(catalogue: Catalogue) -> Callable[[str], str | None]:
    """From a label as people write it ("T-Shirt", "women-t-shirts") to a kind; None for an unknown one."""
    by_letters = {_letters(category.id): category.kind for category in catalogue.categories if category.kind}
    by_letters |= {_letters(kind): kind for kind in (*by_letters.values(), NONE_OF_THESE)}
    return lambda label: by_letters.get(_letters(label))


def palette_names(words: Iterable[str], palette: frozenset[str]) -> frozenset[str]:
    """The palette's colours for colour words ("light blue", "multi"); others are left out."""
    names: set[str] = set()
    for word in words:
        plain = "-".join(word.casefold().split())
        names.update(OUR_COLOURS.get(plain, (plain,)))
    return frozenset(names & palette)


def _letters(label: str) -> str:
    return "".join(letter for letter in label.casefold() if letter.isalnum())


def _rows(table: Path, columns: Sequence[str]) -> list[dict[str, str]]:
    """Raises NothingLabelled when a column is missing or the bytes are no text."""
    try:
        with table.open(newline="", encoding="utf-8-sig") as lines:
            reader = csv.DictReader(lines, restval="")
            # Spreadsheets are typed by people: "File , Label".
            reader.fieldnames = [name.strip().casefold() for name in reader.fieldnames or ()]
            missing = [name for name in columns if name not in reader.fieldnames]
            if missing:
                raise NothingLabelled(f"{table}: the column {missing[0]!r} is missing.")
            return [{key: value for key, value in row.items() if isinstance(value, str)} for row in reader]
    except UnicodeDecodeError as error:
        raise NothingLabelled(f"{table} is no text in UTF-8: {error}") from error
    except (OSError, csv.Error) as error:
        raise NothingLabelled(f"{table}: {error}") from error


def _photo_at(folder: Path, file: str) -> Path | str:
    """Where the photo is, or why it cannot be used."""
    # By the words of the table: a link that somebody put into the folder is meant to be followed.
    if Path(file).is_absolute() or ".." in Path(file).parts:
        return "file outside of the folder"
    path = folder / file
    try:
        return path if file and path.is_file() else "file missing"
    except OSError:  # a name that no file can have
        return "file missing"


def _read_labels(
    table: Path,
    folder: Path,
    kind_of: Callable[[str], str | None],
    found: dict[str, LabelledPhoto],
    left_out: Counter[str],
) -> None:
    for row in _rows(table, ("file",)):
        # Without a label the photo is looked at, and its category is not judged.
        file, label = row["file"], row.get("label", "").strip()
        kind = kind_of(label) if label else None
        path = _photo_at(folder, file)
        if isinstance(path, str):
            left_out[path] += 1
        elif label and kind is None:
            left_out[f"label {label!r} not known"] += 1
        elif file in found:
            left_out["file named twice"] += 1
        else:
            # Without a sender each photo counts as one of its own.
            found[file] = LabelledPhoto(file, path, row.get("sender_id") or file, kind)


def _read_colours(
    table: Path,
    folder: Path,
    palette: frozenset[str],
    found: dict[str, LabelledPhoto],
    left_out: Counter[str],
) -> None:
    for row in _rows(table, ("file", "acceptable")):
        file = row["file"]
        words = [word for word in (row.get("primary", ""), *row["acceptable"].split("|")) if word.strip()]
        accepted = palette_names(words, palette)
        path = _photo_at(folder, file)
        if isinstance(path, str):
            left_out[path] += 1
        elif not accepted:
            left_out["colours not known"] += 1
        else:
            known = found.get(file) or LabelledPhoto(file, path, file)
            found[file] = replace(known, colours=accepted)
