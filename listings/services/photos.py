"""Photos of a listing: received, put in order, replaced, taken away; and made fit to be shown by a worker.

The row is the work: a stored upload and `ring_at`. The task only rings; a sweeper rings again for what
nobody has finished. Files are written before the row that names them and deleted after it has gone, so
a row never names a file that is not there.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import secrets
from dataclasses import dataclass, replace

import structlog
from django.core.files.base import ContentFile
from django.core.files.storage import storages
from django.db import transaction

from foundation.db import atomic_retry
from foundation.errors import DomainError, Unavailable
from foundation.ids import new_id
from listings import metrics
from listings.errors import ListingStatusConflict, PhotoNotFound, TooManyPhotos
from listings.lifecycle import EDITABLE, PHOTO, SELLER, Status
from listings.models import Listing, ListingPhoto
from listings.models.listing import MAX_PHOTOS
from listings.photos import names
from listings.photos.inspection import InspectedPhoto, inspect
from listings.queries import PhotoFacts, list_photos
from listings.rules import Stage
from listings.services.drafting import renumber_photos
from listings.services.judging import require_rules_kept
from listings.services.moving import facts_of, lock_own_listing, touch
from listings.services.ringing import ring

logger = structlog.get_logger(__name__)

# The task is rung when the upload commits; a ring that nobody heard is repeated after this.
UNHEARD_AFTER = dt.timedelta(seconds=20)


@dataclass(frozen=True, slots=True)
class _Upload:
    """Checked bytes that are in the private storage already."""

    name: str
    sha256: str
    size: int
    inspected: InspectedPhoto


def _receive(content: bytes, declared_type: str | None, file_name: str | None) -> _Upload:
    """Check and store. Raises the errors of inspection; Unavailable when the storage fails."""
    try:
        inspected = inspect(content, declared_type=declared_type, file_name=file_name)
    except DomainError as error:
        metrics.PHOTOS_REFUSED.labels(error.code).inc()
        raise
    name = names.upload_name(secrets.token_hex(16))
    try:
        stored = storages[names.ORIGINALS].save(name, ContentFile(content))
    except OSError as error:
        raise Unavailable("Photos cannot be stored at the moment.", retry_after_s=30) from error
    return _Upload(stored, hashlib.sha256(content).hexdigest(), len(content), inspected)


def delete_files(storage: str, *files: str) -> None:
    """Delete what is there. A storage that fails leaves an orphan, counted; nothing waits for it."""
    for name in files:
        try:
            storages[storage].delete(name)
        except OSError:
            metrics.FILES_NOT_DELETED.inc()
            logger.warning("file_not_deleted", storage=storage, exc_info=True)


def delete_processed(stem: str) -> None:
    """The master and the renditions of a stem; an empty one has none."""
    if stem:
        delete_files(names.ORIGINALS, names.master_name(stem))
        delete_files(names.PUBLIC, *(names.rendition_name(stem, side) for side in names.RENDITIONS))


def _delete_after_commit(original_name: str, stem: str) -> None:
    def delete() -> None:
        if original_name:
            delete_files(names.ORIGINALS, original_name)
        delete_processed(stem)

    transaction.on_commit(delete)


def _lock_editable(listing_id: str, seller_id: str) -> Listing:
    listing = lock_own_listing(listing_id, seller_id)
    if listing.status not in EDITABLE:
        raise ListingStatusConflict(f"Its photos cannot be changed while it is {listing.status}.")
    return listing


def _require_still_shown(listing: Listing, *, without: str, now: dt.datetime) -> None:
    """What is on offer keeps a photo that can be seen. Raises InvalidListing."""
    if listing.status != Status.DRAFT:
        facts = facts_of(listing)
        left = tuple(photo for photo in facts.photos if photo.id != without)
        require_rules_kept(replace(facts, photos=left), stage=Stage.OFFERED, now=now)


def _save_touched(listing: Listing, now: dt.datetime) -> None:
    touch(listing, now=now)
    listing.save(force_update=True, update_fields=["version", "updated_at"])


def _photo(listing_id: str, photo_id: str) -> PhotoFacts:
    return next(photo for photo in list_photos(listing_id) if photo.id == photo_id)


def require_room(*, seller_id: str, listing_id: str) -> None:
    """Before the bytes are looked at: raises ListingNotFound, ListingStatusConflict, TooManyPhotos.

    add_photo decides again under lock; this spares the work for what will be refused anyway.
    """
    with transaction.atomic():
        _lock_editable(listing_id, seller_id)
        _free_position(listing_id)


def _free_position(listing_id: str) -> int:
    count = ListingPhoto.objects.filter(listing_id=listing_id).count()
    if count >= MAX_PHOTOS:
        raise TooManyPhotos
    return count


def add_photo(
    *,
    seller_id: str,
    listing_id: str,
    content: bytes,
    declared_type: str | None,
    file_name: str | None,
    now: dt.datetime,
) -> PhotoFacts:
    """Add a photo behind the others; a worker makes it ready.

    Raises ListingNotFound, ListingStatusConflict, TooManyPhotos, and what inspection raises.
    """
    require_room(seller_id=seller_id, listing_id=listing_id)
    upload = _receive(content, declared_type, file_name)
    try:
        return _add(seller_id=seller_id, listing_id=listing_id, upload=upload, now=now)
    except BaseException:
        delete_files(names.ORIGINALS, upload.name)
        raise


@atomic_retry
def _add(*, seller_id: str, listing_id: str, upload: _Upload, now: dt.datetime) -> PhotoFacts:
    # The lock orders uploads to one listing: the 21st finds 20.
    listing = _lock_editable(listing_id, seller_id)
    photo = ListingPhoto.objects.create(
        id=new_id(),
        listing_id=listing_id,
        position=_free_position(listing_id),
        uploaded_at=now,
        **_upload_columns(upload, now),
    )
    _save_touched(listing, now)
    transaction.on_commit(lambda: ring(photo.id))
    metrics.PHOTOS_RECEIVED.labels(upload.inspected.format.value).inc()
    logger.info("photo_received", listing_id=listing_id, photo_id=photo.id, bytes=upload.size)
    return _photo(listing_id, photo.id)


def _upload_columns(upload: _Upload, now: dt.datetime) -> dict[str, object]:
    return {
        "original_name": upload.name,
        "original_sha256": upload.sha256,
        "original_bytes": upload.size,
        "media_type": upload.inspected.format.value,
        "ring_at": now + UNHEARD_AFTER,
    }


def replace_photo(
    *,
    seller_id: str,
    listing_id: str,
    photo_id: str,
    content: bytes,
    declared_type: str | None,
    file_name: str | None,
    now: dt.datetime,
) -> PhotoFacts:
    """Put another picture in a photo's place, under its id.

    A listing on offer needs another photo that is ready meanwhile. Raises ListingNotFound,
    PhotoNotFound, ListingStatusConflict, InvalidListing, and what inspection raises.
    """
    with transaction.atomic():
        _lock_editable(listing_id, seller_id)
    upload = _receive(content, declared_type, file_name)
    try:
        return _replace(seller_id=seller_id, listing_id=listing_id, photo_id=photo_id, upload=upload, now=now)
    except BaseException:
        delete_files(names.ORIGINALS, upload.name)
        raise


@atomic_retry
def _replace(
    *, seller_id: str, listing_id: str, photo_id: str, upload: _Upload, now: dt.datetime
) -> PhotoFacts:
    listing = _lock_editable(listing_id, seller_id)
    photo = ListingPhoto.objects.select_for_update().filter(id=photo_id, listing_id=listing_id).first()
    if photo is None:
        raise PhotoNotFound
    _require_still_shown(listing, without=photo_id, now=now)
    _delete_after_commit(photo.original_name, photo.stem)
    photo.status = PHOTO.row(photo.status, "replace", SELLER).target
    photo.failure_code = photo.stem = photo.master_sha256 = photo.lease_owner = ""
    photo.master_width = photo.master_height = photo.processed_at = None
    photo.attempts = 0
    # Another picture: what was said of the old one does not hold for it.
    photo.flag = photo.ruling = ""
    photo.flag_score = photo.flagged_at = None
    photo.version += 1
    photo.uploaded_at = now
    for column, value in _upload_columns(upload, now).items():
        setattr(photo, column, value)
    photo.save(force_update=True)
    _save_touched(listing, now)
    transaction.on_commit(lambda: ring(photo.id))
    logger.info("photo_replaced", listing_id=listing_id, photo_id=photo_id, bytes=upload.size)
    return _photo(listing_id, photo_id)


@atomic_retry
def remove_photo(*, seller_id: str, listing_id: str, photo_id: str, now: dt.datetime) -> None:
    """Take a photo and its files away; the others close the gap.

    Raises ListingNotFound, PhotoNotFound, ListingStatusConflict, InvalidListing (the last one that can
    be seen of a listing on offer).
    """
    listing = _lock_editable(listing_id, seller_id)
    photo = ListingPhoto.objects.filter(id=photo_id, listing_id=listing_id).first()
    if photo is None:
        raise PhotoNotFound
    _require_still_shown(listing, without=photo_id, now=now)
    _delete_after_commit(photo.original_name, photo.stem)
    photo.delete()
    renumber_photos(listing_id, [left.id for left in list_photos(listing_id)])
    _save_touched(listing, now)
    logger.info("photo_removed", listing_id=listing_id, photo_id=photo_id)
