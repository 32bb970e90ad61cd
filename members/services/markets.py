"""Loading the markets from their data file."""

from __future__ import annotations

import csv
import io
import zoneinfo
from collections.abc import Iterator
from dataclasses import dataclass

import structlog

from foundation.db import atomic_retry
from foundation.money import exponent_of
from members.models import Market
from members.profiles import is_locale

logger = structlog.get_logger(__name__)

COLUMNS = ("code", "name", "currency", "languages", "locale", "time_zone", "enabled")


@dataclass(frozen=True, slots=True)
class Loaded:
    """How many rows were new, changed, and are no longer in the file (those are closed, never deleted)."""

    added: int
    changed: int
    closed: int


def read_markets(text: str) -> Iterator[Market]:
    """Unsaved markets of a CSV with the columns COLUMNS. Raises ValueError naming line and fault."""
    reader = csv.DictReader(io.StringIO(text), strict=True)
    if tuple(reader.fieldnames or ()) != COLUMNS:
        raise ValueError(f"the columns are {reader.fieldnames}, should be {list(COLUMNS)}")
    seen: set[str] = set()
    for row in reader:
        fault = _fault(row, seen)
        if fault:
            raise ValueError(f"line {reader.line_num}: {fault}")
        seen.add(row["code"])
        yield Market(
            code=row["code"],
            name=row["name"],
            currency=row["currency"],
            languages=row["languages"],
            locale=row["locale"],
            time_zone=row["time_zone"],
            is_enabled=row["enabled"] == "yes",
        )


def _fault(row: dict[str, str], seen: set[str]) -> str | None:
    if None in row.values() or None in row:
        return "another number of columns"
    if not (len(row["code"]) == 2 and row["code"].isascii() and row["code"].isupper()):
        return f"{row['code']!r} is no ISO 3166-1 alpha-2 code"
    if row["code"] in seen:
        return f"{row['code']} is there twice"
    try:
        exponent_of(row["currency"])
    except ValueError:
        return f"{row['currency']!r} is not in foundation.money.EXPONENTS"
    if not row["languages"].split() or any(len(language) != 2 for language in row["languages"].split()):
        return f"{row['languages']!r} are no ISO 639-1 codes"
    if not is_locale(row["locale"]):
        return f"{row['locale']!r} is no locale"
    if row["time_zone"] not in zoneinfo.available_timezones():
        return f"{row['time_zone']!r} is no IANA time zone"
    if row["enabled"] not in ("yes", "no"):
        return f"enabled is {row['enabled']!r}, should be yes or no"
    return None


@atomic_retry
def load_markets(*, text: str) -> Loaded:
    """Make the table say what the CSV `text` says; safe to repeat. Raises ValueError, changing nothing."""
    rows = list(read_markets(text))  # all of it before the first write
    stored = {market.code: market for market in Market.objects.select_for_update().order_by("code")}
    added = changed = 0
    for market in rows:
        before = stored.pop(market.code, None)
        if before is None:
            market.save(force_insert=True)
            added += 1
        elif _facts(before) != _facts(market):
            market.save(force_update=True)
            changed += 1
    closed = Market.objects.filter(code__in=stored, is_enabled=True).update(is_enabled=False)
    logger.info("markets_loaded", added=added, changed=changed, closed=closed)
    return Loaded(added=added, changed=changed, closed=closed)


def _facts(market: Market) -> tuple[object, ...]:
    return tuple(getattr(market, field.attname) for field in Market._meta.concrete_fields)
