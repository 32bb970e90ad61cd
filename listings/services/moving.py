"""The one place that changes a listing's status: a row of the lifecycle, the deadline, the record of it."""

from __future__ import annotations

import datetime as dt

import structlog
from django.db import transaction

from foundation.compiled import insert_rows, save_row
from foundation.lifecycle import UnknownTransition
from listings import metrics
from listings.errors import ListingNotFound, ListingStale, ListingStatusConflict
from listings.lifecycle import (
    BY_MODERATION,
    BY_SELLER,
    BY_TRADE,
    CHECK,
    LISTING,
    MODERATOR,
    SELLER,
    TRADE,
    WITHDRAWN,
    PhotoStatus,
    Status,
    seller_actions,
)
from listings.models import Listing, ListingEvent, ListingPhoto
from listings.notices import REASONS
from listings.queries import ListingFacts, list_colour_ids, list_material_ids, list_photos
from members.services.notices import notify

logger = structlog.get_logger(__name__)

_HIDER = {SELLER: BY_SELLER, TRADE: BY_TRADE}
_NOTICES = {
    ("flag", CHECK): "listing.in_review",
    ("suspend", MODERATOR): "listing.hidden",
    ("remove", MODERATOR): "listing.removed",
    ("restore", MODERATOR): "listing.restored",
}
"""What sellers are told; the rest they did themselves."""


def lock_listing(listing_id: str) -> Listing:
    """The row, locked until the transaction ends. Raises ListingNotFound."""
    listing = Listing.objects.select_for_update().filter(id=listing_id).first()
    if listing is None:
        raise ListingNotFound
    return listing


def lock_own_listing(listing_id: str, seller_id: str, expected_version: int | None = None) -> Listing:
    """As lock_listing, of this seller and not deleted. Raises ListingNotFound, ListingStale."""
    listing = lock_listing(listing_id)
    if listing.seller_id != seller_id or listing.status == Status.DELETED:
        raise ListingNotFound
    if expected_version is not None and listing.version != expected_version:
        raise ListingStale("Read it again, apply your change to what it is now, and retry.")
    return listing


def facts_of(listing: Listing) -> ListingFacts:
    """The listing as data, with what belongs to it; three statements."""
    return ListingFacts(
        id=listing.id,
        seller_id=listing.seller_id,
        status=listing.status,
        version=listing.version,
        country=listing.country,
        currency=listing.currency,
        category_id=listing.category_id,
        brand_id=listing.brand_id,
        size_id=listing.size_id,
        condition_id=listing.condition_id,
        colour_ids=list_colour_ids(listing.id),
        material_ids=list_material_ids(listing.id),
        title=listing.title,
        description=listing.description,
        price_minor=listing.price_minor,
        parcel_size=listing.parcel_size or None,
        photos=list_photos(listing.id),
        hidden_by=listing.hidden_by,
        moderation_reason=listing.moderation_reason,
        due_at=listing.due_at,
        created_at=listing.created_at,
        updated_at=listing.updated_at,
        published_at=listing.published_at,
    )


def touch(listing: Listing, *, now: dt.datetime) -> None:
    """The listing looks different now: the next version. The caller saves."""
    listing.version += 1
    listing.updated_at = now


def _conflict(listing: Listing, verb: str) -> ListingStatusConflict:
    return ListingStatusConflict(
        f"{verb} is not possible while the listing is {listing.status}.",
        extra={"allowed_actions": list(seller_actions(listing.status, listing.hidden_by))},
    )


def require_action(listing: Listing, verb: str) -> None:
    """Before work is done for a verb of the seller: raises ListingStatusConflict when it has no row."""
    if verb not in seller_actions(listing.status, listing.hidden_by):
        raise _conflict(listing, verb)


def move(
    listing: Listing,
    *,
    verb: str,
    actor: str,
    now: dt.datetime,
    actor_id: str = "",
    reason: str = "",
    note: str = "",
) -> None:
    """Change the status of a locked listing and save it. Raises ListingStatusConflict."""
    try:
        row = LISTING.row(listing.status, verb, actor)
    except UnknownTransition:
        raise ListingStatusConflict(
            f"{verb} is not possible while the listing is {listing.status}.",
            extra={
                "status_now": listing.status,
                "allowed_actions": list(LISTING.verbs(listing.status, actor)),
            },
        ) from None
    source = listing.status
    listing.status = row.target
    listing.due_at = LISTING.due_at(row.target, now)
    listing.hidden_by = ""
    if row.target == Status.HIDDEN:
        listing.hidden_by = _HIDER.get(actor, BY_MODERATION)
        if listing.hidden_by == BY_MODERATION:
            # The seller has as long as it takes to mend it.
            listing.due_at = None
    # What moderation said stays with the listing until a moderator puts it back on offer.
    if verb == "restore":
        listing.moderation_reason = ""
    elif reason:
        listing.moderation_reason = reason
    if row.target == Status.ACTIVE and listing.published_at is None:
        listing.published_at = now
    touch(listing, now=now)
    save_row(listing)
    if row.target in WITHDRAWN:
        ListingPhoto.objects.filter(listing_id=listing.id, status=PhotoStatus.READY).update(withdraw_at=now)
    event = ListingEvent(
        listing_id=listing.id,
        verb=verb,
        source=source,
        target=row.target,
        actor=actor,
        actor_id=actor_id,
        reason=reason,
        note=note,
        happened_at=now,
    )
    insert_rows([event])
    _tell(listing, verb, actor, now=now)
    metrics_of, log = metrics.TRANSITIONS.labels(verb, actor), logger.bind(listing_id=listing.id)
    transaction.on_commit(metrics_of.inc)
    log.info("listing_moved", verb=verb, actor=actor, source=source, target=row.target)


def _tell(listing: Listing, verb: str, actor: str, *, now: dt.datetime) -> None:
    kind = _NOTICES.get((verb, actor))
    if kind is None:
        return
    params = {"listing_id": listing.id, "title": listing.title}
    if verb != "restore":
        # A check that the operator plugs in may have reasons of its own.
        known = listing.moderation_reason in REASONS
        params["reason"] = listing.moderation_reason if known else "other"
    notify(
        member_id=listing.seller_id,
        kind=kind,
        params=params,
        subject=f"listing:{listing.id}",
        # The same can happen again to a later version.
        key=f"listing:{listing.id}:{verb}:{listing.version}",
        now=now,
    )
