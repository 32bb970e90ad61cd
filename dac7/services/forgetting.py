"""Deletes what was reported of sellers once nobody may question it; that something was filed stays."""

from __future__ import annotations

from datetime import date, datetime
from typing import Final

import structlog
from django.db import transaction

from dac7.models.filings import FilingRecord, RecordedMember
from dac7.queries.filings import seller_of
from dac7.retention import kept_until

logger = structlog.get_logger(__name__)

BATCH: Final = 500


def forget_records(*, now: datetime) -> int:
    """Delete records whose time is over in the operator's and the sellers' states; gives how many.

    Filings, their files' checksums and the authority's answers hold no personal data and stay. The files of
    such a filing cannot be written again.
    """
    forgotten, last = 0, ""
    # No state keeps for less than a year, so younger rows need no look.
    rows = FilingRecord.objects.filter(filing__year__lt=now.year - 1).select_related("filing").order_by("id")
    while page := list(rows.filter(id__gt=last)[:BATCH]):
        last = page[-1].id
        over = [record.id for record in page if _kept_until(record) < now.date()]
        with transaction.atomic():
            RecordedMember.objects.filter(record_id__in=over).delete()
            FilingRecord.objects.filter(id__in=over).delete()
        forgotten += len(over)
    if forgotten:
        logger.info("filing_records_forgotten", count=forgotten)
    return forgotten


def _kept_until(record: FilingRecord) -> date:
    filing = record.filing
    states = seller_of(record).residences or (filing.state,)
    return max(kept_until(state, last_year=filing.year, operator_state=filing.state) for state in states)
