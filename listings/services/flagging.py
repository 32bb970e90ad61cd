"""A photo that nobody but its seller and a moderator may see until the moderator has said so."""

from __future__ import annotations

import datetime as dt

import structlog
from django.db import transaction

from foundation.db import atomic_retry
from listings import metrics
from listings.errors import InvalidListing, PhotoNotFlagged, PhotoNotFound
from listings.lifecycle import APPROVED, CHECK, MODERATOR, REJECTED, PhotoStatus, Status
from listings.models import Listing, ListingPhoto
from listings.photos.checking import Flag
from listings.rules import Stage
from listings.services.judging import require_rules_kept
from listings.services.moderating import RESTORED, require_reason
from listings.services.moving import facts_of, lock_listing, move, touch

logger = structlog.get_logger(__name__)

_ON_OFFER = frozenset({Status.ACTIVE, Status.RESERVED})


def columns_of(flag: Flag | None, now: dt.datetime) -> dict[str, object]:
    """The photo's columns that say so; without a flag those of a photo that needs no look."""
    return {
        "flag": "" if flag is None else flag.reason,
        "flag_score": None if flag is None else flag.score,
        "flagged_at": None if flag is None else now,
        "ruling": "",
    }


def take_from_offer(listing: Listing, flag: Flag, *, photo_id: str, now: dt.datetime) -> None:
    """A locked listing whose photo was just flagged: what is on offer goes to review, with the reason.

    The next version is saved either way.
    """
    if listing.status in _ON_OFFER:
        move(listing, verb="flag", actor=CHECK, reason=flag.reason, now=now)
    else:
        _save_touched(listing, now)
    transaction.on_commit(metrics.PHOTOS_FLAGGED.labels(flag.reason).inc)
    logger.info("photo_flagged", listing_id=listing.id, photo_id=photo_id, reason=flag.reason)


@atomic_retry
def flag_photo(*, photo_id: str, sha256: str, flag: Flag, now: dt.datetime) -> bool:
    """Ask for a person's look at a photo that is ready; True when that is news.

    `sha256` is of the master that was looked at: a photo that was replaced or removed meanwhile is left
    alone, and so is one that is flagged already, whatever a moderator said of it. Raises InvalidListing
    for an unknown reason.
    """
    require_reason(flag.reason)
    listing_id = ListingPhoto.objects.filter(id=photo_id).values_list("listing_id", flat=True).first()
    if listing_id is None:
        return False
    # The listing first, as everybody locks them.
    listing = lock_listing(listing_id)
    photo = ListingPhoto.objects.select_for_update().filter(id=photo_id, status=PhotoStatus.READY).first()
    if photo is None or photo.master_sha256 != sha256 or photo.flag:
        return False
    ListingPhoto.objects.filter(id=photo_id).update(version=photo.version + 1, **columns_of(flag, now))
    take_from_offer(listing, flag, photo_id=photo_id, now=now)
    return True


@atomic_retry
def approve_photo(*, photo_id: str, moderator_id: str, now: dt.datetime, note: str = "") -> None:
    """It may be shown. A listing that waited for nothing else goes on offer.

    Raises PhotoNotFound, PhotoNotFlagged.
    """
    listing, photo = _ruled(photo_id, APPROVED, now)
    facts = facts_of(listing)
    waited_for_this = listing.status == Status.IN_REVIEW and listing.moderation_reason == photo.flag
    if waited_for_this and all(other.may_be_shown for other in facts.photos):
        try:
            require_rules_kept(facts, stage=Stage.OFFERED, now=now)
        except InvalidListing:
            # Changed while it waited: it stays in review, where a moderator sees what is wrong.
            _save_touched(listing, now)
            return
        move(
            listing,
            verb="restore",
            actor=MODERATOR,
            actor_id=moderator_id,
            reason=RESTORED,
            note=note,
            now=now,
        )
        return
    _save_touched(listing, now)


@atomic_retry
def reject_photo(*, photo_id: str, moderator_id: str, now: dt.datetime, note: str = "") -> None:
    """It may not be shown, ever: its public files go, and its listing is hidden until the photo is replaced.

    Raises PhotoNotFound, PhotoNotFlagged.
    """
    listing, photo = _ruled(photo_id, REJECTED, now)
    if listing.status in _ON_OFFER | {Status.IN_REVIEW}:
        move(
            listing,
            verb="suspend",
            actor=MODERATOR,
            actor_id=moderator_id,
            reason=photo.flag,
            note=note,
            now=now,
        )
    else:
        _save_touched(listing, now)


def _ruled(photo_id: str, ruling: str, now: dt.datetime) -> tuple[Listing, ListingPhoto]:
    listing_id = ListingPhoto.objects.filter(id=photo_id).values_list("listing_id", flat=True).first()
    if listing_id is None:
        raise PhotoNotFound
    listing = lock_listing(listing_id)
    photo = ListingPhoto.objects.select_for_update().filter(id=photo_id).first()
    if photo is None:
        raise PhotoNotFound
    if not photo.flag or photo.ruling:
        raise PhotoNotFlagged
    photo.ruling = ruling
    photo.version += 1
    if ruling == REJECTED:
        photo.withdraw_at = now
    photo.save(force_update=True, update_fields=["ruling", "version", "withdraw_at"])
    transaction.on_commit(metrics.PHOTO_RULINGS.labels(ruling).inc)
    logger.info("photo_ruled_on", listing_id=listing_id, photo_id=photo_id, ruling=ruling)
    return listing, photo


def _save_touched(listing: Listing, now: dt.datetime) -> None:
    touch(listing, now=now)
    listing.save(force_update=True, update_fields=["version", "updated_at"])
