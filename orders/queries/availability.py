"""Whether a buyer may have a listing now: the same answer for offers and bundles."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from foundation.money import Money
from listings.lifecycle import Status
from listings.queries import BrowseFilter, ListingFacts, browse_rows, catalogue_snapshot
from members.queries import (
    MemberFacts,
    find_member_facts,
    find_restriction,
    is_blocked_between,
    list_member_facts,
)
from orders.errors import ListingNotAvailable, OwnListing


@dataclass(frozen=True, slots=True)
class AvailableListing:
    """What of a listing on offer matters for its price."""

    id: str
    seller_id: str
    country: str
    title: str
    price: Money


def require_available(listing: ListingFacts, *, buyer_id: str, now: datetime) -> AvailableListing:
    """On offer, and the two may trade. Raises OwnListing, ListingNotAvailable."""
    require_may_trade(seller_id=listing.seller_id, buyer_id=buyer_id, now=now)
    if listing.status != Status.ACTIVE or listing.price_minor is None:
        raise ListingNotAvailable
    return AvailableListing(
        id=listing.id,
        seller_id=listing.seller_id,
        country=listing.country,
        title=listing.title,
        price=Money(listing.price_minor, listing.currency),
    )


def require_may_trade(*, seller_id: str, buyer_id: str, now: datetime) -> MemberFacts:
    """Two members, the seller here and free to sell, no block between them; returns the buyer's facts.

    Raises OwnListing, ListingNotAvailable.
    """
    if seller_id == buyer_id:
        raise OwnListing
    facts = list_member_facts((seller_id, buyer_id))
    if not _may_trade(facts.get(seller_id), buyer_id, now) or buyer_id not in facts:
        raise ListingNotAvailable
    return facts[buyer_id]


def may_trade(*, seller_id: str, buyer_id: str, now: datetime) -> bool:
    """Whether the seller is still here and free to sell, and neither blocked the other."""
    return _may_trade(find_member_facts(seller_id), buyer_id, now)


def _may_trade(seller: MemberFacts | None, buyer_id: str, now: datetime) -> bool:
    # Whoever was stopped from selling has listings on offer from before.
    return (
        seller is not None
        and seller.is_active
        and not is_blocked_between(buyer_id, seller.id)
        and find_restriction(member_id=seller.id, capability="sell", now=now) is None
    )


def listings_on_offer(listing_ids: Iterable[str]) -> dict[str, AvailableListing]:
    """Those of the listings that are on offer, by id; one statement. Who may buy is another question."""
    rows = browse_rows(BrowseFilter(), catalogue=catalogue_snapshot()).filter(id__in=list(listing_ids))
    return {
        row["id"]: AvailableListing(
            id=row["id"],
            seller_id=row["seller_id"],
            country=row["country"],
            title=row["title"],
            price=Money(row["price_minor"], row["currency"]),
        )
        for row in rows
    }
