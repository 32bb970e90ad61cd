"""Loading the catalogue from its data files, and telling readers that it changed."""

from __future__ import annotations

import csv
import datetime as dt
import hashlib
import io
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import structlog
from django.db import models

from foundation.db import atomic_retry
from foundation.money import exponent_of
from listings.models import (
    Brand,
    BrandName,
    CatalogueRelease,
    Category,
    Colour,
    Condition,
    MarketRules,
    Material,
    Size,
)
from listings.queries import brand_key

logger = structlog.get_logger(__name__)

LANGUAGES = ("en", "de", "fr", "lt")
_NAMES = tuple(f"name_{language}" for language in LANGUAGES)
COLUMNS = {
    "categories": (
        *("id", "parent_id", "position", "kind", "size_system", "attributes", "parcel_size"),
        *_NAMES,
    ),
    "brands": ("id", "name", "aliases"),
    "sizes": ("system", "id", "position", "label", "aliases"),
    "colours": ("id", "position", "hex", *_NAMES),
    "conditions": ("id", "position", "within", *_NAMES),
    "materials": ("id", "position", *_NAMES, "aliases"),
    "market_rules": (
        *("market", "valid_from_date", "currency"),
        *("price_min_minor", "price_max_minor", "verified_above_minor"),
    ),
}
_BATCH = 500


@dataclass(frozen=True, slots=True)
class Loaded:
    """How many rows of one file were new, changed, and retired because the file has them no more."""

    added: int = 0
    changed: int = 0
    retired: int = 0


def _rows(name: str, text: str) -> Iterator[dict[str, str]]:
    reader = csv.DictReader(io.StringIO(text), strict=True)
    if tuple(reader.fieldnames or ()) != COLUMNS[name]:
        raise ValueError(f"{name}: the columns are {reader.fieldnames}, should be {list(COLUMNS[name])}")
    for row in reader:
        if None in row or None in row.values():
            raise ValueError(f"{name}, line {reader.line_num}: another number of columns")
        yield row


def _names(row: Mapping[str, str]) -> dict[str, str]:
    return {language: row[f"name_{language}"] for language in LANGUAGES if row[f"name_{language}"]}


def _list(text: str) -> list[str]:
    return [part for part in text.split("|") if part]


def _categories(text: str) -> list[Category]:
    rows = list(_rows("categories", text))
    parents = {row["parent_id"] for row in rows}
    known: set[str] = set()
    for row in rows:
        # Parents first, so that no statement names a row that is not there yet.
        if row["parent_id"] and row["parent_id"] not in known:
            raise ValueError(f"categories: {row['id']} stands before its parent {row['parent_id']!r}")
        known.add(row["id"])
    return [
        Category(
            id=row["id"],
            parent_id=row["parent_id"] or None,
            position=int(row["position"]),
            kind=row["kind"],
            size_system=row["size_system"],
            attributes=row["attributes"],
            parcel_size=row["parcel_size"],
            is_leaf=row["id"] not in parents,
            names=_names(row),
        )
        for row in rows
    ]


def _brand_names(brands: Iterable[Brand]) -> list[BrandName]:
    owner: dict[str, str] = {}
    for brand in brands:
        for text in (brand.name, *brand.aliases):
            key = brand_key(text)
            if not key:
                raise ValueError(f"brands: {text!r} of {brand.id} has neither letters nor digits")
            if owner.setdefault(key, brand.id) != brand.id:
                raise ValueError(f"brands: {text!r} stands for {owner[key]} and for {brand.id}")
    return [BrandName(key=key, brand_id=brand_id) for key, brand_id in owner.items()]


def _facts(row: models.Model, without: tuple[str, ...] = ()) -> tuple[Any, ...]:
    return tuple(getattr(row, f.attname) for f in row._meta.concrete_fields if f.attname not in without)


