"""The catalogue as steps see it, without a database: read from the files that are shipped."""

from __future__ import annotations

import csv
import functools
import io

from ai_suggestions.catalogue import Brand, Catalogue, Category, Size, Term
from tests.factories.listings import full_texts

LANGUAGES = ("en", "de", "fr", "lt")


def _rows(name: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(full_texts()[name])))


def _names(row: dict[str, str]) -> dict[str, str]:
    return {language: row[f"name_{language}"] for language in LANGUAGES}


def _aliases(row: dict[str, str]) -> tuple[str, ...]:
    return tuple(alias for alias in row["aliases"].split("|") if alias)


def _terms(name: str) -> tuple[Term, ...]:
    return tuple(Term(row["id"], _names(row)) for row in _rows(name))


@functools.cache
def full_catalogue() -> Catalogue:
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
            for row in _rows("categories")
        ),
        brands=tuple(Brand(row["id"], row["name"], _aliases(row)) for row in _rows("brands")),
        sizes=tuple(
            Size(row["id"], row["system"], int(row["position"]), row["label"], _aliases(row))
            for row in _rows("sizes")
        ),
        colours=_terms("colours"),
        conditions=_terms("conditions"),
        materials=_terms("materials"),
    )
