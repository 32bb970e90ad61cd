"""Loading what shipping costs from its data file."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import structlog

from foundation.db import atomic_retry
from foundation.money import exponent_of
from members.queries import list_markets
from orders.models import ShippingOption
from orders.parcel_sizes import BY_NAME
from orders.services.terms import Loaded
from orders.shipping_zones import DOMESTIC, ZONES

logger = structlog.get_logger(__name__)

KEY = ("market", "destination", "size", "provider", "code", "currency", "valid_from")
COLUMNS = (*KEY, "carrier", "service", "kind", "price_minor", "days")
Key = tuple[str, str, str, str, str, str, datetime]


@atomic_retry
def load_shipping_options(*, text: str) -> Loaded:
    """Add and mend options as the CSV `text` says; safe to repeat. Raises ValueError, changing nothing."""
    wanted = dict(_read(text))  # all of it before the first write
    stored = {
        (row.market_id, *(getattr(row, name) for name in KEY[1:])): row
        for row in ShippingOption.objects.select_for_update()
    }
    new = [
        ShippingOption(market_id=key[0], **dict(zip(KEY[1:], key[1:], strict=True)), **facts)
        for key, facts in wanted.items()
        if key not in stored
    ]
    ShippingOption.objects.bulk_create(new, batch_size=500)
    changed = 0
    for key, facts in wanted.items():
        row = stored.get(key)
        if row is not None and any(getattr(row, name) != value for name, value in facts.items()):
            ShippingOption.objects.filter(id=row.id).update(**facts)
            changed += 1
    logger.info("shipping_options_loaded", added=len(new), changed=changed)
    return Loaded(len(new), changed)


def _read(text: str) -> Iterator[tuple[Key, dict[str, Any]]]:
    reader = csv.DictReader(io.StringIO(text), strict=True)
    if tuple(reader.fieldnames or ()) != COLUMNS:
        raise ValueError(f"the columns are {reader.fieldnames}, should be {list(COLUMNS)}")
    currencies = {market.code: market.currency for market in list_markets()}
    seen: set[Key] = set()
    for row in reader:
        try:
            key, facts = _row(row, currencies)
            if key in seen:
                raise ValueError("it is there twice")
        except ValueError as fault:
            raise ValueError(f"line {reader.line_num}: {fault}") from fault
        seen.add(key)
        yield key, facts


def _row(row: dict[str, str], currencies: dict[str, str]) -> tuple[Key, dict[str, Any]]:
    if None in row or None in row.values():
        raise ValueError("another number of columns")
    if currencies.get(row["market"]) != row["currency"]:
        raise ValueError(f"{row['currency']} is not the currency of a market {row['market']!r}")
    exponent_of(row["currency"])
    if row["destination"] not in {DOMESTIC, *ZONES, *currencies}:
        raise ValueError(f"{row['destination']!r} is neither domestic nor a market nor a zone")
    if row["size"] not in BY_NAME:
        raise ValueError(f"{row['size']!r} is no size of parcels")
    if row["kind"] not in ShippingOption.Kind.values:
        raise ValueError(f"{row['kind']!r} is neither home nor pickup_point")
    valid_from = datetime.fromisoformat(row["valid_from"])
    if valid_from.tzinfo is None:
        raise ValueError(f"{row['valid_from']} has no offset from UTC")
    price = int(row["price_minor"]) if row["price_minor"] else None
    if price is not None and price < 0:
        raise ValueError("a price below nothing")
    key = (
        row["market"],
        row["destination"],
        row["size"],
        row["provider"],
        row["code"],
        row["currency"],
        valid_from,
    )
    facts = {name: row[name] for name in ("carrier", "service", "kind")}
    return key, facts | {"price_minor": price, "days": int(row["days"])}
