"""The worker's part in photos: claim, decode and encode, store, finish. Safe to ring twice."""

from __future__ import annotations

import datetime as dt
import secrets
import time

import structlog
from django.core.files.base import ContentFile
from django.core.files.storage import storages
from django.db import transaction
from django.db.models import Q

from foundation.db import atomic_retry
from foundation.ids import new_id
from listings import metrics
from listings.lifecycle import PHOTO, WITHDRAWN, WORKER, PhotoStatus
from listings.models import Listing, ListingPhoto
from listings.photos import names
from listings.photos.checking import Flag, check
from listings.photos.processing import ProcessedPhoto, Unprocessable, process
from listings.queries import photo_ids_to_ring, photos_to_withdraw
from listings.services.flagging import columns_of, take_from_offer
from listings.services.moving import touch
from listings.services.photos import delete_files, delete_processed

logger = structlog.get_logger(__name__)

# The largest picture takes 3 s on a free core; a worker is ended after this.
LONGEST_RUN_S = 60
# Longer than a run: whose lease ran out is not running any more.
LEASE = dt.timedelta(seconds=LONGEST_RUN_S + 15)
# A picture that ends its worker this often will not get better.
MAX_ATTEMPTS = 4
RING_AGAIN_AFTER = dt.timedelta(seconds=60)
BATCH = 200
# An upload that no row names after this has been left by a request that died.
ORPHAN_AFTER = dt.timedelta(hours=1)


def process_photo(*, photo_id: str, now: dt.datetime) -> str:
    """Make one photo ready, or say why it cannot be. Returns ready, failed, or skipped (nothing to do).

    Raises OSError when the storage fails; the sweeper rings again when the lease has run out.
    """
    photo = _claim(photo_id=photo_id, now=now)
    if photo is None:
        return "skipped"
    started = time.monotonic()
    try:
        if photo.attempts > MAX_ATTEMPTS:
            raise Unprocessable("processing_crashed")
        processed = process(_read_original(photo.original_name))
        flag = check(photo_id=photo_id, sha256=processed.sha256, content=processed.master, now=now)
        _store(processed, photo.stem)
    except Unprocessable as error:
        outcome = "failed" if _finish(photo, None, None, error.code, now) else "skipped"
    else:
        outcome = "ready" if _finish(photo, processed, flag, "", now) else "skipped"
    metrics.PHOTOS_PROCESSED.labels(outcome).inc()
    elapsed = time.monotonic() - started
    metrics.PHOTO_SECONDS.observe(elapsed)
    metrics.PHOTO_WAIT_SECONDS.observe(max(0.0, (now - photo.uploaded_at).total_seconds() + elapsed))
    logger.info("photo_processed", photo_id=photo_id, outcome=outcome, attempts=photo.attempts)
    return outcome


@atomic_retry
def _claim(*, photo_id: str, now: dt.datetime) -> ListingPhoto | None:
    """Take it, unless somebody has it. The stem is written before any file is, so that none is ever lost."""
    photo = (
        ListingPhoto.objects.select_for_update()
        .filter(Q(lease_owner="") | Q(ring_at__lte=now), id=photo_id, status=PhotoStatus.PROCESSING)
        .first()
    )
    if photo is None:
        return None
    left_behind = photo.stem
    photo.lease_owner = new_id()
    photo.stem = names.stem_for(photo.id, secrets.token_hex(8))
    photo.ring_at = now + LEASE
    photo.attempts += 1
    photo.save(force_update=True, update_fields=["lease_owner", "stem", "ring_at", "attempts"])
    transaction.on_commit(lambda: delete_processed(left_behind))
    return photo


def _read_original(name: str) -> bytes:
    try:
        with storages[names.ORIGINALS].open(name, "rb") as file:
            return bytes(file.read())
    except FileNotFoundError:
        raise Unprocessable("original_lost") from None


def _store(processed: ProcessedPhoto, stem: str) -> None:
    for side, content in processed.renditions.items():
        storages[names.PUBLIC].save(names.rendition_name(stem, side), ContentFile(content))
    storages[names.ORIGINALS].save(names.master_name(stem), ContentFile(processed.master))


