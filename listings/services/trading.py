"""What a purchase does to listings. Called by whoever brings buyer and money together, in its transaction."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from foundation.compiled import CompiledQuery, args, named
from foundation.db import atomic_retry
from foundation.money import Money
from listings.errors import ListingNotFound
from listings.lifecycle import LISTING, TRADE, Status
from listings.models import Listing
from listings.services.moving import move


@dataclass(frozen=True, slots=True)
class SaleFacts:
    """What of a listing on offer goes into a sale."""

    id: str
    seller_id: str
    country: str
    title: str
    version: int
    price: Money
    parcel_size: str


def lock_for_sale(listing_ids: Sequence[str]) -> dict[str, SaleFacts]:
    """Those of the listings that are on offer, by id, locked until the transaction ends; one statement."""
    ids = set(listing_ids)
    rows = _locking(len(ids)).all(**named("id", ids))
    return {
        row.id: SaleFacts(
            id=row.id,
            seller_id=row.seller_id,
            country=row.country,
            title=row.title,
            version=row.version,
            price=Money(row.price_minor, row.currency),
            parcel_size=row.parcel_size,
        )
        for row in rows
        if row.status == Status.ACTIVE and row.price_minor is not None
    }


def may_sell(listing_ids: Sequence[str]) -> bool:
    """Whether every one of them could be sold now; locks them until the transaction ends."""
    return all(_may_sell(listing) for listing in _locked(listing_ids))


@atomic_retry
def mark_sold(*, listing_ids: Sequence[str], now: dt.datetime) -> bool:
    """They are sold, all or none; False when one of them cannot be. Raises ListingNotFound."""
    listings = _locked(listing_ids)
    if not all(_may_sell(listing) for listing in listings):
        return False
    for listing in listings:
        move(listing, verb="sell", actor=TRADE, now=now)
    return True


@atomic_retry
def put_back(*, listing_ids: Sequence[str], now: dt.datetime) -> None:
    """The sale was undone: out of sight until the seller puts them on offer again. Safe to repeat.

    What moderation took away meanwhile stays away. Raises ListingNotFound.
    """
    for listing in _locked(listing_ids):
        if listing.status == Status.SOLD:
            move(listing, verb="put_back", actor=TRADE, now=now)


def _may_sell(listing: Listing) -> bool:
    return LISTING.verbs(listing.status, TRADE) == ("sell",)


def _locked(listing_ids: Sequence[str]) -> list[Listing]:
    ids = set(listing_ids)
    rows = _locking(len(ids)).all(**named("id", ids))
    if len(rows) != len(ids):
        raise ListingNotFound
    return rows


@lru_cache(maxsize=128)
def _locking(count: int) -> CompiledQuery[Listing]:
    return CompiledQuery(
        lambda: Listing.objects.select_for_update().filter(id__in=args("id", count)).order_by("id")
    )
