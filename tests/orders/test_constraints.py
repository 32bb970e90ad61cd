"""The database states each invariant too: every constraint of orders, by its name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import IntegrityError, OperationalError, transaction

from foundation.ids import new_id
from listings.queries import ListingFacts
from members.models import Member
from orders.models import Bundle, BundleDiscount, BundleItem, Offer, OfferEvent, Terms
from orders.pricing import Step
from orders.services.answering import decline
from orders.services.bundling import create_bundle
from orders.services.discounts import set_discounts
from tests.factories.listings import NOW
from tests.factories.orders import offer


def copied(row: Any, **facts: Any) -> None:
    """The same row once more, with some facts changed."""
    row.pk = new_id() if row._meta.pk.name == "id" and len(str(row.pk)) == 26 else None
    for name, value in facts.items():
        setattr(row, name, value)
    row.save(force_insert=True)


def change(**facts: Any) -> Callable[[], Any]:
    return lambda: Offer.objects.update(**facts)


def ended() -> dict[str, Any]:
    return {"is_live": None, "due_at": None, "ended_at": NOW}


BREAKERS: dict[str, Callable[[], Any]] = {
    "terms_once": lambda: copied(Terms.objects.all()[0]),
    "terms_rates_in_range": lambda: Terms.objects.update(offer_floor_bp=10_000),
    "terms_counts_positive": lambda: Terms.objects.update(bundle_items_max=1),
    "offer_number_once": lambda: copied(Offer.objects.get(), status="declined", **ended()),
    "offer_one_live_per_buyer": lambda: copied(Offer.objects.get(), number=2),
    "offer_known_status": change(status="lost", **ended()),
    "offer_of_another_member": lambda: Offer.objects.update(buyer_id=Offer.objects.get().seller_id),
    "offer_amounts_in_order": change(amount_minor=1),
    "offer_due_while_live": change(due_at=None),
    "offer_event_status_once": lambda: copied(OfferEvent.objects.get()),
    "offer_event_known_target": lambda: OfferEvent.objects.update(target="lost"),
    "bundle_discount_items_once": lambda: copied(BundleDiscount.objects.get(), percent=6),
    "bundle_discount_percent_once": lambda: copied(BundleDiscount.objects.get(), items=3),
    "bundle_discount_in_range": lambda: BundleDiscount.objects.update(percent=51),
    "bundle_once_per_seller": lambda: copied(Bundle.objects.get()),
    "bundle_of_another_member": lambda: Bundle.objects.update(seller_id=Bundle.objects.get().buyer_id),
    "bundle_listing_once": lambda: copied(BundleItem.objects.get(), position=1),
    "bundle_position_once": lambda: copied(BundleItem.objects.get(), listing_id=new_id()),
}


@pytest.fixture
def rows(buyer: Member, listing: ListingFacts) -> str:
    """One of everything; the id of the offer."""
    set_discounts(seller_id=listing.seller_id, steps=[Step(2, 5)], expected_version=0, now=NOW)
    create_bundle(buyer_id=buyer.id, listing_ids=[listing.id], now=NOW)
    return offer(buyer.id, listing).id


class TestConstraints:
    @pytest.mark.parametrize("name", BREAKERS)
    def test_refuses(self, rows: str, name: str) -> None:
        # MySQL reports a broken CHECK as an OperationalError.
        with pytest.raises((IntegrityError, OperationalError)) as refused, transaction.atomic():
            BREAKERS[name]()
        text = str(refused.value)
        assert name in text or "UNIQUE constraint failed" in text

    def test_an_ended_offer_does_not_stand_in_the_way(
        self, rows: str, buyer: Member, listing: ListingFacts
    ) -> None:
        decline(member_id=listing.seller_id, offer_id=rows, now=NOW)
        assert offer(buyer.id, listing).number == 2