def _store(wanted: list[Any]) -> Loaded:
    """Make the table hold `wanted` (of one model that has `is_retired`); what is missing is retired."""
    model: Any = type(wanted[0])
    if len({row.pk for row in wanted}) != len(wanted):
        raise ValueError(f"{model._meta.verbose_name_plural}: an id is there twice")
    stored = {row.pk: row for row in model.objects.all()}
    new = [row for row in wanted if row.pk not in stored]
    changed = [row for row in wanted if row.pk in stored and _facts(row) != _facts(stored[row.pk])]
    columns = [f.name for f in model._meta.concrete_fields if not f.primary_key]
    model.objects.bulk_create(new, batch_size=_BATCH)
    if changed:
        model.objects.bulk_update(changed, columns, batch_size=_BATCH // 5)
    gone = set(stored) - {row.pk for row in wanted}
    retired = (
        model.objects.filter(pk__in=sorted(gone), is_retired=False).update(is_retired=True) if gone else 0
    )
    return Loaded(len(new), len(changed), retired)


def _store_rules(text: str) -> Loaded:
    """Rules are history: rows are added or mended, never taken away."""
    stored = {(row.market_id, row.valid_from_date): row for row in MarketRules.objects.all()}
    new, changed = [], []
    for row in _rows("market_rules", text):
        exponent_of(row["currency"])
        rules = MarketRules(
            market_id=row["market"],
            valid_from_date=dt.date.fromisoformat(row["valid_from_date"]),
            currency=row["currency"],
            price_min_minor=int(row["price_min_minor"]),
            price_max_minor=int(row["price_max_minor"]),
            verified_above_minor=int(row["verified_above_minor"]),
        )
        before = stored.get((rules.market_id, rules.valid_from_date))
        if before is None:
            new.append(rules)
        elif _facts(rules, ("id",)) != _facts(before, ("id",)):
            rules.pk = before.pk
            changed.append(rules)
    MarketRules.objects.bulk_create(new)
    for rules in changed:
        rules.save(force_update=True)
    return Loaded(len(new), len(changed))


@atomic_retry
def load_catalogue(*, texts: Mapping[str, str], now: dt.datetime) -> dict[str, Loaded]:
    """Make the tables say what the CSV files say; `texts` has one for each name in COLUMNS.

    Safe to repeat; an unchanged catalogue costs one statement. Raises ValueError naming file and
    fault, then changing nothing. Markets have to be loaded before.
    """
    if set(texts) != set(COLUMNS):
        raise ValueError(f"files wanted: {sorted(COLUMNS)}")
    digest = hashlib.sha256("\0".join(texts[name] for name in sorted(texts)).encode()).hexdigest()
    if CatalogueRelease.objects.filter(id=1, digest=digest).exists():
        return {name: Loaded() for name in COLUMNS}
    brands = [
        Brand(id=r["id"], name=r["name"], aliases=_list(r["aliases"]))
        for r in _rows("brands", texts["brands"])
    ]
    names = _brand_names(brands)
    loaded = {
        "categories": _store(_categories(texts["categories"])),
        "brands": _store(brands),
        "sizes": _store(
            [
                Size(
                    id=row["id"],
                    system=row["system"],
                    position=int(row["position"]),
                    label=row["label"],
                    aliases=_list(row["aliases"]),
                )
                for row in _rows("sizes", texts["sizes"])
            ]
        ),
        "colours": _store(
            [
                Colour(id=row["id"], position=int(row["position"]), hex=row["hex"], names=_names(row))
                for row in _rows("colours", texts["colours"])
            ]
        ),
        "conditions": _store(
            [
                Condition(
                    id=row["id"], position=int(row["position"]), within=row["within"], names=_names(row)
                )
                for row in _rows("conditions", texts["conditions"])
            ]
        ),
        "materials": _store(
            [
                Material(
                    id=row["id"],
                    position=int(row["position"]),
                    names=_names(row),
                    aliases=_list(row["aliases"]),
                )
                for row in _rows("materials", texts["materials"])
            ]
        ),
        "market_rules": _store_rules(texts["market_rules"]),
    }
    BrandName.objects.all().delete()
    BrandName.objects.bulk_create(names, batch_size=_BATCH)
    CatalogueRelease.objects.update_or_create(id=1, defaults={"digest": digest, "loaded_at": now})
    logger.info(
        "catalogue_loaded", digest=digest[:12], **{name: result.added for name, result in loaded.items()}
    )
    return loaded
