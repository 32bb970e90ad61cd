"""Deletes what was reported of sellers once nobody may question it; that something was filed stays."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any, Final

import structlog
from django.db import transaction
from django.db.models import QuerySet

from dac7.models import AccessLog, DiligenceEvent, FrozenSeller, InformationRequest, LateChange, SellerYear
from dac7.models.filings import FilingOmission, FilingRecord, RecordedMember
from dac7.queries.filings import seller_of
from dac7.retention import kept_until, shortest_term
from dac7.states import MEMBER_STATES, rules_of

logger = structlog.get_logger(__name__)

BATCH: Final = 500


def forget_records(*, now: datetime) -> int:
    """Delete records whose time is over in the operator's and the sellers' states; gives how many.

    Filings, their files' checksums and the authority's answers hold no personal data and stay. The files of
    such a filing cannot be written again.
    """
    forgotten, last = 0, ""
    # Whose state's term it is stands in the record, which has to be opened: so only those that may be over.
    oldest = FilingRecord.objects.filter(filing__year__lt=now.year - shortest_term())
    rows = oldest.select_related("filing").order_by("id")
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


def forget_figures(*, now: datetime) -> int:
    """Delete frozen figures, requests, their log and that of reveals once no state's term holds them; gives
    how many rows.

    Sums by decision name nobody and stay, with what was compiled when.
    """
    forgotten = 0
    # No state keeps for less than a year, so younger years need no look.
    for year in sorted(set(SellerYear.objects.filter(year__lt=now.year - 1).values_list("year", flat=True))):
        last = max(kept_until(state, last_year=year, operator_state=state) for state in MEMBER_STATES)
        if last >= now.date():
            break
        for rows in (
            FrozenSeller.objects.filter(compilation__year=year),
            DiligenceEvent.objects.filter(year=year),
            InformationRequest.objects.filter(year=year, is_open__isnull=True),
            SellerYear.objects.filter(year=year),
            FilingOmission.objects.filter(filing__year=year),
            LateChange.objects.filter(year=year),
        ):
            forgotten += _delete(rows)
    forgotten += _delete(AccessLog.objects.filter(happened_at__lt=_nobody_asks_before(now)))
    if forgotten:
        logger.info("tax_figures_forgotten", count=forgotten)
    return forgotten


def _nobody_asks_before(now: datetime) -> datetime:
    """The beginning of the first year of which some state's term still runs."""
    years = max(rules_of(state, now.year).retention_years for state in MEMBER_STATES)
    return datetime(now.year - years, 1, 1, tzinfo=UTC)


def _delete(rows: QuerySet[Any]) -> int:
    deleted = 0
    while ids := list(rows.values_list("id", flat=True)[:BATCH]):
        deleted += rows.model._default_manager.filter(id__in=ids).delete()[0]
    return deleted


def _kept_until(record: FilingRecord) -> date:
    filing = record.filing
    states = seller_of(record).residences or (filing.state,)
    return max(kept_until(state, last_year=filing.year, operator_state=filing.state) for state in states)
