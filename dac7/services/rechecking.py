"""Watches what was reported: refunds and chargebacks of years that are over make corrections due."""

from __future__ import annotations

from datetime import datetime

import structlog

from balance.queries.sales import list_changed_sales_between
from dac7 import filing_metrics as metrics
from dac7.models import LateChange, SalesCursor
from dac7.quarters import local_date, year_bounds
from dac7.queries.corrections import find_corrections_due, list_filed_years
from dac7.services.watching import MOST_STEPS, OVERLAP, STEP, rules_now
from foundation.db import atomic_retry

logger = structlog.get_logger(__name__)

READER = "changes"


def note_late_changes(*, now: datetime) -> int:
    """Read the ledger for changes of sales of former years, from where the last reading ended; how many.

    Read twice, a change is the same row. Then measures how many corrections are due.
    """
    year, rules = rules_now(now)
    cursor = SalesCursor.objects.filter(name=READER).first()
    since = year_bounds(year, rules.time_zone)[0] if cursor is None else cursor.read_until
    noted = 0
    for _ in range(MOST_STEPS):
        until = min(since + STEP, now)
        late = {
            (member_id, credited.year): changed_at
            for member_id, credited_at, changed_at in list_changed_sales_between(since - OVERLAP, until)
            if (credited := local_date(credited_at, rules.time_zone)).year
            < local_date(changed_at, rules.time_zone).year
        }
        _note(late, until)
        noted += len(late)
        since = until
        if since >= now:
            break
    _measure()
    return noted


@atomic_retry
def _note(late: dict[tuple[str, int], datetime], until: datetime) -> None:
    for (member_id, year), changed_at in sorted(late.items()):
        row, is_new = LateChange.objects.get_or_create(
            member_id=member_id, year=year, defaults={"changed_at": changed_at}
        )
        if not is_new and row.changed_at < changed_at:
            LateChange.objects.filter(id=row.id, changed_at__lt=changed_at).update(changed_at=changed_at)
    SalesCursor.objects.update_or_create(name=READER, defaults={"read_until": until})


def _measure() -> None:
    due = [found for year in list_filed_years() if (found := find_corrections_due(year)) is not None]
    for what in ("sales", "profiles", "answers", "refused"):
        metrics.CORRECTIONS_DUE.labels(what).set(sum(getattr(one, what) for one in due))
    for one in due:
        if one.sellers:
            logger.info("tax_corrections_due", year=one.year, sellers=one.sellers)
