"""Reading bundles, with the price of what is still on offer, and sellers' discounts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import QuerySet

from foundation.money import Money
from members.queries import get_market, get_member_facts
from orders.calendars import end_of_working_day
from orders.errors import BundleNotFound
from orders.models import Bundle, BundleDiscount, BundleItem, BundleLadder
from orders.pricing import Price, Step, percent_off, price_of
from orders.queries.availability import AvailableListing, listings_on_offer, may_trade
from orders.queries.terms import get_fee_rule, get_terms


@dataclass(frozen=True, slots=True)
class LadderFacts:
    """A seller's discounts; `version` is 0 and `changed_at` None while there never were any."""

    steps: tuple[Step, ...]
    version: int
    changed_at: datetime | None


@dataclass(frozen=True, slots=True)
class BundleItemFacts:
    """A listing in a bundle. Prices are None for one that cannot be had at the moment."""

    listing_id: str
    title: str
    price: Money | None
    discounted: Money | None


@dataclass(frozen=True, slots=True)
class BundleFacts:
    """A bundle and what it would cost at the moment, without postage; a preview, nothing is held.

    `ship_by` is when the seller would have to hand the parcel over if the buyer paid now. `price` and
    `ship_by` are None while nothing in it is on offer.
    """

    id: str
    seller_id: str
    version: int
    items: tuple[BundleItemFacts, ...]
    steps: tuple[Step, ...]
    percent: int
    price: Price | None
    ship_by: datetime | None
    created_at: datetime
    updated_at: datetime


_CARD_COLUMNS = ("id", "seller_id", "created_at", "updated_at")


def get_ladder(seller_id: str) -> LadderFacts:
    """The seller's discounts, the first step first; at most five."""
    ladder = BundleLadder.objects.filter(seller_id=seller_id).first()
    if ladder is None:
        return LadderFacts((), 0, None)
    rows = BundleDiscount.objects.filter(ladder_id=seller_id).order_by("items")
    steps = tuple(Step(row.items, row.percent) for row in rows)
    return LadderFacts(steps, ladder.version, ladder.changed_at)


def get_bundle_version(buyer_id: str, bundle_id: str) -> int:
    """Raises BundleNotFound."""
    version = Bundle.objects.filter(id=bundle_id, buyer_id=buyer_id).values_list("version", flat=True).first()
    if version is None:
        raise BundleNotFound
    return version


def get_bundle(buyer_id: str, bundle_id: str, *, now: datetime) -> BundleFacts:
    """A bundle of this buyer, priced at `now`. Raises BundleNotFound, TermsMissing."""
    bundle = Bundle.objects.filter(id=bundle_id, buyer_id=buyer_id).first()
    if bundle is None:
        raise BundleNotFound
    items = list(BundleItem.objects.filter(bundle_id=bundle_id).order_by("position"))
    found: dict[str, AvailableListing] = {}
    if may_trade(seller_id=bundle.seller_id, buyer_id=buyer_id, now=now):
        found = listings_on_offer(item.listing_id for item in items)
    offered = [found[item.listing_id] for item in items if item.listing_id in found]
    steps = get_ladder(bundle.seller_id).steps
    percent = percent_off(steps, len(offered))
    price, ship_by = None, None
    discounted: dict[str, Money] = {}
    if offered:
        first = offered[0]
        terms = get_terms(first.country, currency=first.price.currency, now=now)
        buyer_country = get_member_facts(buyer_id).country
        rule = get_fee_rule(listing_terms=terms, buyer_country=buyer_country, now=now)
        price = price_of([listing.price for listing in offered], percent=percent, rule=rule)
        discounted = dict(zip((listing.id for listing in offered), price.items, strict=True))
        ship_by = end_of_working_day(
            now,
            days=terms.timers.ship_by_working_days,
            country=first.country,
            time_zone=get_market(first.country).time_zone,
        )
    return BundleFacts(
        id=bundle.id,
        seller_id=bundle.seller_id,
        version=bundle.version,
        items=tuple(
            BundleItemFacts(
                listing_id=item.listing_id,
                title=found[item.listing_id].title if item.listing_id in found else item.title,
                price=found[item.listing_id].price if item.listing_id in found else None,
                discounted=discounted.get(item.listing_id),
            )
            for item in items
        ),
        steps=steps,
        percent=percent,
        price=price,
        ship_by=ship_by,
        created_at=bundle.created_at,
        updated_at=bundle.updated_at,
    )


def bundle_rows(buyer_id: str) -> QuerySet[Bundle, dict[str, Any]]:
    """Rows of a buyer's bundles, not yet sorted nor cut."""
    rows = Bundle.objects.filter(buyer_id=buyer_id)
    found: QuerySet[Bundle, dict[str, Any]] = rows.values(*_CARD_COLUMNS)
    return found


def listing_ids_of(bundle_ids: Iterable[str]) -> dict[str, list[str]]:
    """What is in each bundle, in its order; one statement."""
    ids: dict[str, list[str]] = defaultdict(list)
    rows = BundleItem.objects.filter(bundle_id__in=list(bundle_ids)).order_by("bundle_id", "position")
    for bundle_id, listing_id in rows.values_list("bundle_id", "listing_id"):
        ids[bundle_id].append(listing_id)
    return ids
