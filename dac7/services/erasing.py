"""How long dossiers are kept, and their end."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime

import structlog
from django.conf import settings
from django.core.files.storage import storages
from django.db.models import Exists, OuterRef

from dac7 import metrics
from dac7.errors.profiles import TaxProfileNotFound
from dac7.models import TaxDocument, TaxProfile
from dac7.retention import kept_until
from dac7.services.documenting import STORAGE
from foundation.db import atomic_retry

logger = structlog.get_logger(__name__)

BATCH = 500


def keep_for_year(*, member_ids: Iterable[str], year: int) -> int:
    """A report of `year` rests on these dossiers: keep them as long as it may be questioned."""
    rows = TaxProfile.objects.filter(member_id__in=set(member_ids), kept_for_year__lt=year)
    return rows.update(kept_for_year=year)


@atomic_retry
def ask_for_erasure(*, member_id: str, now: datetime) -> date:
    """Remember that a seller wants it gone; until when the law keeps it. Raises TaxProfileNotFound."""
    profile = TaxProfile.objects.select_for_update().filter(member_id=member_id).first()
    if profile is None:
        raise TaxProfileNotFound
    if profile.erasure_asked_at is None:
        profile.erasure_asked_at = now
        profile.save(update_fields=["erasure_asked_at"])
        logger.info("tax_profile_erasure_asked", profile_id=profile.id)
    return end_of(profile)


def end_of(profile: TaxProfile) -> date:
    """The last day on which this dossier is kept."""
    return kept_until(
        profile.country, last_year=profile.kept_for_year, operator_state=settings.DAC7_OPERATOR_STATE
    )


def purge_dossiers(*, now: datetime) -> int:
    """Delete the dossiers whose time is over, with their numbers, checks and documents; how many."""
    purged = 0
    last = ""
    # No state keeps for less than a year, so younger rows need no look.
    rows = TaxProfile.objects.filter(kept_for_year__lt=now.year - 1).order_by("id")
    while page := list(rows.filter(id__gt=last)[:BATCH]):
        last = page[-1].id
        for profile in page:
            if end_of(profile) < now.date():
                try:
                    purged += _purge(profile.id, now=now)
                except OSError:  # the storage fails: the others are not held up, and tomorrow is another day
                    logger.warning("tax_dossier_not_purged", profile_id=profile.id, exc_info=True)
    _purge_lone_documents(now=now)
    return purged


def _purge_lone_documents(*, now: datetime) -> None:
    """Evidence of somebody who never gave a profile, as long after it was sent as a dossier is kept."""
    state = settings.DAC7_OPERATOR_STATE
    owned = TaxProfile.objects.filter(member_id=OuterRef("member_id"))
    for document in TaxDocument.objects.exclude(Exists(owned)).order_by("id")[:BATCH]:
        if kept_until(state, last_year=document.uploaded_at.year, operator_state=state) >= now.date():
            return  # ids grow with time: the rest is younger
        storages[STORAGE].delete(document.file_name)
        document.delete()
        logger.info("tax_document_purged", document_id=document.id)


@atomic_retry
def _purge(profile_id: str, *, now: datetime) -> int:
    profile = TaxProfile.objects.select_for_update().filter(id=profile_id).first()
    if profile is None or end_of(profile) >= now.date():
        return 0  # purged or prolonged meanwhile
    documents = list(TaxDocument.objects.filter(member_id=profile.member_id))
    for document in documents:
        # Gone whatever becomes of the transaction: on the next run there is only the row left to delete.
        storages[STORAGE].delete(document.file_name)
    TaxDocument.objects.filter(id__in=[document.id for document in documents]).delete()
    profile.delete()
    metrics.PURGED.inc()
    logger.info("tax_dossier_purged", profile_id=profile_id, documents=len(documents))
    return 1
