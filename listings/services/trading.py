"""What a purchase does to listings. Called by whoever brings buyer and money together, in its transaction."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from foundation.db import atomic_retry
from listings.errors import ListingNotFound
from listings.lifecycle import LISTING, TRADE, Status
from listings.models import Listing
from listings.services.moving import move


def may_sell(listing_ids: Sequence[str]) -> bool:
    """Whether every one of them could be sold now; locks them until the transaction ends."""
    return all(LISTING.verbs(row.status, TRADE) == ("sell",) for row in _locked(listing_ids))


@atomic_retry
def mark_sold(*, listing_ids: Sequence[str], now: dt.datetime) -> None:
    """They are sold, all or none. Raises ListingNotFound, ListingStatusConflict."""
    for listing in _locked(listing_ids):
        move(listing, verb="sell", actor=TRADE, now=now)


@atomic_retry
def put_back(*, listing_ids: Sequence[str], now: dt.datetime) -> None:
    """The sale was undone: out of sight until the seller puts them on offer again. Safe to repeat.

    What moderation took away meanwhile stays away. Raises ListingNotFound.
    """
    for listing in _locked(listing_ids):
        if listing.status == Status.SOLD:
            move(listing, verb="put_back", actor=TRADE, now=now)


def _locked(listing_ids: Sequence[str]) -> list[Listing]:
    rows = list(Listing.objects.select_for_update().filter(id__in=listing_ids).order_by("id"))
    if len(rows) != len(set(listing_ids)):
        raise ListingNotFound
    return rows
