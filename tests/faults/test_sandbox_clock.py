"""The web process asks for a later time, a worker takes the clock there: both live in the same time."""

from __future__ import annotations

from datetime import timedelta

import pytest
from rest_framework.test import APIClient

from foundation import clock
from orders.models import Offer
from tests.factories.members import make_member
from tests.factories.orders import load_small_world, offer, on_offer
from tests.faults.conftest import StartWorker, wait_until

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("sandbox")]

URL = "/api/v1/sandbox/clock"


class TestWorker:
    def test_takes_the_clock_there_and_lets_the_offer_expire(self, start_worker: StartWorker) -> None:
        load_small_world()
        seller, buyer = make_member("Ona"), make_member("Jonas")
        offer(buyer.id, on_offer(seller.id), now=clock.now())
        client = APIClient()
        client.force_authenticate(buyer)
        proposed_at = Offer.objects.get().proposed_at
        start_worker()
        asked = client.post(URL, {"by": "P2D"}, headers={"Prefer": "respond-async"})
        assert (asked.status_code, asked.json()["ahead"]) == (202, "P0DT00H00M00S")
        wait_until(lambda: Offer.objects.get().status == "expired", what="the offer has expired")
        # Without asking anybody but the clock.
        day = timedelta(hours=23)
        wait_until(lambda: clock.now() - clock.real_now() > day, seconds=1, what="this process knows")
        ended_at = Offer.objects.get().ended_at
        assert ended_at is not None
        assert ended_at - proposed_at > day
        wait_until(lambda: client.get(URL).json()["advancing_to"] is None, what="the clock has arrived")
        assert client.get(URL).json()["done"]["orders.offers"] == 1
