"""Every photo is looked at, whether or not anybody asked for suggestions: score, fingerprint, twins.

The row is the work (docs/adr/0004): a sweeper makes one for each photo that became ready, rings for it, and
rings again for what nobody finished. The safety net has usually seen the photo before (services.safety); here
it sees those that it missed, and those of the time before there was one.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

import structlog
from django.db.models import F
from PIL import Image

import listings.queries as listings
from ai_suggestions import metrics, photo_queries
from ai_suggestions.contract import PhotoFinding, PhotoInput, ReadingStore
from ai_suggestions.ondevice import fingerprints, garments, safety
from ai_suggestions.ondevice.views import is_of_one_colour, picture_of
from ai_suggestions.photo_tables import PhotoCheck, PhotoKey
from ai_suggestions.services.readings import Readings
from ai_suggestions.services.ringing import ring_for_photo
from ai_suggestions.services.safety import flag_of, score
from ai_suggestions.services.twins import forget_twins, own_findings, record_twins
from foundation.db import atomic_retry
from listings.errors import PhotoNotFound, PhotoNotReady
from listings.services import flag_photo

logger = structlog.get_logger(__name__)

# A photo's worker began at `ready_at` and was done within 75 s (listings.services.developing.LEASE).
OVERLAP = dt.timedelta(minutes=3)
PAGE = 500
# Per sweep: sellers' runs stand in the same queue.
MOST_PLANNED = 2000
MOST_RUNG = 200
RING_AGAIN = dt.timedelta(minutes=2)
# A picture that ends its worker this often will not get better.
MAX_ATTEMPTS = 4
BATCH = 500


@dataclass(frozen=True, slots=True)
class _Seen:
    safety: safety.SafetyReading
    fingerprint: fingerprints.Fingerprint
    # Blank photos are all alike, and that says nothing about their sellers.
    is_blank: bool


def sweep_checks(*, now: dt.datetime) -> int:
    """Plan checks of new photos, then ring for those that are due; returns how many it rang for."""
    plan_checks(now=now)
    due = photo_queries.due_photo_ids(now=now, limit=MOST_RUNG)
    for photo_id in due:
        # Whoever puts the next ring off rings now.
        if PhotoCheck.objects.filter(photo_id=photo_id, due_at__lte=now).update(due_at=now + RING_AGAIN):
            ring_for_photo(photo_id)
    return len(due)


def plan_checks(*, now: dt.datetime) -> int:
    """A row for each photo that became ready since the last call, at most MOST_PLANNED; returns how many."""
    latest = photo_queries.latest_ready_at()
    since = None if latest is None else latest - OVERLAP
    planned, after_id = 0, ""
    while planned < MOST_PLANNED:
        page = listings.photos_ready_from(since, after_id=after_id, limit=PAGE)
        if not page:
            break
        planned += _plan(page, now)
        since, after_id = page[-1].ready_at, page[-1].photo_id
        if len(page) < PAGE:
            break
    if planned:
        logger.info("photo_checks_planned", count=planned)
    return planned


@atomic_retry
def _plan(photos: Sequence[listings.ReadyPhoto], now: dt.datetime) -> int:
    rows = PhotoCheck.objects.filter(photo_id__in=[photo.photo_id for photo in photos])
    known = dict(rows.values_list("photo_id", "sha256"))
    new = [photo for photo in photos if photo.photo_id not in known]
    # Two sweepers at once want the same rows; whoever is second leaves them as they are.
    PhotoCheck.objects.bulk_create(
        [
            PhotoCheck(
                photo_id=photo.photo_id,
                listing_id=photo.listing_id,
                seller_id=photo.seller_id,
                sha256=photo.sha256,
                ready_at=photo.ready_at,
                due_at=now,
            )
            for photo in new
        ],
        ignore_conflicts=True,
    )
    replaced = [p for p in photos if p.photo_id in known and known[p.photo_id] != p.sha256]
    for photo in replaced:
        rows.filter(photo_id=photo.photo_id).update(
            sha256=photo.sha256,
            ready_at=photo.ready_at,
            due_at=now,
            checked_at=None,
            attempts=0,
            failure_code="",
        )
    return len(new) + len(replaced)


def check_photo(*, photo_id: str, now: dt.datetime) -> str:
    """Look at a photo whose check is due. Returns checked, failed, gone (with its row), or skipped.

    Safe to ring twice: both would find the same. Raises OSError when the storage fails; the sweeper rings
    again.
    """
    row = PhotoCheck.objects.filter(photo_id=photo_id, due_at__isnull=False).first()
    if row is None:
        return "skipped"
    PhotoCheck.objects.filter(id=row.id).update(attempts=F("attempts") + 1, due_at=now + RING_AGAIN)
    if row.attempts >= MAX_ATTEMPTS:
        return _failed(row, "check_crashed", now)
    try:
        content = listings.read_master(photo_id)
    except (PhotoNotFound, PhotoNotReady):
        # Replaced: another row follows when the new picture is ready.
        _forget([row.photo_id])
        return _counted("gone")
    return _check(row, content, now)


def _check(row: PhotoCheck, content: bytes, now: dt.datetime) -> str:
    try:
        seen = _look(row.sha256, content, Readings(now=now))
    except FileNotFoundError:
        logger.exception("photo_check_without_model", photo_id=row.photo_id)
        return _failed(row, "model_missing", now)
    except OSError:
        return _failed(row, "undecodable", now)
    if not _store(row, seen, now):
        return "skipped"
    flag = flag_of(seen.safety)
    if flag is not None:
        flag_photo(photo_id=row.photo_id, sha256=row.sha256, flag=flag, now=now)
    if not seen.is_blank:
        record_twins(check_id=row.id, photo=_as_checked(row, seen), now=now)
    # Last, so that a worker that dies before leaves a row that is due.
    _done(row, now)
    return _counted("checked")


def _look(sha256: str, content: bytes, readings: ReadingStore) -> _Seen:
    scored = score(sha256=sha256, content=content, readings=readings)
    picture = picture_of(content)
    fingerprint, kinds = fingerprints.read(picture)
    # The category step of a run would ask the same net the same question.
    version = garments.kind_model().version
    if kinds and readings.find(sha256=sha256, step="category", version=version) is None:
        readings.keep(sha256=sha256, step="category", version=version, reading=kinds.to_json())
    return _Seen(scored, fingerprint, is_of_one_colour(picture))


def _as_checked(row: PhotoCheck, seen: _Seen) -> photo_queries.CheckedPhoto:
    return photo_queries.CheckedPhoto(
        row.photo_id, row.listing_id, row.seller_id, row.ready_at, seen.fingerprint
    )


@atomic_retry
def _store(row: PhotoCheck, seen: _Seen, now: dt.datetime) -> bool:
    """Keep what was seen, if the row still waits for it; it stays due until everything is done."""
    kept = PhotoCheck.objects.filter(id=row.id, sha256=row.sha256, due_at__isnull=False).update(
        unsafe=seen.safety.unsafe,
        safety_version=safety.model_version(),
        embedding=fingerprints.packed(seen.fingerprint.embedding),
        phash=f"{seen.fingerprint.phash:016x}",
        phash_mirrored=f"{seen.fingerprint.phash_mirrored:016x}",
        fingerprint_version=fingerprints.version(),
    )
    if kept:
        PhotoKey.objects.filter(check_of_id=row.id).delete()
        keys = () if seen.is_blank else fingerprints.keys_of(seen.fingerprint)
        PhotoKey.objects.bulk_create(PhotoKey(check_of_id=row.id, key=key) for key in keys)
        forget_twins([row.photo_id])
    return bool(kept)


def _done(row: PhotoCheck, now: dt.datetime, *, failure_code: str = "") -> None:
    PhotoCheck.objects.filter(id=row.id, sha256=row.sha256).update(
        due_at=None, checked_at=now, failure_code=failure_code
    )


def _failed(row: PhotoCheck, code: str, now: dt.datetime) -> str:
    _done(row, now, failure_code=code)
    logger.warning("photo_check_failed", photo_id=row.photo_id, code=code)
    return _counted("failed")


def _counted(outcome: str) -> str:
    metrics.PHOTO_CHECKS.labels(outcome).inc()
    return outcome


@dataclass(frozen=True, slots=True)
class Index:
    """All photos that were checked (``contract.PhotoIndex``); one that was not yet is checked on the way."""

    now: dt.datetime

    def own_twins_of(self, photo: PhotoInput) -> Sequence[PhotoFinding]:
        """What the seller is told of a photo's twins. Raises OSError when it cannot be decoded."""
        row = PhotoCheck.objects.filter(photo_id=photo.id, sha256=photo.sha256).first()
        if row is None:
            plan_checks(now=self.now)
            row = PhotoCheck.objects.filter(photo_id=photo.id, sha256=photo.sha256).first()
        if row is None:
            # Many photos became ready before it: its turn comes, and a later run will know.
            return ()
        if row.due_at is not None:
            _check(row, photo.content, self.now)
        return own_findings(photo.id)


