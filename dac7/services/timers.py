"""What the clock brings about with requests, sales, filings and profiles (foundation.sandbox)."""

from __future__ import annotations

from datetime import datetime

from dac7.models import InformationRequest, ProfileCheck
from dac7.quarters import local_date, quarter_of, quarter_start
from dac7.queries.diligence import find_read_until
from dac7.services import rechecking
from dac7.services.advancing import next_january, sweep_filings
from dac7.services.closing import enforce_stops
from dac7.services.diligence import sweep_requests
from dac7.services.erasing import purge_dossiers
from dac7.services.verifying import ask_registries
from dac7.services.watching import (
    OFFERS_READER,
    READER,
    check_quarter,
    rules_now,
    tell_offering_sellers,
    watch_sales,
)
from foundation.sandbox import Sweeper, earliest, register


def watch(*, now: datetime) -> int:
    """Read the ledger's sales up to now; 0 when they were."""
    read_until = find_read_until(READER)
    if read_until is not None and read_until >= now:
        return 0
    watch_sales(now=now)
    return 1


def tell(*, now: datetime) -> int:
    """Those who put something on offer up to now; 0 when they were told."""
    read_until = find_read_until(OFFERS_READER)
    if read_until is not None and read_until >= now:
        return 0
    return tell_offering_sellers(now=now)


def look_back(*, now: datetime) -> int:
    """Changes of former years up to now; 0 when they were read."""
    read_until = find_read_until(rechecking.READER)
    if read_until is not None and read_until >= now:
        return 0
    return rechecking.note_late_changes(now=now)


def check(*, now: datetime) -> int:
    """The quarter that is over, once."""
    return int(check_quarter(now=now) is not None)


def next_quarter(*, after: datetime) -> datetime | None:
    """When the quarter ends at the operator."""
    time_zone = rules_now(after)[1].time_zone
    return quarter_start(quarter_of(local_date(after, time_zone)).next(), time_zone)


def register_sweepers() -> None:
    """Called once the apps are loaded."""
    due = earliest(InformationRequest.objects.all(), "due_at")
    register(Sweeper("dac7.offers", sweep=tell))
    register(Sweeper("dac7.sales", sweep=watch))
    register(Sweeper("dac7.quarters", sweep=check, next_due=next_quarter))
    register(Sweeper("dac7.filings", sweep=sweep_filings, next_due=next_january))
    register(Sweeper("dac7.changes", sweep=look_back))
    register(Sweeper("dac7.stops", sweep=enforce_stops))
    register(Sweeper("dac7.requests", sweep=sweep_requests, next_due=due))
    asked = earliest(ProfileCheck.objects.all(), "due_at")
    register(Sweeper("dac7.profile_checks", sweep=ask_registries, next_due=asked))
    register(Sweeper("dac7.dossiers", sweep=purge_dossiers))
