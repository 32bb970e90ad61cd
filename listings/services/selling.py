"""What a seller does with a listing: put it on offer, take it away for a while or for good, promise it."""

from __future__ import annotations

import datetime as dt

from foundation.db import atomic_retry
from listings.errors import ListingHiddenByModeration
from listings.lifecycle import BY_MODERATION, SELLER, Status
from listings.models import Listing
from listings.queries import ListingFacts
from listings.rules import Stage
from listings.services.judging import require_rules_kept
from listings.services.moving import facts_of, lock_own_listing, move, require_action
from members.queries import require_unrestricted


def _require_offerable(listing: Listing, *, now: dt.datetime) -> str:
    """Why a person has to look at it first; empty when nobody has to."""
    require_unrestricted(member_id=listing.seller_id, capability="sell", now=now)
    facts = facts_of(listing)
    require_rules_kept(facts, stage=Stage.PUBLISH, now=now)
    return next((photo.flag for photo in facts.photos if photo.needs_review), "")


def _offer(listing: Listing, verb: str, *, reason: str, now: dt.datetime) -> None:
    move(listing, verb=verb, actor=SELLER, actor_id=listing.seller_id, reason=reason, now=now)


@atomic_retry
def publish(
    *, seller_id: str, listing_id: str, now: dt.datetime, expected_version: int | None = None
) -> ListingFacts:
    """Put a draft on offer; to review, if a check flagged a photo or moderation had hidden the listing.

    Raises ListingNotFound, ListingStale, ListingStatusConflict, MemberRestricted, InvalidListing
    (every broken rule at once).
    """
    listing = lock_own_listing(listing_id, seller_id, expected_version)
    require_action(listing, "publish")
    flag = _require_offerable(listing, now=now)
    submitted = flag and listing.status == Status.DRAFT
    _offer(listing, "submit" if submitted else "publish", reason=flag if submitted else "", now=now)
    return facts_of(listing)


@atomic_retry
def hide(*, seller_id: str, listing_id: str, now: dt.datetime) -> ListingFacts:
    """Take it out of sight for at most LONGEST_HIDING. Raises ListingNotFound, ListingStatusConflict."""
    listing = lock_own_listing(listing_id, seller_id)
    move(listing, verb="hide", actor=SELLER, actor_id=seller_id, now=now)
    return facts_of(listing)


@atomic_retry
def unhide(*, seller_id: str, listing_id: str, now: dt.datetime) -> ListingFacts:
    """Put it back on offer; to review, if a check flagged a photo.

    Raises ListingNotFound, ListingStatusConflict, ListingHiddenByModeration, MemberRestricted,
    InvalidListing (rules may have changed meanwhile).
    """
    listing = lock_own_listing(listing_id, seller_id)
    if listing.hidden_by == BY_MODERATION:
        raise ListingHiddenByModeration("Mend what was objected to, then publish it again for review.")
    require_action(listing, "unhide")
    flag = _require_offerable(listing, now=now)
    _offer(listing, "submit" if flag else "unhide", reason=flag, now=now)
    return facts_of(listing)


@atomic_retry
def relist(*, seller_id: str, listing_id: str, now: dt.datetime) -> ListingFacts:
    """Put it on offer again after its sale was undone; to review, if a check flagged a photo.

    Raises ListingNotFound, ListingStatusConflict, MemberRestricted, InvalidListing.
    """
    listing = lock_own_listing(listing_id, seller_id)
    require_action(listing, "relist")
    flag = _require_offerable(listing, now=now)
    _offer(listing, "submit" if flag else "relist", reason=flag, now=now)
    return facts_of(listing)


@atomic_retry
def reserve(*, seller_id: str, listing_id: str, now: dt.datetime) -> ListingFacts:
    """Promise it to somebody for at most LONGEST_RESERVATION.

    Raises ListingNotFound, ListingStatusConflict.
    """
    listing = lock_own_listing(listing_id, seller_id)
    move(listing, verb="reserve", actor=SELLER, actor_id=seller_id, now=now)
    return facts_of(listing)


@atomic_retry
def release(*, seller_id: str, listing_id: str, now: dt.datetime) -> ListingFacts:
    """End the seller's reservation. Raises ListingNotFound, ListingStatusConflict."""
    listing = lock_own_listing(listing_id, seller_id)
    move(listing, verb="release", actor=SELLER, actor_id=seller_id, now=now)
    return facts_of(listing)


@atomic_retry
def delete(*, seller_id: str, listing_id: str, now: dt.datetime, expected_version: int | None = None) -> None:
    """Delete it for everybody; the row stays. Raises ListingNotFound, ListingStale, ListingStatusConflict."""
    listing = lock_own_listing(listing_id, seller_id, expected_version)
    move(listing, verb="delete", actor=SELLER, actor_id=seller_id, now=now)
