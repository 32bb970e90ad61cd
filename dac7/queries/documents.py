"""Evidence documents as data; their content is opened by dac7.services.revealing only."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from dac7.errors.profiles import TaxDocumentNotFound
from dac7.models import TaxDocument

MAX_DOCUMENTS = 20


@dataclass(frozen=True, slots=True)
class DocumentFacts:
    """A document as its owner sees it. `reason`: what staff said of it."""

    id: str
    kind: str
    media_type: str
    size: int
    status: str
    reason: str
    uploaded_at: datetime
    decided_at: datetime | None


def document_facts(document: TaxDocument) -> DocumentFacts:
    """The row as data."""
    return DocumentFacts(
        id=document.id,
        kind=document.kind,
        media_type=document.media_type,
        size=document.size,
        status=document.status,
        reason=document.reason,
        uploaded_at=document.uploaded_at,
        decided_at=document.decided_at,
    )


def list_documents(member_id: str) -> list[DocumentFacts]:
    """The latest first; at most MAX_DOCUMENTS and a few."""
    rows = TaxDocument.objects.filter(member_id=member_id).order_by("-id")
    return [document_facts(document) for document in rows[: 2 * MAX_DOCUMENTS]]


def get_document(member_id: str, document_id: str) -> DocumentFacts:
    """One of this member's. Raises TaxDocumentNotFound."""
    document = TaxDocument.objects.filter(id=document_id, member_id=member_id).first()
    if document is None:
        raise TaxDocumentNotFound
    return document_facts(document)