def _finish(
    photo: ListingPhoto,
    processed: ProcessedPhoto | None,
    flag: Flag | None,
    failure_code: str,
    now: dt.datetime,
) -> bool:
    """Record the outcome if the photo is still ours (not replaced, removed or taken over); else tidy up."""
    kept = _record(photo, processed, flag, failure_code, now)
    if not kept or processed is None:
        delete_processed(photo.stem)
    if kept:
        delete_files(names.ORIGINALS, photo.original_name)
    return kept


@atomic_retry
def _record(
    photo: ListingPhoto,
    processed: ProcessedPhoto | None,
    flag: Flag | None,
    failure_code: str,
    now: dt.datetime,
) -> bool:
    # The listing first, as everybody locks them.
    listing = Listing.objects.select_for_update().get(id=photo.listing_id)
    verb = "finish" if processed is not None else "fail"
    kept = ListingPhoto.objects.filter(
        id=photo.id, lease_owner=photo.lease_owner, status=PhotoStatus.PROCESSING
    ).update(
        status=PHOTO.row(photo.status, verb, WORKER).target,
        failure_code=failure_code,
        version=photo.version + 1,
        original_name="",
        stem=photo.stem if processed is not None else "",
        master_sha256=processed.sha256 if processed is not None else "",
        master_width=processed.width if processed is not None else None,
        master_height=processed.height if processed is not None else None,
        ring_at=None,
        lease_owner="",
        processed_at=now,
        withdraw_at=now if processed is not None and listing.status in WITHDRAWN else None,
        **columns_of(flag, now),
    )
    if kept and flag is not None:
        take_from_offer(listing, flag, photo_id=photo.id, now=now)
    elif kept:
        touch(listing, now=now)
        listing.save(force_update=True, update_fields=["version", "updated_at"])
    return bool(kept)


def photos_to_ring(*, now: dt.datetime) -> list[str]:
    """Photos whose ring nobody heard or whose worker died, at most BATCH; the caller rings for them.

    Their next ring is put off, so that a long queue does not grow with every sweep. A lease that ran
    out ends here: a worker that wakes up after all finds that the photo is no longer its own.
    """
    found = [
        photo_id
        for photo_id in photo_ids_to_ring(now=now, limit=BATCH)
        if ListingPhoto.objects.filter(id=photo_id, status=PhotoStatus.PROCESSING, ring_at__lte=now).update(
            ring_at=now + RING_AGAIN_AFTER, lease_owner=""
        )
    ]
    if found:
        metrics.PHOTOS_RUNG_AGAIN.inc(len(found))
        logger.warning("photos_rung_again", count=len(found))
    return found


def withdraw_photos(*, now: dt.datetime) -> int:
    """Delete the public files of removed and deleted listings, at most BATCH photos; returns how many.

    What the storage would not delete is tried again by the next sweep.
    """
    done = 0
    for photo_id, stem in photos_to_withdraw(now=now, limit=BATCH):
        try:
            for side in names.RENDITIONS:
                storages[names.PUBLIC].delete(names.rendition_name(stem, side))
        except OSError:
            metrics.FILES_NOT_DELETED.inc()
            logger.warning("file_not_deleted", photo_id=photo_id, exc_info=True)
            continue
        done += ListingPhoto.objects.filter(id=photo_id, stem=stem).update(withdraw_at=None)
    if done:
        logger.info("photos_withdrawn", count=done)
    return done


def remove_orphans(*, now: dt.datetime) -> int:
    """Delete stored uploads that no photo names: their request died in between. Returns how many."""
    storage = storages[names.ORIGINALS]
    removed = 0
    for folder in _listed(names.UPLOADS)[0]:
        path = f"{names.UPLOADS}/{folder}"
        files = [f"{path}/{name}" for name in _listed(path)[1]]
        old = [name for name in files if storage.get_modified_time(name) < now - ORPHAN_AFTER]
        named = set(
            ListingPhoto.objects.filter(original_name__in=old).values_list("original_name", flat=True)
        )
        orphans = [name for name in old if name not in named]
        delete_files(names.ORIGINALS, *orphans)
        removed += len(orphans)
    if removed:
        metrics.ORPHANS_REMOVED.inc(removed)
        logger.info("orphans_removed", count=removed)
    return removed


def _listed(path: str) -> tuple[list[str], list[str]]:
    try:
        folders, files = storages[names.ORIGINALS].listdir(path)
    except FileNotFoundError:
        # No photo was ever stored.
        return [], []
    return list(folders), list(files)
