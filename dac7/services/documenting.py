"""Evidence that sellers send: looked at by its bytes, sealed, stored; and what staff decides of it."""

from __future__ import annotations

from datetime import datetime

import structlog
from django.core.files.base import ContentFile
from django.core.files.storage import storages

from dac7 import metrics
from dac7.errors.profiles import (
    ReasonRequired,
    TaxDocumentNotFound,
    TaxDocumentStatusConflict,
    TooManyTaxDocuments,
)
from dac7.evidence import inspect
from dac7.lifecycle.profiles import DOCUMENT, STAFF
from dac7.models import TaxDocument
from dac7.queries.documents import MAX_DOCUMENTS, DocumentFacts, document_facts
from foundation.db import atomic_retry
from foundation.encryption import new_file_key, seal_file
from foundation.errors import DomainError, Unavailable
from foundation.ids import new_id
from foundation.lifecycle import UnknownTransition

logger = structlog.get_logger(__name__)

STORAGE = "documents"


def send_document(
    *, member_id: str, kind: str, content: bytes, declared_type: str, file_name: str, now: datetime
) -> DocumentFacts:
    """Store a document. Raises TooManyTaxDocuments and what evidence.inspect raises."""
    # Two requests at once may pass it by one: it keeps the list short, nothing else depends on it.
    if TaxDocument.objects.filter(member_id=member_id).count() >= MAX_DOCUMENTS:
        raise TooManyTaxDocuments
    try:
        evidence = inspect(content, declared_type=declared_type, file_name=file_name)
    except DomainError as error:
        metrics.DOCUMENTS.labels(error.code).inc()
        raise
    document = TaxDocument(
        id=new_id(),
        member_id=member_id,
        kind=kind,
        media_type=evidence.media_type,
        size=len(evidence.content),
        file_key=new_file_key(),
        uploaded_at=now,
    )
    # The file first: a row without its file is a lie, a file without its row opens for nobody.
    storage = storages[STORAGE]
    try:
        storage.save(document.file_name, ContentFile(seal_file(document.file_key, evidence.content)))
    except OSError:  # a full disk; foundation.buckets makes a silent bucket one too
        logger.warning("tax_document_not_stored", document_id=document.id, exc_info=True)
        raise Unavailable(retry_after_s=30) from None
    try:
        document.save(force_insert=True)
    except Exception:
        storage.delete(document.file_name)
        raise
    metrics.DOCUMENTS.labels("stored").inc()
    logger.info("tax_document_stored", document_id=document.id, kind=kind, size=document.size)
    return document_facts(document)


@atomic_retry
def accept_document(*, document_id: str, staff_id: str, note: str, now: datetime) -> None:
    """It shows what it is to show. Raises TaxDocumentNotFound, TaxDocumentStatusConflict, ReasonRequired."""
    _decide(document_id, "accept", staff_id, note, now)


@atomic_retry
def refuse_document(*, document_id: str, staff_id: str, note: str, now: datetime) -> None:
    """It does not; `note` is told to the seller. Raises as accept_document."""
    _decide(document_id, "refuse", staff_id, note, now)


def _decide(document_id: str, verb: str, staff_id: str, note: str, now: datetime) -> None:
    document = TaxDocument.objects.select_for_update().filter(id=document_id).first()
    if document is None:
        raise TaxDocumentNotFound
    if not note.strip():
        raise ReasonRequired
    try:
        row = DOCUMENT.row(document.status, verb, STAFF)
    except UnknownTransition:
        raise TaxDocumentStatusConflict(
            f"{verb} is not possible while the document is {document.status}.",
            extra={"allowed_actions": list(DOCUMENT.verbs(document.status, STAFF))},
        ) from None
    document.status, document.reason = row.target, note.strip()
    document.decided_at, document.decided_by = now, f"staff:{staff_id}"
    document.save(update_fields=["status", "reason", "decided_at", "decided_by"])
    logger.info("tax_document_decided", document_id=document.id, verb=verb, staff_id=staff_id)
