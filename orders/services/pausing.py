"""Takes what a seller has on offer out of sight, for whoever above has stopped the seller from selling."""

from __future__ import annotations

from datetime import datetime

import structlog

from listings.errors import ListingStatusConflict
from listings.lifecycle import Status
from listings.queries import own_rows
from listings.services import hide

logger = structlog.get_logger(__name__)

AT_A_TIME = 500


def hide_listings(*, seller_id: str, now: datetime) -> int:
    """Hide everything on offer, as if the seller did, who may put it back when selling is allowed again.

    What is reserved or being bought at this moment is left alone, and taken by the next call once it is free.
    Safe to repeat; returns how many were hidden.
    """
    rows = own_rows(seller_id=seller_id, statuses=[Status.ACTIVE]).order_by("id")
    hidden = 0
    for row in rows[:AT_A_TIME]:
        try:
            hide(seller_id=seller_id, listing_id=row["id"], now=now)
        except ListingStatusConflict:
            continue
        hidden += 1
    if hidden:
        logger.info("listings_paused", member_id=seller_id, listings=hidden)
    return hidden
