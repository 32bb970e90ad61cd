"""Instants as the numbers of ledger entries: microseconds since 1970 (UTC), exact in both directions."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def entry_number(at: datetime) -> int:
    """The number that an entry made at this instant has, or would have."""
    return (at - EPOCH) // timedelta(microseconds=1)


def instant(entry: int) -> datetime:
    """When the entry of this number was made."""
    return EPOCH + timedelta(microseconds=entry)
