"""Gives out the files of an approved filing, and notes whether they were handed in."""

from __future__ import annotations

import shutil
import tempfile
from datetime import datetime
from typing import IO, Final

import structlog
from django.conf import settings
from django.db import transaction

from dac7 import filing_metrics as metrics
from dac7.errors.filings import (
    FilingNotFound,
    FilingNotReady,
    FilingOpen,
    OtherPersonNeeded,
    ReasonMissing,
    SellersNotTold,
)
from dac7.lifecycle.filings import FILING, PUBLISHED, SECOND_PERSON, STAFF, FilingStatus
from dac7.message.encrypting import encrypt
from dac7.models.filings import Filing, FilingExport, FilingMessage
from dac7.services.approving import locked_for
from dac7.services.compiling import open_key_of
from dac7.services.rendering import write_again
from foundation.db import atomic_retry

logger = structlog.get_logger(__name__)

_BLOCK: Final = 1 << 20


def file_name_of(message: FilingMessage) -> str:
    """As the authority wants it, with .age behind it if it is encrypted."""
    return f"{message.file_name}.age" if settings.DAC7_AGE_RECIPIENTS else str(message.file_name)


def export_message(
    *, message_id: str, target: IO[bytes], by: str, reason: str, now: datetime
) -> FilingMessage:
    """Write one file of an approved filing, encrypted when DAC7_AGE_RECIPIENTS is set; gives its row.

    Its `sha256` is that of the file before it is encrypted. That it is given out is committed before the
    first byte is, and nothing is written unless the whole file is what was validated. Raises FilingNotFound,
    FilingNotReady (not approved, or reopened meanwhile), SellersNotTold, FilingChanged, ReasonMissing.
    """
    if not reason.strip():
        raise ReasonMissing
    message = FilingMessage.objects.select_related("filing").filter(id=message_id).first()
    if message is None:
        raise FilingNotFound(f"There is no file {message_id}.")
    _require_exportable(message.filing)
    with tempfile.TemporaryFile() as file, tempfile.TemporaryFile() as sealed:
        write_again(file, message)
        file.seek(0)
        ready = file
        if settings.DAC7_AGE_RECIPIENTS:
            encrypt(file, sealed, settings.DAC7_AGE_RECIPIENTS)
            sealed.seek(0)
            ready = sealed
        _note_export(message, by=by, reason=reason.strip(), now=now)
        shutil.copyfileobj(ready, target, _BLOCK)
    metrics.EXPORTS.labels("age" if settings.DAC7_AGE_RECIPIENTS else "plain").inc()
    logger.info(
        "filing_exported", filing_id=message.filing_id, message_id=message.id, actor=by, reason=reason
    )
    return message


def _require_exportable(filing: Filing) -> None:
    if filing.status not in PUBLISHED:
        raise FilingNotReady(f"{filing} is {filing.status}; only approved ones are exported.")
    if filing.statements_sent_at is None:
        raise SellersNotTold(f"The sellers in {filing} are being told of it first: try again in a minute.")


@atomic_retry
def _note_export(written: FilingMessage, *, by: str, reason: str, now: datetime) -> None:
    """That the file leaves the house; of this and reopening the filing, one comes first."""
    filing = Filing.objects.select_for_update().get(id=written.filing_id)
    _require_exportable(filing)
    if not FilingMessage.objects.filter(id=written.id).exists():
        raise FilingNotReady(f"{filing} was compiled anew while the file was written.")
    if filing.status == FilingStatus.APPROVED:
        filing.status = FILING.row(filing.status, "export", STAFF).target
        transaction.on_commit(metrics.FILING_MOVES.labels("export").inc)
    if filing.status == FilingStatus.EXPORTED:
        # Whoever may have handed it in; what is read again later changes nothing about that.
        filing.exported_by, filing.exported_at = by, now
        filing.save(update_fields=["status", "exported_by", "exported_at"])
    FilingExport.objects.create(
        message=written,
        exported_at=now,
        exported_by=by,
        reason=reason,
        is_encrypted=bool(settings.DAC7_AGE_RECIPIENTS),
    )


@atomic_retry
def file_filing(*, filing_id: str, staff_id: str, receipt: str, now: datetime) -> None:
    """Note that all files were handed in; ``receipt`` is what the authority gave for them.

    Raises FilingNotFound, FilingNotReady (not exported), FilingOpen (it was withdrawn, and another one of the
    year has been opened since), ReasonMissing (no receipt).
    """
    if not receipt.strip():
        raise ReasonMissing("Say how it was handed in: the authority's receipt.")
    filing, row = locked_for(filing_id, "file", STAFF)
    later = Filing.objects.filter(state=filing.state, year=filing.year, number__gt=filing.number).first()
    if later is not None:
        raise FilingOpen(f"{later} was opened in its place: ask the authority to delete {filing}.")
    filing.status, filing.filed_at, filing.filed_by = row.target, now, f"staff:{staff_id}"
    filing.filing_note, filing.open_key = receipt.strip(), open_key_of(filing.state, filing.year)
    filing.save(update_fields=["status", "filed_at", "filed_by", "filing_note", "open_key"])
    metrics.FILING_MOVES.labels(row.verb).inc()
    logger.info("filing_moved", filing_id=filing.id, verb=row.verb, status=row.target)


@atomic_retry
def withdraw_filing(*, filing_id: str, staff_id: str, reason: str, now: datetime) -> None:
    """Nothing of it was handed in, and nothing will be: the next filing of the year has ids of its own.

    Raises FilingNotFound, FilingNotReady (not exported, or handed in), OtherPersonNeeded (who exported a
    file of it: whether one left is not for one person to say), ReasonMissing.
    """
    if not reason.strip():
        raise ReasonMissing("Say how you know that no file of it was handed in.")
    filing, row = locked_for(filing_id, "withdraw", SECOND_PERSON)
    by = f"staff:{staff_id}"
    if FilingExport.objects.filter(message__filing=filing, exported_by=by).exists():
        raise OtherPersonNeeded("You exported a file of it: somebody else has to withdraw it.")
    filing.status, filing.open_key = row.target, None
    filing.withdrawn_by, filing.withdrawn_at, filing.withdrawal_note = by, now, reason.strip()
    filing.save(update_fields=["status", "open_key", "withdrawn_by", "withdrawn_at", "withdrawal_note"])
    metrics.FILING_MOVES.labels(row.verb).inc()
    logger.info("filing_moved", filing_id=filing.id, verb=row.verb, status=row.target)
