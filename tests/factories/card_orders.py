"""Orders that wait for their card's part: rows only, without the checkout that makes them."""

from __future__ import annotations

from datetime import timedelta

from orders.models import Order
from tests.factories.members import make_member
from tests.factories.money import NOON


def waiting_order(*, seller_id: str = "", buyer_id: str = "") -> Order:
    """24.70 for an item of 20.00, all by card; the checkout began at noon."""
    return Order.objects.create(
        seller_id=seller_id or make_member("Ona").id,
        buyer_id=buyer_id or make_member("Jonas").id,
        status="pending_payment",
        seller_country="LT",
        buyer_country="LT",
        currency="EUR",
        terms={},
        listed_minor=2000,
        item_minor=2000,
        fee_minor=170,
        fee_vat_minor=30,
        shipping_minor=300,
        card_minor=2470,
        parcel_size="small",
        shipping_option="sandbox",
        created_at=NOON,
        updated_at=NOON,
        due_at=NOON + timedelta(minutes=15),
    )
