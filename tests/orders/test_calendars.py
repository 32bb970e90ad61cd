"""Working days: worked example 12, the edges of days, and every market that is shipped."""

from __future__ import annotations

import csv
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from members.management.commands.load_markets import DATA
from orders.calendars import end_of_working_day, is_working_day

BERLIN = ZoneInfo("Europe/Berlin")
NAIVE = datetime(2026, 6, 1)  # noqa: DTZ001  # what must be refused


def in_germany(start_at: datetime, days: int = 5) -> datetime:
    return end_of_working_day(start_at, days=days, country="DE", time_zone="Europe/Berlin")


class TestEndOfWorkingDay:
    def test_of_worked_example_12_skips_easter(self) -> None:
        due_at = in_germany(datetime(2026, 4, 2, 10, tzinfo=BERLIN))
        assert due_at == datetime(2026, 4, 13, 23, 59, 59, tzinfo=BERLIN)
        assert due_at.isoformat() == "2026-04-13T21:59:59+00:00"

    def test_counts_from_the_local_day(self) -> None:
        """22:30 UTC on Monday is Tuesday in Berlin in summer."""
        assert in_germany(datetime(2026, 6, 8, 21, 30, tzinfo=UTC), 1).astimezone(BERLIN).day == 9
        assert in_germany(datetime(2026, 6, 8, 22, 30, tzinfo=UTC), 1).astimezone(BERLIN).day == 10

    def test_that_starts_on_a_weekend_starts_with_monday(self) -> None:
        assert in_germany(datetime(2026, 6, 13, 12, tzinfo=BERLIN), 1).astimezone(BERLIN).day == 15

    def test_keeps_local_time_when_the_clocks_change(self) -> None:
        before = in_germany(datetime(2026, 3, 26, 12, tzinfo=BERLIN), 1)
        after = in_germany(datetime(2026, 3, 27, 12, tzinfo=BERLIN), 1)
        assert (before.hour, after.hour) == (22, 21)

    def test_differs_between_markets(self) -> None:
        """The 11th of March is a holiday in Lithuania and a Wednesday in Germany."""
        assert not is_working_day("LT", date(2026, 3, 11))
        assert is_working_day("DE", date(2026, 3, 11))

    @pytest.mark.parametrize(("moment", "days"), [(datetime(2026, 6, 1, tzinfo=UTC), 0), (NAIVE, 1)])
    def test_needs_days_and_an_offset(self, moment: datetime, days: int) -> None:
        with pytest.raises(ValueError, match="one working day or more"):
            in_germany(moment, days)

    @settings(max_examples=30)
    @given(st.datetimes(NAIVE, NAIVE + timedelta(days=1500), timezones=st.just(UTC)), st.integers(1, 10))
    def test_is_a_working_day_and_never_earlier_for_more_days(self, start_at: datetime, days: int) -> None:
        due_at = in_germany(start_at, days)
        assert is_working_day("DE", due_at.astimezone(BERLIN).date())
        assert start_at + timedelta(days=days - 1) < due_at < in_germany(start_at, days + 1)


class TestMarkets:
    def test_that_are_shipped_all_have_a_calendar(self) -> None:
        """New Year's Day was a holiday in each of them (Ukraine has none under martial law)."""
        with DATA.open(encoding="utf-8") as file:
            codes = [row["code"] for row in csv.DictReader(file)]
        assert [code for code in codes if is_working_day(code, date(2020, 1, 1))] == []
