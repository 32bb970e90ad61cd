"""Staff opens what is masked: with a reason, written down before anything is shown."""

from __future__ import annotations

from datetime import datetime

import structlog
from django.core.files.storage import storages

from dac7 import metrics
from dac7.dossiers import SellerDossier
from dac7.errors.profiles import ReasonRequired, TaxDocumentNotFound, TaxProfileNotFound
from dac7.models import AccessLog, TaxDocument, TaxProfile
from dac7.queries.profiles import iter_dossiers
from dac7.services.documenting import STORAGE
from foundation.encryption import open_file

logger = structlog.get_logger(__name__)


def reveal_dossier(*, member_id: str, staff_id: str, reason: str, now: datetime) -> SellerDossier:
    """All that is known of a seller, in the clear. Raises ReasonRequired, TaxProfileNotFound."""
    if not TaxProfile.objects.filter(member_id=member_id).exists():
        raise TaxProfileNotFound
    _log(member_id, staff_id, "dossier", reason, now)
    return next(iter_dossiers([member_id]))


def reveal_document(*, document_id: str, staff_id: str, reason: str, now: datetime) -> tuple[str, bytes]:
    """Media type and content of a document. Raises ReasonRequired, TaxDocumentNotFound, CannotOpen."""
    document = TaxDocument.objects.filter(id=document_id).first()
    if document is None:
        raise TaxDocumentNotFound
    _log(document.member_id, staff_id, f"document {document.id}", reason, now)
    with storages[STORAGE].open(document.file_name) as file:
        return document.media_type, open_file(document.file_key, file.read())


def _log(member_id: str, staff_id: str, what: str, reason: str, now: datetime) -> None:
    if not reason.strip():
        raise ReasonRequired
    # Outside any transaction of the caller's this is committed at once: what cannot be logged is not shown.
    AccessLog.objects.create(
        member_id=member_id, staff_id=staff_id, what=what, reason=reason.strip(), happened_at=now
    )
    metrics.REVEALS.labels(what.partition(" ")[0]).inc()
    logger.info("tax_dossier_revealed", member_id=member_id, staff_id=staff_id, what=what)
