"""Nobody outside is asked while a transaction is open, also when the client sends an Idempotency-Key."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from rest_framework.test import APIClient

from listings.queries import ListingFacts
from orders.api import checkouts
from tests.factories.parcels import POINT

pytestmark = pytest.mark.django_db(transaction=True)


def test_the_carrier_is_asked_for_a_pick_up_point_before_it(
    as_buyer: APIClient, listing: ListingFacts, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_transaction: list[bool] = []

    def asked(**_: Any) -> object:
        in_transaction.append(connection.in_atomic_block)
        return POINT

    monkeypatch.setattr(checkouts, "get_pickup_point", asked)
    address = {
        "name": "Jonas",
        "street": "Gedimino pr. 1",
        "postal_code": "01103",
        "city": "Vilnius",
        "country": "LT",
    }
    delivery = {"option": "standard_point", "address": address, "pickup_point_id": POINT.id}
    body = {"listing_ids": [listing.id], "delivery": delivery}
    answer = as_buyer.post("/api/v1/checkouts", body, format="json", headers={"Idempotency-Key": "once-1234"})
    assert answer.status_code == 201, answer.json()
    again = as_buyer.post("/api/v1/checkouts", body, format="json", headers={"Idempotency-Key": "once-1234"})
    assert again.headers["Idempotent-Replayed"] == "true"
    assert again.json()["id"] == answer.json()["id"]
    # Once, outside; the repeat is answered from here.
    assert in_transaction == [False]
