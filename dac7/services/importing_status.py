"""Takes in what an authority answers. Either the whole status message counts, or nothing of it."""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import Final, NoReturn

import structlog
from django.db.models import F, Value
from django.db.models.functions import Concat

from dac7 import filing_metrics as metrics
from dac7.errors.filings import StatusRefused
from dac7.lifecycle.filings import AUTHORITY, FILING, RECORD, FilingStatus, RecordStatus
from dac7.message.statuses import MessageStatus, RecordError, read_status
from dac7.models.filings import Filing, FilingMessage, FilingRecord
from dac7.queries.filings import OPERATOR_ERROR
from foundation.db import atomic_retry
from foundation.encryption import sealed
from foundation.xml_reading import RefusedXml

logger = structlog.get_logger(__name__)

_CHUNK: Final = 500
_ANSWERED: Final = (FilingStatus.ACCEPTED, FilingStatus.PARTLY_ACCEPTED, FilingStatus.REJECTED)


def import_status(*, data: bytes, by: str, now: datetime) -> str:
    """Take in a status file; gives the id of the message answered. The same file again changes nothing.

    Raises StatusRefused, with `rule` in its extra: ``doctype``, ``encoding``, ``not_well_formed``,
    ``too_large``, ``status_form_unknown``, ``status_schema``, ``status_code_unknown``,
    ``status_contradicts_itself``, ``status_of_unknown_message``, ``status_not_expected`` (not handed in),
    ``status_already_known`` (another answer) or ``status_foreign_record``.
    """
    try:
        status = read_status(data)
        return _take_in(status, hashlib.sha256(data).hexdigest(), by, now)
    except RefusedXml as refused:
        metrics.ANSWERS.labels("refused").inc()
        logger.warning("filing_answer_refused", rule=refused.rule, actor=by)
        raise StatusRefused(str(refused), extra={"rule": refused.rule}) from None


def _refuse(rule: str, words: str) -> NoReturn:
    raise RefusedXml(rule, words)


@atomic_retry
def _take_in(status: MessageStatus, sha256: str, by: str, now: datetime) -> str:
    filing_id = (
        FilingMessage.objects.filter(message_ref=status.message_ref)
        .values_list("filing_id", flat=True)
        .first()
    )
    if filing_id is None:
        _refuse("status_of_unknown_message", "The answer is to a message that was not sent from here.")
    filing = Filing.objects.select_for_update().get(id=filing_id)
    message = FilingMessage.objects.select_for_update().get(message_ref=status.message_ref)
    if message.answer_sha256 == sha256:
        return str(message.id)
    if message.status != RecordStatus.PENDING:
        _refuse("status_already_known", f"There is another answer to {message.message_ref} already.")
    if filing.status != FilingStatus.FILED:
        _refuse("status_not_expected", f"{filing} is {filing.status}: it was not handed in.")
    errors = _errors(message, status)
    _apply(filing, message, status, errors)
    codes = list(status.file_errors)
    if of_operator := errors.get(message.operator_ref):
        codes.append(f"{OPERATOR_ERROR}{of_operator.code}")
    message.status = _next("accept" if status.is_accepted else "reject")
    message.answered_at, message.answered_by, message.answer_sha256 = now, by, sha256
    message.answer_codes = " ".join(codes)[:200]
    message.save(update_fields=["status", "answered_at", "answered_by", "answer_sha256", "answer_codes"])
    _conclude(filing)
    metrics.ANSWERS.labels("accepted" if status.is_accepted else "rejected").inc()
    logger.info(
        "filing_answered",
        filing_id=filing.id,
        message_id=message.id,
        status=message.status,
        errors=len(errors),
    )
    return str(message.id)


def _next(verb: str) -> str:
    return RECORD.row(RecordStatus.PENDING, verb, AUTHORITY).target


def _errors(message: FilingMessage, status: MessageStatus) -> dict[str, RecordError]:
    """By record, once it is sure that all of them are records of this message."""
    errors = {ref: error for error in status.record_errors for ref in error.refs}
    refs = list(errors)
    known = {message.operator_ref}
    for start in range(0, len(refs), _CHUNK):
        rows = FilingRecord.objects.filter(message=message, doc_ref__in=refs[start : start + _CHUNK])
        known.update(rows.values_list("doc_ref", flat=True))
    if foreign := len(set(refs) - known):
        _refuse(
            "status_foreign_record", f"{foreign} of the records in error are not in {message.message_ref}."
        )
    return errors


def _apply(
    filing: Filing, message: FilingMessage, status: MessageStatus, errors: dict[str, RecordError]
) -> None:
    for ref, error in errors.items():
        row_id = (
            FilingRecord.objects.filter(message=message, doc_ref=ref).values_list("id", flat=True).first()
        )
        if row_id is None:
            continue  # the operator's
        told = sealed(FilingRecord, "error_details", row_id=row_id, value=error.details)
        FilingRecord.objects.filter(id=row_id).update(
            status=_next("find_error"), error_code=error.code, error_details=told if error.details else None
        )
    others = FilingRecord.objects.filter(message=message, status=RecordStatus.PENDING)
    if not status.is_accepted:
        others.update(status=_next("reject"))
        return
    others.update(status=_next("accept"))
    accepted = FilingRecord.objects.filter(message=message, status=RecordStatus.ACCEPTED)
    corrected = list(accepted.exclude(corrects_ref="").values_list("corrects_ref", flat=True))
    for start in range(0, len(corrected), _CHUNK):
        rows = FilingRecord.objects.filter(doc_ref__in=corrected[start : start + _CHUNK])
        rows.update(standing_key=None)
    accepted.exclude(kind="OECD3").update(
        standing_key=Concat(Value(f"{filing.state}{filing.year}:"), F("seller_id"))
    )


def _conclude(filing: Filing) -> None:
    """Once every message is answered, the filing is."""
    statuses = set(filing.messages.values_list("status", flat=True))
    if RecordStatus.PENDING in statuses:
        return
    in_error = filing.records.filter(status=RecordStatus.IN_ERROR).exists()
    if statuses == {RecordStatus.REJECTED}:
        verb = "reject"
    else:
        verb = "accept" if statuses == {RecordStatus.ACCEPTED} and not in_error else "accept_partly"
    filing.status = FILING.row(filing.status, verb, AUTHORITY).target
    filing.open_key = None
    filing.save(update_fields=["status", "open_key"])
    metrics.FILING_MOVES.labels(verb).inc()
    if verb == "reject":
        return
    before = Filing.objects.filter(state=filing.state, year=filing.year, number__lt=filing.number)
    for source in _ANSWERED:
        row = FILING.row(source, "correct", AUTHORITY)
        before.filter(status=row.source).update(status=row.target)
