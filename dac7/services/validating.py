"""Checks a compiled filing: its files against the authority's schema and against every rule."""

from __future__ import annotations

import tempfile
import time
from collections import Counter
from datetime import datetime
from zoneinfo import ZoneInfo

import structlog
from django.conf import settings

from dac7 import filing_metrics as metrics
from dac7.errors.filings import FilingNotReady
from dac7.lifecycle.filings import FILING, WORKER, FilingStatus
from dac7.message.checking import check_message
from dac7.message.dialects import DIALECTS
from dac7.message.findings import Finding
from dac7.message.rules import RULES
from dac7.message.schemas import SchemaUnusable, load_schema
from dac7.models.filings import DETAIL_LENGTH, Filing, FilingFinding, FilingMessage
from dac7.queries.filings import FiledBefore, get_filing
from dac7.services.rendering import write_again
from foundation.db import atomic_retry

logger = structlog.get_logger(__name__)

_CET = ZoneInfo("Europe/Brussels")


def validate_filing(*, filing_id: str, now: datetime) -> FilingStatus:
    """Apply the schema and all rules; gives the status, which is validated if nothing but warnings is found.

    What is found is kept as FilingFinding rows, in place of those of the last time. Raises FilingNotFound,
    FilingNotReady (not compiled), FilingChanged.
    """
    filing = get_filing(filing_id)
    _require_compiled(filing)
    started = time.monotonic()
    messages = list(FilingMessage.objects.filter(filing=filing).select_related("filing").order_by("part"))
    found: list[tuple[FilingMessage | None, Finding]] = []
    try:
        schema = load_schema(DIALECTS[filing.dialect], settings.DAC7_SCHEMA_DIR)
    except SchemaUnusable as unusable:
        found.append((None, Finding(unusable.rule, str(unusable))))
    else:
        for message in messages:
            # Without a name: personal data leaves no file behind.
            with tempfile.TemporaryFile() as file:
                write_again(file, message)
                file.seek(0)
                findings = check_message(
                    file,
                    DIALECTS[filing.dialect],
                    schema,
                    year=filing.year,
                    today=now.astimezone(_CET).date(),
                    known=FiledBefore(filing),
                )
            found += [(message, finding) for finding in findings]
    status = _record(filing, found, now)
    for rule, times in Counter(finding.rule for _, finding in found).items():
        metrics.FINDINGS.labels(rule).inc(times)
    metrics.VALIDATE_SECONDS.observe(time.monotonic() - started)
    logger.info("filing_checked", filing_id=filing_id, status=status.value, findings=len(found))
    return status


def _require_compiled(filing: Filing) -> None:
    if filing.status != FilingStatus.COMPILED:
        raise FilingNotReady(f"{filing} is {filing.status}; only a compiled filing is validated.")


@atomic_retry
def _record(
    checked: Filing, found: list[tuple[FilingMessage | None, Finding]], now: datetime
) -> FilingStatus:
    filing = Filing.objects.select_for_update().get(id=checked.id)
    _require_compiled(filing)
    if filing.compiled_at != checked.compiled_at:
        raise FilingNotReady(f"{filing} was compiled anew while it was checked.")
    FilingFinding.objects.filter(filing=filing).delete()
    FilingFinding.objects.bulk_create(
        FilingFinding(
            filing=filing,
            message=message,
            rule=finding.rule,
            is_warning=RULES[finding.rule].is_warning,
            doc_ref=finding.doc_ref,
            detail=finding.detail[:DETAIL_LENGTH],
        )
        for message, finding in found
    )
    filing.checked_at = now
    if all(RULES[finding.rule].is_warning for _, finding in found):
        filing.status = FILING.row(filing.status, "validate", WORKER).target
        metrics.FILING_MOVES.labels("validate").inc()
    filing.save(update_fields=["status", "checked_at"])
    return FilingStatus(filing.status)
