"""Checkouts that wait for their card's part."""

from __future__ import annotations

from orders.models import Order
from orders.services.checkouts import Choices, Delivery, create_checkout
from tests.factories.money import NOON
from tests.factories.orders import on_offer
from tests.factories.parcels import ONA, POINT


def waiting_order(*, seller_id: str, buyer_id: str) -> Order:
    """24.70 for an item of 20.00, all of it by card; the checkout began at noon."""
    order_id = create_checkout(
        buyer_id=buyer_id,
        listing_ids=[on_offer(seller_id).id],
        choices=Choices(Delivery("standard_point", ONA, POINT)),
        now=NOON,
    )
    return Order.objects.get(id=order_id)
