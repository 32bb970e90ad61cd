"""Tells sellers that their copy is there, before the report goes out."""

from __future__ import annotations

from datetime import datetime
from typing import Final

import structlog

from dac7 import filing_metrics as metrics
from dac7.lifecycle.filings import PUBLISHED
from dac7.models.filings import Filing, RecordedMember
from dac7.queries.filings import list_untold
from dac7.statements.notices import STATEMENT_READY
from foundation.db import atomic_retry
from members.services.notices import NewNotice, notify_many

logger = structlog.get_logger(__name__)

BATCH: Final = 500
_MOST_BATCHES: Final = 40


def announce_statements(*, now: datetime) -> int:
    """Tell sellers of approved filings, some at a time; gives how many. The next ring goes on from there."""
    told = 0
    waiting = Filing.objects.filter(status__in=[s.value for s in PUBLISHED], statements_sent_at__isnull=True)
    for filing_id in waiting.order_by("id").values_list("id", flat=True):
        for _ in range(_MOST_BATCHES):
            batch = _announce(filing_id, now)
            told += batch
            if batch < BATCH:
                break
    return told


@atomic_retry
def _announce(filing_id: str, now: datetime) -> int:
    filing = Filing.objects.select_for_update().get(id=filing_id)
    if filing.status not in PUBLISHED or filing.statements_sent_at is not None:
        return 0  # reopened, or done by another worker meanwhile
    rows = list_untold(filing_id, limit=BATCH)
    notify_many(
        (
            NewNotice(
                member_id=member_id,
                kind=STATEMENT_READY,
                params={"year": filing.year},
                subject=f"tax-statement:{filing.year}",
                key=f"tax-statement:{filing.year}:{filing.number}",
            )
            for _, member_id in rows
        ),
        now=now,
    )
    RecordedMember.objects.filter(id__in=[row_id for row_id, _ in rows]).update(told_at=now)
    if len(rows) < BATCH:
        filing.statements_sent_at = now
        filing.save(update_fields=["statements_sent_at"])
        logger.info("statements_announced", filing_id=filing_id)
    metrics.STATEMENTS_ANNOUNCED.inc(len(rows))
    return len(rows)
