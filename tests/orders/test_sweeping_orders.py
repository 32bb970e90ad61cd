"""One order that cannot be moved holds up no other: its sweep goes on without it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from orders.lifecycle import OrderStatus as S
from orders.models import Order, OrderEvent
from orders.services import order_deadlines
from orders.services.order_deadlines import sweep_orders
from tests.factories.listings import NOW
from tests.factories.members import make_member
from tests.factories.orders import load_small_world, on_offer
from tests.factories.purchases import check_out

# Real transactions: what fails is rolled back by itself.
pytestmark = pytest.mark.django_db(transaction=True)

OVER = NOW + timedelta(minutes=15)


class TestSweep:
    def test_goes_on_behind_orders_that_the_database_refuses(self, monkeypatch: pytest.MonkeyPatch) -> None:
        load_small_world()
        seller, buyer = make_member("Ona"), make_member("Jonas")
        monkeypatch.setattr(order_deadlines, "BATCH", 2)
        orders = [check_out(buyer.id, [on_offer(seller.id).id]) for _ in range(5)]
        spoilt = orders[:2]
        for order in spoilt:
            # Its next event has been written already, by whatever went wrong.
            OrderEvent.objects.create(
                order_id=order.id,
                number=order.version + 1,
                verb="expire",
                source=S.PENDING_PAYMENT,
                target=S.EXPIRED,
                actor="clock",
                happened_at=NOW,
            )

        assert sweep_orders(now=OVER) == 3

        left = Order.objects.filter(status=S.PENDING_PAYMENT).order_by("id").values_list("id", flat=True)
        assert list(left) == sorted(order.id for order in spoilt)
