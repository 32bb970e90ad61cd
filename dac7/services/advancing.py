"""What moves by itself: January opens the year's filing, workers compile and check what waits."""

from __future__ import annotations

import math
from datetime import date, datetime
from typing import Final
from zoneinfo import ZoneInfo

import structlog
from django.db.models import Q

from dac7 import filing_metrics as metrics
from dac7.errors.filings import FilingClaimed, FilingNotReady
from dac7.lifecycle.filings import FilingStatus
from dac7.models.filings import Filing
from dac7.queries.corrections import is_reported
from dac7.queries.filings import get_filing
from dac7.services.announcing import announce_statements
from dac7.services.compiling import Source, compile_filing, open_filing
from dac7.services.figuring import reported_sellers
from dac7.services.validating import validate_filing
from foundation.errors import DomainError

logger = structlog.get_logger(__name__)

_CET: Final = ZoneInfo("Europe/Brussels")
JANUARY: Final = 1


def open_january_filing(*, now: datetime) -> str | None:
    """In January the filing of the year before; at any other time nothing. Safe to ring at any time."""
    local = now.astimezone(_CET)
    year, filing_id = local.year - 1, None
    if local.month == JANUARY:
        filing_id = open_filing(year=year, by="clock", reason=f"Report of {year}, due on 31 January", now=now)
    _measure_due(year, local.date())
    return filing_id


def _measure_due(year: int, today: date) -> None:
    is_due = Filing.objects.filter(year=year).exists() and not is_reported(year)
    metrics.DUE_DAYS.set((date(year + 1, JANUARY, 31) - today).days if is_due else math.inf)


def advance_filing(*, filing_id: str, now: datetime, source: Source = reported_sellers) -> FilingStatus:
    """Compile what is collecting and check what is compiled; gives the status it came to.

    Raises FilingNotFound, and what compiling and validating raise; another worker at it is no error.
    """
    try:
        if get_filing(filing_id).status == FilingStatus.COLLECTING:
            compile_filing(filing_id=filing_id, source=source, now=now)
        if get_filing(filing_id).status == FilingStatus.COMPILED:
            return validate_filing(filing_id=filing_id, now=now)
    except (FilingClaimed, FilingNotReady):
        pass
    return FilingStatus(get_filing(filing_id).status)


def list_waiting(*, now: datetime) -> list[str]:
    """Filings that nobody compiles or has checked; those whose check found errors wait for staff."""
    free = Q(claim__isnull=True) | Q(claimed_until__lt=now)
    collecting = Q(status=FilingStatus.COLLECTING) & free
    unchecked = Q(status=FilingStatus.COMPILED, checked_at__isnull=True)
    return list(Filing.objects.filter(collecting | unchecked).order_by("id").values_list("id", flat=True))


def sweep_filings(*, now: datetime) -> int:
    """All of it at once, for a sandbox whose clock runs ahead; gives how many steps were taken."""
    before = Filing.objects.count()
    open_january_filing(now=now)
    steps = Filing.objects.count() - before
    for filing_id in list_waiting(now=now):
        status = get_filing(filing_id).status
        try:
            steps += advance_filing(filing_id=filing_id, now=now) != status
        except DomainError as error:
            # The page of the filing says it too; the clock goes on without it.
            logger.warning("filing_not_advanced", filing_id=filing_id, code=error.code)
    return steps + announce_statements(now=now)


def next_january(*, after: datetime) -> datetime | None:
    """When the next year's filing opens."""
    return datetime(after.astimezone(_CET).year + 1, JANUARY, 1, tzinfo=_CET)
