"""Which year and quarter an instant is in: by the operator's local time, not by the seller's. Pure.

Money counts when it was credited (Annex V, I.A.10 [R]); local time is our policy (docs/dac7.md).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

QUARTERS = (1, 2, 3, 4)


@dataclass(frozen=True, slots=True, order=True)
class Quarter:
    """Three calendar months, 1 to 4."""

    year: int
    number: int

    def next(self) -> Quarter:
        """The one after it."""
        return Quarter(self.year, self.number + 1) if self.number < 4 else Quarter(self.year + 1, 1)

    def before(self) -> Quarter:
        """The one before it."""
        return Quarter(self.year, self.number - 1) if self.number > 1 else Quarter(self.year - 1, 4)


def local_date(at: datetime, time_zone: str) -> date:
    """The day that it is then at the operator."""
    return at.astimezone(ZoneInfo(time_zone)).date()


def quarter_of(day: date) -> Quarter:
    """The quarter that a local day is in."""
    return Quarter(day.year, (day.month + 2) // 3)


def quarter_start(quarter: Quarter, time_zone: str) -> datetime:
    """Its first instant at the operator (UTC)."""
    first = datetime(quarter.year, 3 * quarter.number - 2, 1, tzinfo=ZoneInfo(time_zone))
    return first.astimezone(UTC)


def year_bounds(year: int, time_zone: str) -> tuple[datetime, datetime]:
    """First instant of the year at the operator, and of the next (UTC, half-open)."""
    zone = ZoneInfo(time_zone)
    start, end = (datetime(number, 1, 1, tzinfo=zone).astimezone(UTC) for number in (year, year + 1))
    return start, end
