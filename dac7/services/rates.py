"""Loading the euro reference rates, and reading those of a year."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import islice

import httpx
import structlog

from dac7 import metrics
from dac7.errors.figures import ExchangeRateContradicts, ExchangeRatesUnreadable
from dac7.figures.rates import Rate, RatesUnreadable, RateTable, read_rates
from dac7.models import ExchangeRate
from foundation.db import atomic_retry
from foundation.errors import Unavailable

logger = structlog.get_logger(__name__)

BATCH = 1_000
MOST_BYTES = 20_000_000  # the history since 1999 has 2 MB as CSV, 8 MB as XML
TIMEOUT_S = 20.0
BEFORE = timedelta(days=10)  # of a year, for its first days


@dataclass(frozen=True, slots=True)
class Loaded:
    """How many rates were new; the others were known."""

    added: int
    known: int


@atomic_retry
def load_rates(*, content: bytes, now: datetime, since: date | None = None) -> Loaded:
    """Add the rates of a CSV or XML file of the bank, from a day on; safe to repeat.

    Raises ExchangeRatesUnreadable and ExchangeRateContradicts, loading nothing.
    """
    try:
        rates = [rate for rate in read_rates(content) if since is None or rate.day >= since]
    except RatesUnreadable as fault:
        raise ExchangeRatesUnreadable(str(fault)) from fault
    added, waiting = 0, iter(rates)
    while batch := list(islice(waiting, BATCH)):
        added += _add(batch, now)
    metrics.EXCHANGE_RATES_LOADED.inc(added)
    logger.info("exchange_rates_loaded", added=added, known=len(rates) - added)
    return Loaded(added, len(rates) - added)


def _add(batch: list[Rate], now: datetime) -> int:
    days = [rate.day for rate in batch]
    rows = ExchangeRate.objects.filter(day__gte=min(days), day__lte=max(days))
    known = {(row.currency, row.day): row.per_euro for row in rows}
    fresh = []
    for rate in batch:
        value = known.setdefault((rate.currency, rate.day), rate.per_euro)
        if value is rate.per_euro:
            fresh.append(rate)
        elif value != rate.per_euro:
            raise ExchangeRateContradicts(
                f"{rate.currency} {rate.day}: {value} is known, not {rate.per_euro}."
            )
    ExchangeRate.objects.bulk_create(
        [
            ExchangeRate(currency=rate.currency, day=rate.day, per_euro=rate.per_euro, loaded_at=now)
            for rate in fresh
        ]
    )
    return len(fresh)


def fetch_rates(*, url: str, now: datetime) -> Loaded:
    """Download one of the bank's XML or CSV files and load it. Raises Unavailable, and as ``load_rates``."""
    try:
        with (
            httpx.Client(timeout=TIMEOUT_S, follow_redirects=True) as client,
            client.stream("GET", url) as answer,
        ):
            answer.raise_for_status()
            content = b""
            for part in answer.iter_bytes():
                content += part
                if len(content) > MOST_BYTES:
                    raise ExchangeRatesUnreadable("The file is larger than the bank's.")
    except httpx.HTTPError as fault:
        logger.warning("exchange_rates_not_fetched", fault=type(fault).__name__)
        raise Unavailable("The exchange rates could not be fetched.") from fault
    return load_rates(content=content, now=now)


def rates_of_year(year: int) -> RateTable:
    """Those that a year's sales may need."""
    rows = ExchangeRate.objects.filter(day__gte=date(year, 1, 1) - BEFORE, day__lte=date(year, 12, 31))
    return RateTable(
        Rate(currency, day, Decimal(per_euro))
        for currency, day, per_euro in rows.values_list("currency", "day", "per_euro").iterator()
    )
