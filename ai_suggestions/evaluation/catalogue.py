"""The catalogue that an evaluation is made with."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

from django.db import Error as DatabaseError

from ai_suggestions import queries
from ai_suggestions.catalogue import Brand, Catalogue, Category, Size, Term

SHIPPED = Path(__file__).resolve().parents[2] / "listings" / "data"


def find_loaded_catalogue() -> Catalogue | None:
    """The database's catalogue; None when there is no database or none was loaded into it."""
    try:
        catalogue = queries.catalogue()
    except DatabaseError:
        return None
    return catalogue if catalogue.categories else None


def shipped_catalogue(folder: Path = SHIPPED) -> Catalogue:
    """The catalogue of the data files, so that an evaluation needs no database. Raises OSError, KeyError."""
    return Catalogue(
        categories=tuple(
            Category(
                id=row["id"],
                parent_id=row["parent_id"] or None,
                position=int(row["position"]),
                kind=row["kind"] or None,
                size_system=row["size_system"] or None,
                attributes=tuple(row["attributes"].split()),
                parcel_size=row["parcel_size"] or None,
                names=_names(row),
            )
            for row in _rows(folder / "categories.csv")
        ),
        brands=tuple(Brand(row["id"], row["name"], _aliases(row)) for row in _rows(folder / "brands.csv")),
        sizes=tuple(
            Size(row["id"], row["system"], int(row["position"]), row["label"], _aliases(row))
            for row in _rows(folder / "sizes.csv")
        ),
        colours=_terms(folder / "colours.csv"),
        conditions=_terms(folder / "conditions.csv"),
        materials=_terms(folder / "materials.csv"),
    )


def _rows(table: Path) -> Iterator[dict[str, str]]:
    with table.open(newline="", encoding="utf-8") as rows:
        yield from csv.DictReader(rows)


def _names(row: dict[str, str]) -> dict[str, str]:
    prefix = "name_"
    return {key.removeprefix(prefix): text for key, text in row.items() if key.startswith(prefix) and text}


def _aliases(row: dict[str, str]) -> tuple[str, ...]:
    return tuple(alias for alias in row["aliases"].split("|") if alias)


def _terms(table: Path) -> tuple[Term, ...]:
    return tuple(Term(row["id"], _names(row)) for row in _rows(table))
