"""Gives out the files of an approved filing, and notes that they were handed in."""

from __future__ import annotations

import tempfile
from datetime import datetime
from typing import IO, Final

import structlog
from django.conf import settings

from dac7 import filing_metrics as metrics
from dac7.errors.filings import FilingNotFound, FilingNotReady, ReasonMissing
from dac7.lifecycle.filings import PUBLISHED, STAFF
from dac7.message.encrypting import encrypt
from dac7.models.filings import FilingMessage
from dac7.services.approving import locked_for
from dac7.services.rendering import write_again
from foundation.db import atomic_retry

logger = structlog.get_logger(__name__)

_BLOCK: Final = 1 << 20


def file_name_of(message: FilingMessage) -> str:
    """As the authority wants it, with .age behind it if it is encrypted."""
    return f"{message.file_name}.age" if settings.DAC7_AGE_RECIPIENTS else str(message.file_name)


def export_message(*, message_id: str, target: IO[bytes], by: str, reason: str) -> FilingMessage:
    """Write one file of an approved filing, encrypted when DAC7_AGE_RECIPIENTS is set; gives its row.

    Its `sha256` is that of the file before it is encrypted. Nothing is written unless the whole file is what
    was validated. Raises FilingNotFound, FilingNotReady (not approved), FilingChanged, ReasonMissing.
    """
    if not reason.strip():
        raise ReasonMissing
    message = FilingMessage.objects.select_related("filing").filter(id=message_id).first()
    if message is None:
        raise FilingNotFound(f"There is no file {message_id}.")
    if message.filing.status not in PUBLISHED:
        raise FilingNotReady(f"{message.filing} is {message.filing.status}; only approved ones are exported.")
    with tempfile.TemporaryFile() as file:
        write_again(file, message)
        file.seek(0)
        if settings.DAC7_AGE_RECIPIENTS:
            encrypt(file, target, settings.DAC7_AGE_RECIPIENTS)
        else:
            while block := file.read(_BLOCK):
                target.write(block)
    metrics.EXPORTS.labels("age" if settings.DAC7_AGE_RECIPIENTS else "plain").inc()
    logger.info(
        "filing_exported", filing_id=message.filing_id, message_id=message.id, actor=by, reason=reason
    )
    return message


@atomic_retry
def file_filing(*, filing_id: str, staff_id: str, receipt: str, now: datetime) -> None:
    """Note that all files were handed in; ``receipt`` is what the authority gave for them.

    Raises FilingNotFound, FilingNotReady (not approved), ReasonMissing (no receipt).
    """
    if not receipt.strip():
        raise ReasonMissing("Say how it was handed in: the authority's receipt.")
    filing, row = locked_for(filing_id, "file", STAFF)
    filing.status, filing.filed_at, filing.filed_by = row.target, now, f"staff:{staff_id}"
    filing.filing_note = receipt.strip()
    filing.save(update_fields=["status", "filed_at", "filed_by", "filing_note"])
    metrics.FILING_MOVES.labels(row.verb).inc()
    logger.info("filing_moved", filing_id=filing.id, verb=row.verb, status=row.target)
