"""A buyer names a price."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from balance.errors import CurrencyMismatch
from foundation.db import atomic_retry
from foundation.errors import DomainError
from foundation.money import Money
from listings.queries import get_listing_for
from members.queries import MemberFacts, get_market, get_member_facts, require_unrestricted
from orders import metrics
from orders.errors import (
    OfferAlreadyOpen,
    OfferOutOfRange,
    TooManyOffersOnListing,
    TooManyOffersToday,
)
from orders.lifecycle import BUYER, OFFER, OfferStatus
from orders.models import Offer, OfferQuota
from orders.pricing import least_offer
from orders.queries.availability import AvailableListing, require_available
from orders.queries.offers import OfferFacts, get_offer
from orders.queries.terms import get_terms
from orders.services.offer_moves import move, record


def propose(*, buyer_id: str, listing_id: str, amount: Money, now: datetime) -> OfferFacts:
    """Offer this amount for a listing. It awaits an answer for as long as the market's terms say.

    Raises ListingNotFound, OwnListing, ListingNotAvailable, MemberRestricted, CurrencyMismatch,
    OfferOutOfRange, OfferAlreadyOpen, TooManyOffersOnListing, TooManyOffersToday, TermsMissing.
    """
    try:
        return _propose(buyer_id=buyer_id, listing_id=listing_id, amount=amount, now=now)
    except DomainError as refused:
        metrics.OFFERS_REFUSED.labels(refused.code).inc()
        raise


@atomic_retry
def _propose(*, buyer_id: str, listing_id: str, amount: Money, now: datetime) -> OfferFacts:
    require_unrestricted(member_id=buyer_id, capability="buy", now=now)
    buyer = get_member_facts(buyer_id)
    listing = require_available(get_listing_for(listing_id, viewer_id=buyer_id), buyer_id=buyer_id, now=now)
    terms = get_terms(listing.country, currency=listing.price.currency, now=now)
    _require_in_range(amount, listing, terms.offer_floor_bp)
    quota = _lock_quota(buyer, now=now)
    earlier = _end_overdue(buyer_id, listing_id, now=now)
    if earlier >= terms.offers_per_listing:
        raise TooManyOffersOnListing(f"At most {terms.offers_per_listing}.")
    offer = Offer(
        listing_id=listing_id,
        seller_id=listing.seller_id,
        buyer_id=buyer_id,
        number=earlier + 1,
        status=OfferStatus.PROPOSED.value,
        currency=amount.currency,
        offered_minor=amount.amount_minor,
        amount_minor=amount.amount_minor,
        listed_minor=listing.price.amount_minor,
        title=listing.title,
        proposed_at=now,
        due_at=now + terms.offer_open_for,
    )
    offer.save(force_insert=True)
    quota.used += 1
    quota.save(force_update=True)
    record([offer], "propose", "", BUYER, now=now)
    return get_offer(buyer_id, offer.id, now=now)


def _require_in_range(amount: Money, listing: AvailableListing, floor_bp: int) -> None:
    if amount.currency != listing.price.currency:
        raise CurrencyMismatch(f"The listing is in {listing.price.currency}.")
    minimum = least_offer(listing.price, floor_bp)
    maximum = listing.price - Money(1, listing.price.currency)
    if not minimum <= amount <= maximum:
        raise OfferOutOfRange(
            f"From {minimum} to {maximum}.",
            extra={"minimum": minimum.as_json(), "maximum": maximum.as_json()},
        )


def _lock_quota(buyer: MemberFacts, *, now: datetime) -> OfferQuota:
    """What the buyer used of the day, locked until the commit: other offers of this buyer wait for it.

    Raises TooManyOffersToday.
    """
    zone = ZoneInfo(get_market(buyer.country).time_zone)
    today = now.astimezone(zone).date()
    OfferQuota.objects.bulk_create([OfferQuota(buyer_id=buyer.id, on_date=today)], ignore_conflicts=True)
    quota = OfferQuota.objects.select_for_update().get(buyer_id=buyer.id)
    if quota.on_date != today:
        quota.on_date, quota.used = today, 0
    limit = get_terms(buyer.country, now=now).offers_per_day
    if quota.used >= limit:
        tomorrow = datetime.combine(today + timedelta(days=1), time(), tzinfo=zone)
        raise TooManyOffersToday(
            f"At most {limit} a day.", retry_after_s=int((tomorrow - now).total_seconds()) + 1
        )
    return quota


def _end_overdue(buyer_id: str, listing_id: str, *, now: datetime) -> int:
    """How many offers the buyer made here before. Raises OfferAlreadyOpen while one is live.

    One whose time is over, but that no sweeper has seen yet, is not in the way: it ends here.
    """
    mine = Offer.objects.filter(buyer_id=buyer_id, listing_id=listing_id)
    live = mine.filter(is_live=True).select_for_update().first()
    if live is not None:
        row = OFFER.clock_row(live.status)
        if row is None or live.due_at is None or live.due_at > now:
            raise OfferAlreadyOpen(f"It is {live.status}.", extra={"offer_id": live.id})
        move(live, row, now=now)
    return mine.count()
