"""Loading the markets' terms from their data file."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import structlog

from foundation.db import atomic_retry
from foundation.money import exponent_of
from members.queries import list_markets
from orders.calendars import is_working_day
from orders.models import Terms

logger = structlog.get_logger(__name__)

NUMBERS = (
    *("fee_fixed_minor", "fee_rate_bp", "vat_rate_bp", "offer_floor_bp", "offer_open_hours"),
    *("agreed_price_hours", "offers_per_listing", "offers_per_day", "bundle_items_max"),
    *("ship_by_working_days", "checkout_minutes", "cancel_alone_hours", "cancel_silence_hours"),
    *("complete_after_hours", "issue_review_days", "ship_back_working_days", "silent_carrier_days"),
    *("verification_from_minor", "verification_fee_minor"),
)
COLUMNS = ("market", "valid_from", "currency", *NUMBERS)


@dataclass(frozen=True, slots=True)
class Loaded:
    """How many rows were new, and how many changed. None is ever taken away: terms are history."""

    added: int
    changed: int


@atomic_retry
def load_terms(*, text: str) -> Loaded:
    """Add and mend terms as the CSV `text` says; safe to repeat. Raises ValueError, changing nothing."""
    wanted = dict(_read(text))  # all of it before the first write
    stored = {(row.market_id, row.valid_from): row for row in Terms.objects.select_for_update()}
    added = changed = 0
    for key, facts in wanted.items():
        row = stored.get(key)
        if row is None:
            Terms.objects.create(market_id=key[0], valid_from=key[1], **facts)
            added += 1
        elif any(getattr(row, name) != value for name, value in facts.items()):
            Terms.objects.filter(id=row.id).update(**facts)
            changed += 1
    logger.info("terms_loaded", added=added, changed=changed)
    return Loaded(added, changed)


def _read(text: str) -> Iterator[tuple[tuple[str, datetime], dict[str, Any]]]:
    reader = csv.DictReader(io.StringIO(text), strict=True)
    if tuple(reader.fieldnames or ()) != COLUMNS:
        raise ValueError(f"the columns are {reader.fieldnames}, should be {list(COLUMNS)}")
    currencies = {market.code: market.currency for market in list_markets()}
    seen: set[tuple[str, datetime]] = set()
    for row in reader:
        try:
            key, facts = _row(row, currencies)
            if key in seen:
                raise ValueError("it is there twice")
        except (ValueError, NotImplementedError) as fault:
            raise ValueError(f"line {reader.line_num}: {fault}") from fault
        seen.add(key)
        yield key, facts


def _row(row: dict[str, str], currencies: dict[str, str]) -> tuple[tuple[str, datetime], dict[str, Any]]:
    if None in row or None in row.values():
        raise ValueError("another number of columns")
    if currencies.get(row["market"]) != row["currency"]:
        raise ValueError(f"{row['currency']} is not the currency of a market {row['market']!r}")
    exponent_of(row["currency"])
    valid_from = datetime.fromisoformat(row["valid_from"])
    if valid_from.tzinfo is None:
        raise ValueError(f"{row['valid_from']} has no offset from UTC")
    is_working_day(row["market"], valid_from.date())  # the market needs a calendar
    return (row["market"], valid_from), {
        "currency": row["currency"],
        **{name: int(row[name]) for name in NUMBERS},
    }
