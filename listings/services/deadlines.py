"""What the clock does: reservations end, listings hidden for too long become drafts."""

from __future__ import annotations

import datetime as dt

from foundation.db import atomic_retry
from foundation.lifecycle import CLOCK
from listings.lifecycle import LISTING
from listings.models import Listing
from listings.queries import due_listing_ids
from listings.services.moving import move

BATCH = 200


@atomic_retry
def act_on_deadline(*, listing_id: str, now: dt.datetime) -> bool:
    """Do what is due; False when nothing is (any more). Safe to call twice."""
    listing = Listing.objects.select_for_update().filter(id=listing_id, due_at__lte=now).first()
    row = None if listing is None else LISTING.clock_row(listing.status)
    if listing is None or row is None:
        return False
    move(listing, verb=row.verb, actor=CLOCK, now=now)
    return True


def sweep_deadlines(*, now: dt.datetime) -> int:
    """Act on what is due, at most BATCH, each in its own transaction; returns how many."""
    return sum(
        act_on_deadline(listing_id=listing_id, now=now)
        for listing_id in due_listing_ids(now=now, limit=BATCH)
    )
