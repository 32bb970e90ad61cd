"""Listings that can be had, offers on them, and the terms of the small catalogue's markets."""

from __future__ import annotations

from datetime import datetime

from foundation.money import Money
from listings.queries import ListingFacts
from orders.management.commands.load_order_terms import DATA
from orders.management.commands.load_shipping_options import DATA as OPTIONS
from orders.queries.offers import OfferFacts
from orders.services.offering import propose
from orders.services.shipping_options import load_shipping_options
from orders.services.terms import load_terms
from tests.factories.listings import NOW, load_small_catalogue, make_listings
from tests.factories.money import euros
from tests.factories.remembered import remembered

SMALL = ("LT", "DE", "PL", "GB")


@remembered
def load_small_world() -> None:
    """Four markets with a small catalogue, their real terms and shipping options."""
    load_small_catalogue()
    head, *rows = DATA.read_text(encoding="utf-8").splitlines()
    load_terms(text="\n".join([head, *(row for row in rows if row[:2] in SMALL)]))
    head, *rows = OPTIONS.read_text(encoding="utf-8").splitlines()
    load_shipping_options(text="\n".join([head, *(row for row in rows if row[:2] in SMALL)]))


def on_offer(seller_id: str, minor: int = 2000, *, currency: str = "EUR") -> ListingFacts:
    """A listing on offer at this price."""
    return make_listings(seller_id, 1, price=Money(minor, currency))[0]


def offer(buyer_id: str, listing: ListingFacts, minor: int = 1500, *, now: datetime = NOW) -> OfferFacts:
    """The buyer offers 15.00 or another amount."""
    return propose(buyer_id=buyer_id, listing_id=listing.id, amount=euros(minor), now=now)
