"""What a moderator does with a listing. Each act has a reason, which the seller is told, and is recorded."""

from __future__ import annotations

import datetime as dt

from foundation.db import atomic_retry
from foundation.errors import FieldProblem
from listings.errors import InvalidListing
from listings.lifecycle import MODERATOR
from listings.rules import Stage
from listings.services.judging import require_rules_kept
from listings.services.moving import facts_of, lock_listing, move

# Why a listing may be taken out of sight: codes for clients, which show their own words.
REASONS = {
    "counterfeit": "Looks like a counterfeit",
    "prohibited_item": "May not be sold here",
    "misleading": "Text or photos do not show what is sold",
    "wrong_category": "Is in the wrong category",
    "unsafe_photo": "A photo may not be shown",
    "contact_details": "Holds contact details or advertising",
    "stolen_photos": "Shows somebody else's photos",
    "rights_owner": "A rights owner objected",
    "other": "Another reason, told in a message",
}
RESTORED = "restored"


def require_reason(reason: str) -> None:
    """Raises InvalidListing for a code that is not in REASONS."""
    if reason not in REASONS:
        known = ", ".join(REASONS)
        raise InvalidListing(errors=[FieldProblem("/reason", "unknown_reason", f"One of {known}.")])


@atomic_retry
def suspend(*, listing_id: str, moderator_id: str, reason: str, now: dt.datetime, note: str = "") -> None:
    """Hide it until the seller has mended it.

    Raises ListingNotFound, ListingStatusConflict, InvalidListing.
    """
    require_reason(reason)
    listing = lock_listing(listing_id)
    move(listing, verb="suspend", actor=MODERATOR, actor_id=moderator_id, reason=reason, note=note, now=now)


@atomic_retry
def remove(*, listing_id: str, moderator_id: str, reason: str, now: dt.datetime, note: str = "") -> None:
    """Take it away for good. Raises ListingNotFound, ListingStatusConflict, InvalidListing."""
    require_reason(reason)
    listing = lock_listing(listing_id)
    move(listing, verb="remove", actor=MODERATOR, actor_id=moderator_id, reason=reason, note=note, now=now)


@atomic_retry
def restore(*, listing_id: str, moderator_id: str, now: dt.datetime, note: str = "") -> None:
    """Put a hidden or reviewed listing on offer.

    Raises ListingNotFound, ListingStatusConflict, InvalidListing.
    """
    listing = lock_listing(listing_id)
    require_rules_kept(facts_of(listing), stage=Stage.OFFERED, now=now)
    move(listing, verb="restore", actor=MODERATOR, actor_id=moderator_id, reason=RESTORED, note=note, now=now)
