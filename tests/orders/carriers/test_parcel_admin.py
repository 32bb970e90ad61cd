"""Parcels as staff see them: found by what support is told, without what is personal."""

from __future__ import annotations

import pytest
from django.test import Client

from members.models import Member
from orders.models import Parcel, ShippingOption
from tests.factories.members import make_member
from tests.factories.parcels import JONAS, ONA, ask_for_label, make_paid_order

pytestmark = pytest.mark.any_database


@pytest.fixture
def as_clerk(world: None) -> Client:
    client = Client()
    client.force_login(make_member("Clerk", is_staff=True, is_superuser=True))
    return client


def text_of(client: Client, path: str, **query: str) -> str:
    answer = client.get(f"/admin/orders/{path}", query)
    assert answer.status_code == 200, path
    return answer.content.decode()


class TestPages:
    def test_parcels_are_found_and_keep_addresses_to_themselves(
        self, as_clerk: Client, seller: Member, buyer: Member
    ) -> None:
        order = make_paid_order(seller.id, buyer.id)
        parcel_id = ask_for_label(order)
        Parcel.objects.update(tracking_number="PL123")
        for words in (parcel_id, order.id, "PL123"):
            assert parcel_id in text_of(as_clerk, "parcel/", q=words)
        assert parcel_id not in text_of(as_clerk, "parcel/", q="PL124")
        page = text_of(as_clerk, f"parcel/{parcel_id}/change/")
        assert "requested" in page
        for secret in (ONA.street, JONAS.street, 'name="_save"'):
            assert secret not in page

    def test_shipping_options_cannot_be_edited(self, as_clerk: Client) -> None:
        assert "3.00 EUR" in text_of(as_clerk, "shippingoption/", q="", market__code__exact="LT")
        page = text_of(as_clerk, f"shippingoption/{ShippingOption.objects.all()[0].id}/change/")
        assert 'name="_save"' not in page