def warm_up_checks() -> None:
    """Load the nets of the checks, which run whichever provider answers. Safe to repeat."""
    blank = Image.new("RGB", (64, 64))
    safety.read(blank)
    fingerprints.read(blank)


def refresh_checks(*, now: dt.datetime) -> tuple[int, int]:
    """Daily: delete what was found on photos that are gone or of deleted and removed listings, and have those
    looked at again that another version of the net or the rules saw. Returns how many of each.

    Goes through all rows, a page at a time.
    """
    forgotten = outdated = 0
    after_id, version = "", fingerprints.version()
    while page := list(
        PhotoCheck.objects.filter(id__gt=after_id).order_by("id").values_list("id", "photo_id")[:BATCH]
    ):
        after_id = page[-1][0]
        ids = [photo_id for _, photo_id in page]
        kept = listings.list_kept_photo_ids(ids)
        gone = [photo_id for photo_id in ids if photo_id not in kept]
        if gone:
            _forget(gone)
            forgotten += len(gone)
        rows = PhotoCheck.objects.filter(photo_id__in=kept, due_at__isnull=True)
        outdated += rows.exclude(fingerprint_version=version).update(due_at=now, checked_at=None, attempts=0)
    if forgotten or outdated:
        logger.info("photo_checks_refreshed", forgotten=forgotten, outdated=outdated)
    return forgotten, outdated


@atomic_retry
def _forget(photo_ids: Sequence[str]) -> None:
    forget_twins(photo_ids)
    PhotoCheck.objects.filter(photo_id__in=photo_ids).delete()
