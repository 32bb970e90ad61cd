"""Months as ranges of instants: a month begins at midnight in a time zone."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

_MONTH = re.compile(r"([0-9]{4})-(0[1-9]|1[0-2])")

# A transaction that began before midnight may be committed after it, and clocks of machines differ: until
# this time has passed, the statement of a month is not called closed.
SETTLING = timedelta(hours=1)


@dataclass(frozen=True, slots=True, order=True)
class Month:
    """A month of the calendar, such as 2026-03."""

    year: int
    number: int

    def __str__(self) -> str:
        return f"{self.year:04}-{self.number:02}"

    @classmethod
    def parse(cls, text: str) -> Month:
        """The reverse of str(). Raises ValueError."""
        match = _MONTH.fullmatch(text)
        if match is None or match[1] == "0000":
            raise ValueError(f"{text!r} is no month")
        return cls(int(match[1]), int(match[2]))

    @classmethod
    def at(cls, instant: datetime, time_zone: str) -> Month:
        """The month in which an instant lies there."""
        local = instant.astimezone(ZoneInfo(time_zone))
        return cls(local.year, local.month)

    def next(self) -> Month:
        """The one after it."""
        return Month(self.year + self.number // 12, self.number % 12 + 1)

    def starts_at(self, time_zone: str) -> datetime:
        """Its first instant there, in UTC."""
        return datetime(self.year, self.number, 1, tzinfo=ZoneInfo(time_zone)).astimezone(UTC)

    def ends_at(self, time_zone: str) -> datetime:
        """The first instant after it there, in UTC."""
        return self.next().starts_at(time_zone)

    def is_closed(self, time_zone: str, now: datetime) -> bool:
        """Whether nothing can enter it any more."""
        return now >= self.ends_at(time_zone) + SETTLING
