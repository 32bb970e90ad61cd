"""Two persons of the staff agree to a filing: one reviews it, another approves it.

Either may reopen it until a file of it is exported. From then on its ids are used up: they are unique for
ever, and an authority refuses one that it has seen. What is wrong in it is put right by another filing.
"""

from __future__ import annotations

from datetime import datetime

import structlog

from dac7 import filing_metrics as metrics
from dac7.errors.filings import (
    FilingNotFound,
    FilingNotReady,
    OtherPersonNeeded,
    ReasonMissing,
    ReviewMissing,
)
from dac7.lifecycle.filings import FILING, SECOND_PERSON, STAFF
from dac7.models.filings import Filing, FilingOmission
from foundation.db import atomic_retry
from foundation.lifecycle import Transition, UnknownTransition

logger = structlog.get_logger(__name__)


@atomic_retry
def review_filing(*, filing_id: str, staff_id: str, note: str, now: datetime) -> None:
    """Say that the filing was looked at and is right; a later review takes the place of an earlier one.

    Raises FilingNotFound, FilingNotReady (not validated), ReasonMissing.
    """
    filing, row = locked_for(filing_id, "review", STAFF)
    _move(filing, row, reviewed_by=_staff(staff_id), reviewed_at=now, review_note=_reason(note))


@atomic_retry
def approve_filing(*, filing_id: str, staff_id: str, note: str, now: datetime) -> None:
    """Let the filing out.

    Raises FilingNotFound, FilingNotReady (not validated), ReasonMissing, ReviewMissing,
    OtherPersonNeeded (who reviewed it).
    """
    filing, row = locked_for(filing_id, "approve", SECOND_PERSON)
    if not filing.reviewed_by:
        raise ReviewMissing
    if filing.reviewed_by == _staff(staff_id):
        raise OtherPersonNeeded("You reviewed it: somebody else has to approve it.")
    _move(filing, row, approved_by=_staff(staff_id), approved_at=now, approval_note=_reason(note))


@atomic_retry
def reopen_filing(*, filing_id: str, staff_id: str, reason: str, now: datetime) -> None:
    """Have it compiled again from newer data; review and approval do not count any more.

    Raises FilingNotFound, FilingNotReady (exported already), ReasonMissing.
    """
    filing, row = locked_for(filing_id, "reopen", STAFF)
    # Who was left out may have answered since; whoever has not is found again.
    FilingOmission.objects.filter(filing=filing).delete()
    collect_again(filing, row, reason)


def collect_again(filing: Filing, row: Transition, reason: str) -> None:
    """Move a locked filing back to collecting. Raises ReasonMissing."""
    none: dict[str, object] = {"checked_at": None, "compiled_at": None, "statements_sent_at": None}
    for who in ("reviewed", "approved"):
        none |= {f"{who}_by": "", f"{who}_at": None}
    _move(filing, row, reason=_reason(reason), review_note="", approval_note="", **none)


def locked_for(filing_id: str, verb: str, actor: str) -> tuple[Filing, Transition]:
    """The filing, locked, and the row that allows the verb. Raises FilingNotFound, FilingNotReady."""
    filing = Filing.objects.select_for_update().filter(id=filing_id).first()
    if filing is None:
        raise FilingNotFound(f"There is no filing {filing_id}.")
    try:
        return filing, FILING.row(filing.status, verb, actor)
    except UnknownTransition:
        raise FilingNotReady(f"{filing} is {filing.status}.") from None


def _move(filing: Filing, row: Transition, **values: object) -> None:
    filing.status = row.target
    for name, value in values.items():
        setattr(filing, name, value)
    filing.save(update_fields=["status", *values])
    metrics.FILING_MOVES.labels(row.verb).inc()
    logger.info("filing_moved", filing_id=filing.id, verb=row.verb, status=row.target)


def _staff(staff_id: str) -> str:
    return f"staff:{staff_id}"


def _reason(note: str) -> str:
    if not note.strip():
        raise ReasonMissing
    return note.strip()
