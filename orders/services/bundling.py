"""A buyer's bundles: listings of one seller that shall travel in one parcel. Nothing is held by them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import structlog
from django.db import IntegrityError, transaction

from foundation.db import atomic_retry
from foundation.errors import FieldProblem
from orders import metrics
from orders.errors import BundleExists, BundleNotFound, BundleStale, InvalidBundle
from orders.models import Bundle, BundleItem
from orders.queries.availability import AvailableListing, listings_on_offer, require_may_trade
from orders.queries.bundles import BundleFacts, get_bundle
from orders.queries.terms import get_terms

logger = structlog.get_logger(__name__)


@atomic_retry
def create_bundle(*, buyer_id: str, listing_ids: Sequence[str], now: datetime) -> BundleFacts:
    """Put listings together; whose the first is says which seller. One bundle per seller.

    Raises InvalidBundle (every problem at once), OwnListing, ListingNotAvailable, BundleExists,
    TermsMissing.
    """
    chosen = _checked(listing_ids, seller_id=None, now=now)
    seller_id = chosen[0].seller_id
    require_may_trade(seller_id=seller_id, buyer_id=buyer_id, now=now)
    bundle = Bundle(buyer_id=buyer_id, seller_id=seller_id, created_at=now, updated_at=now)
    try:
        with transaction.atomic():
            bundle.save(force_insert=True)
    except IntegrityError:
        known = Bundle.objects.filter(buyer_id=buyer_id, seller_id=seller_id).values_list("id", flat=True)
        raise BundleExists(extra={"bundle_id": known.first()}) from None
    _fill(bundle, chosen)
    _say("create", bundle)
    return get_bundle(buyer_id, bundle.id, now=now)


@atomic_retry
def change_bundle(
    *, buyer_id: str, bundle_id: str, listing_ids: Sequence[str], expected_version: int, now: datetime
) -> BundleFacts:
    """Have these listings in it, in this order. Raises BundleNotFound, BundleStale, and as create_bundle."""
    bundle = _lock_own(bundle_id, buyer_id, expected_version)
    require_may_trade(seller_id=bundle.seller_id, buyer_id=buyer_id, now=now)
    chosen = _checked(listing_ids, seller_id=bundle.seller_id, now=now)
    BundleItem.objects.filter(bundle_id=bundle.id).delete()
    bundle.version += 1
    bundle.updated_at = now
    bundle.save(force_update=True)
    _fill(bundle, chosen)
    _say("change", bundle)
    return get_bundle(buyer_id, bundle_id, now=now)


@atomic_retry
def delete_bundle(*, buyer_id: str, bundle_id: str, expected_version: int) -> None:
    """Raises BundleNotFound, BundleStale."""
    bundle = _lock_own(bundle_id, buyer_id, expected_version)
    _say("delete", bundle)
    bundle.delete()


def _lock_own(bundle_id: str, buyer_id: str, expected_version: int) -> Bundle:
    bundle = Bundle.objects.select_for_update().filter(id=bundle_id, buyer_id=buyer_id).first()
    if bundle is None:
        raise BundleNotFound
    if bundle.version != expected_version:
        raise BundleStale("Read it again, apply your change to what it is now, and retry.")
    return bundle


def _checked(listing_ids: Sequence[str], *, seller_id: str | None, now: datetime) -> list[AvailableListing]:
    """The listings in their order. Raises InvalidBundle naming every problem."""
    found = listings_on_offer(listing_ids)
    chosen: list[AvailableListing] = []
    problems: list[FieldProblem] = []
    for i, listing_id in enumerate(listing_ids):
        listing = found.get(listing_id)
        if listing is None:
            fault = ("listing_not_available", "It is not on offer.")
        elif listing.seller_id != (seller_id or (chosen[0] if chosen else listing).seller_id):
            fault = ("another_seller", "All listings of a bundle are of one seller.")
        elif chosen and listing.price.currency != chosen[0].price.currency:
            fault = ("another_currency", "All listings of a bundle are in one currency.")
        elif listing in chosen:
            fault = ("repeated", "Name it once.")
        else:
            chosen.append(listing)
            continue
        problems.append(FieldProblem(f"/listing_ids/{i}", *fault))
    if chosen:
        first = chosen[0]
        most = get_terms(first.country, currency=first.price.currency, now=now).bundle_items_max
        if len(listing_ids) > most:
            problems.append(FieldProblem("/listing_ids", "too_many_items", f"At most {most}."))
    if problems:
        raise InvalidBundle(errors=problems)
    return chosen


def _fill(bundle: Bundle, chosen: Sequence[AvailableListing]) -> None:
    BundleItem.objects.bulk_create(
        BundleItem(bundle_id=bundle.id, listing_id=listing.id, title=listing.title, position=position)
        for position, listing in enumerate(chosen)
    )


def _say(verb: str, bundle: Bundle) -> None:
    transaction.on_commit(metrics.BUNDLE_CHANGES.labels(verb).inc)
    logger.info("bundle_changed", verb=verb, bundle_id=bundle.id, member_id=bundle.buyer_id)
