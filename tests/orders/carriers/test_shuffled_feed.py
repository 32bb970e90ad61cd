"""The carrier's news late, twice and in any order: the order and its money end alike."""

from __future__ import annotations

import random
from datetime import timedelta

import pytest

from balance.chart import AccountKind as K
from members.models import Member
from orders.lifecycle import OrderStatus as S
from orders.lifecycle.parcels import ParcelCode
from orders.models import Order, Parcel
from orders.providers.carriers.contract import Callback
from orders.services.tracking import record_news
from tests.factories.listings import NOW
from tests.factories.purchases import buy, of_ours

pytestmark = pytest.mark.django_db


class TestFeed:
    @pytest.mark.parametrize(
        ("last", "status"), [("delivered", S.DELIVERED), ("returned_to_sender", S.RETURNED_TO_SENDER)]
    )
    @pytest.mark.parametrize("seed", range(5))
    def test_ends_alike(self, seller: Member, buyer: Member, last: str, status: S, seed: int) -> None:
        parcel = Parcel.objects.get(order_id=buy(seller.id, buyer.id).id)
        feed = [ParcelCode(code) for code in ("first_scan", "in_transit", "ready_for_pickup", last)] * 2
        shuffled = random.Random(seed).sample(range(len(feed)), len(feed))
        for number in shuffled:
            at = NOW + timedelta(minutes=number)
            news = Callback(f"news-{number}", parcel.id, at, feed[number], "{}")
            for _ in range(2):
                record_news(provider="sandbox", news=news, received_at=NOW, now=NOW)
        order = Order.objects.get(id=parcel.order_id)
        assert (order.status, order.shipped_at) == (status, NOW)
        is_back = status == S.RETURNED_TO_SENDER
        assert (of_ours(K.CARRIER_COSTS), order.refunded_card_minor) == ((300, 2470) if is_back else (0, 0))
