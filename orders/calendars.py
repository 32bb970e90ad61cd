"""Working days of a market. Pure: the deadline is stored, so a later edition of the calendar moves nothing.

A working day is one that is neither weekend nor a public holiday of the whole country, by the library
`holidays`; holidays of single regions do not count, since a seller's region is not asked for.
"""

from __future__ import annotations

import datetime as dt
import functools
from zoneinfo import ZoneInfo

import holidays

LAST_SECOND = dt.time(23, 59, 59)


def is_working_day(country: str, day: dt.date) -> bool:
    """Raises NotImplementedError for a country that the calendar does not know."""
    return _calendar(country).is_working_day(day)


def end_of_working_day(start_at: dt.datetime, *, days: int, country: str, time_zone: str) -> dt.datetime:
    """The last second, local time, of the `days`th working day after the local day of `start_at`; in UTC.

    The day of `start_at` itself never counts. Raises ValueError below one day or for a naive instant.
    """
    if days < 1 or start_at.tzinfo is None:
        raise ValueError("one working day or more, from an instant with its offset")
    zone = ZoneInfo(time_zone)
    day = start_at.astimezone(zone).date()
    while days:
        day += dt.timedelta(days=1)
        days -= is_working_day(country, day)
    return dt.datetime.combine(day, LAST_SECOND, tzinfo=zone).astimezone(dt.UTC)


@functools.cache
def _calendar(country: str) -> holidays.HolidayBase:
    # Years are added as they are asked for.
    return holidays.country_holidays(country)
