"""Instants as the numbers of ledger entries, exact in both directions.

The number of an entry is the microsecond since 1970 (UTC) in which it was recorded, times 1,000, plus its
place among the account's entries of that microsecond; it fits 63 bits until 2262. So the entries of one
posting share an instant, and no look into the past sees half of it.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
ENTRIES_PER_MICROSECOND = 1_000


def entry_number(at: datetime) -> int:
    """The first number of this instant: entries recorded from then on are equal or greater."""
    return (at - EPOCH) // timedelta(microseconds=1) * ENTRIES_PER_MICROSECOND


def last_entry_number(at: datetime) -> int:
    """The last number of this instant: entries recorded until then, inclusive, are equal or less."""
    return entry_number(at) + ENTRIES_PER_MICROSECOND - 1


def instant(entry: int) -> datetime:
    """When the entry of this number was recorded."""
    return EPOCH + timedelta(microseconds=entry // ENTRIES_PER_MICROSECOND)
