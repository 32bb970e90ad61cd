"""What the two make of an offer: accept, decline, counter. Of two at once the first to lock the row wins."""

from __future__ import annotations

from datetime import datetime

from balance.errors import CurrencyMismatch
from foundation.db import atomic_retry
from foundation.money import Money
from listings.queries import get_listing
from members.queries import require_unrestricted
from orders.errors import OfferNotFound, OfferOutOfRange, PriceChanged
from orders.lifecycle import BUYER, OFFER, PROVIDER, SELLER, OfferStatus
from orders.models import Offer
from orders.queries.availability import AvailableListing, require_available
from orders.queries.offers import OfferFacts, get_offer
from orders.queries.terms import TermsFacts, get_terms
from orders.services.offer_moves import move, row_of


@atomic_retry
def accept(*, member_id: str, offer_id: str, now: datetime) -> OfferFacts:
    """Agree to what is on the table: the buyer may buy at that price while the terms say.

    Nothing is reserved by it. Raises OfferNotFound, InvalidTransition, ListingNotAvailable, PriceChanged,
    MemberRestricted, TermsMissing.
    """
    offer, actor = _lock_own(offer_id, member_id)
    row = row_of(offer, "accept", actor, now=now)
    if actor == BUYER:
        require_unrestricted(member_id=member_id, capability="buy", now=now)
    listing, terms = _terms_of(offer, now=now)
    if listing.price < Money(offer.amount_minor, offer.currency):
        raise PriceChanged(f"It costs {listing.price} now.", extra={"price": listing.price.as_json()})
    offer.answered_at = now
    move(offer, row, now=now, due_at=now + terms.agreed_price_for)
    return get_offer(member_id, offer_id, now=now)


@atomic_retry
def decline(*, member_id: str, offer_id: str, now: datetime) -> OfferFacts:
    """Say no to what is on the table. Raises OfferNotFound, InvalidTransition."""
    offer, actor = _lock_own(offer_id, member_id)
    row = row_of(offer, "decline", actor, now=now)
    offer.answered_at = now
    move(offer, row, now=now)
    return get_offer(member_id, offer_id, now=now)


@atomic_retry
def counter(*, member_id: str, offer_id: str, amount: Money, now: datetime) -> OfferFacts:
    """The seller names another price, above the offer and at most the listing's; the buyer's turn.

    Raises OfferNotFound, InvalidTransition, ListingNotAvailable, CurrencyMismatch, OfferOutOfRange,
    TermsMissing.
    """
    offer, actor = _lock_own(offer_id, member_id)
    row = row_of(offer, "counter", actor, now=now)
    listing, terms = _terms_of(offer, now=now)
    if amount.currency != offer.currency:
        raise CurrencyMismatch(f"The offer is in {offer.currency}.")
    minimum = Money(offer.amount_minor + 1, offer.currency)
    if not minimum <= amount <= listing.price:
        raise OfferOutOfRange(
            f"From {minimum} to {listing.price}.",
            extra={"minimum": minimum.as_json(), "maximum": listing.price.as_json()},
        )
    offer.amount_minor, offer.answered_at = amount.amount_minor, now
    move(offer, row, now=now, due_at=now + terms.offer_open_for)
    return get_offer(member_id, offer_id, now=now)


def use_up(offer_id: str, *, now: datetime) -> None:
    """What was agreed has been paid for; nothing if its time ended while the payment was under way."""
    offer = Offer.objects.select_for_update().get(id=offer_id)
    if offer.status == OfferStatus.ACCEPTED:
        move(offer, OFFER.row(offer.status, "buy", PROVIDER), now=now)


def _lock_own(offer_id: str, member_id: str) -> tuple[Offer, str]:
    """The row, locked until the transaction ends, and who the member is in it. Raises OfferNotFound."""
    offer = Offer.objects.select_for_update().filter(id=offer_id).first()
    if offer is None or member_id not in (offer.seller_id, offer.buyer_id):
        raise OfferNotFound
    return offer, SELLER if member_id == offer.seller_id else BUYER


def _terms_of(offer: Offer, *, now: datetime) -> tuple[AvailableListing, TermsFacts]:
    listing = require_available(get_listing(offer.listing_id), buyer_id=offer.buyer_id, now=now)
    return listing, get_terms(listing.country, currency=offer.currency, now=now)
