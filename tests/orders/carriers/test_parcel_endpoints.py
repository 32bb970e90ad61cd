"""Parcels over HTTP: the label, the sandbox's carrier, callbacks at the door."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import Settings
from rest_framework.test import APIClient

from members.models import Member
from orders.lifecycle.parcels import ParcelCode
from orders.models import Order, Parcel
from orders.providers.carriers import sandbox
from orders.services.carrier_calls import advance_parcel
from tests.factories.labelled_parcels import labelled_parcel
from tests.factories.listings import NOW
from tests.factories.parcels import ask_for_label, make_paid_order
from tests.factories.purchases import buy


@pytest.fixture
def order(seller: Member, buyer: Member) -> Order:
    return make_paid_order(seller.id, buyer.id)


@pytest.fixture
def bought(seller: Member, buyer: Member) -> Order:
    """Really paid: what news does to it is done."""
    return buy(seller.id, buyer.id)


class TestLabel:
    def test_is_a_pdf_for_the_seller(self, order: Order, as_seller: APIClient) -> None:
        parcel = labelled_parcel(order)
        answer = as_seller.get(f"/api/v1/orders/{order.id}/label")
        assert (answer.status_code, answer["Content-Type"]) == (200, "application/pdf")
        assert answer["Content-Disposition"] == f'attachment; filename="label-{parcel.id}.pdf"'
        assert answer["Cache-Control"] == "private, no-cache"
        assert answer.content.startswith(b"%PDF")


@pytest.mark.usefixtures("sandbox")
class TestSandbox:
    def url(self, parcel_id: str, what: str = "events") -> str:
        return f"/api/v1/sandbox/parcels/{parcel_id}/{what}"

    def test_makes_things_happen_in_any_order_and_twice(
        self, bought: Order, as_buyer: APIClient, as_seller: APIClient
    ) -> None:
        parcel = labelled_parcel(bought, now=NOW)
        events = [{"code": "in_transit"}, {"code": "first_scan"}]
        answer = as_seller.post(self.url(parcel.id), {"events": events, "times": 2})
        assert answer.json() == {"callbacks": ["new", "repeated", "new", "repeated"]}
        assert Parcel.objects.get().status == "in_transit"
        assert as_buyer.post(self.url(parcel.id), {"events": [{"code": "delivered"}]}).status_code == 200
        assert Parcel.objects.get().status == "delivered"

    def test_says_how_a_label_is_answered(self, order: Order, as_seller: APIClient) -> None:
        parcel_id = ask_for_label(order)
        answer = as_seller.post(self.url(parcel_id, "label"), {"answer": "refuse"})
        assert answer.status_code == 204
        order_id = Parcel.objects.get().order_id
        advance_parcel(parcel_id=parcel_id, now=Parcel.objects.get().requested_at)
        refused = as_seller.get(f"/api/v1/orders/{order_id}/label").json()
        assert (refused["parcel_status"], refused["reason"]) == ("refused", "address_not_served")

    @pytest.mark.parametrize(
        "body",
        [
            {},
            {"events": []},
            {"events": [{"code": "eaten"}]},
            {"events": [{"code": "lost", "by": "owl"}]},
            {"events": [{"code": "lost"}], "times": 51},
            {"events": [{"code": "lost", "occurred_at": "yesterday"}]},
            {"events": [{"code": "lost"}] * 21},
        ],
    )
    def test_refuses_what_is_no_news(self, order: Order, as_seller: APIClient, body: dict[str, Any]) -> None:
        answer = as_seller.post(self.url(labelled_parcel(order).id), body)
        assert (answer.status_code, answer.json()["code"]) == (400, "invalid_request")

    def test_is_for_the_members_of_the_order(
        self, order: Order, as_outsider: APIClient, as_seller: APIClient, settings: Settings
    ) -> None:
        parcel = labelled_parcel(order)
        body = {"events": [{"code": "lost"}]}
        unlabelled = ask_for_label(order, leg="return")
        answers = [
            as_outsider.post(self.url(parcel.id), body),
            as_seller.post(self.url("01ARZ3NDEKTSV4RRFFQ69G5FAV"), body),
            as_seller.post(self.url(unlabelled), body),
        ]
        settings.SANDBOX = False
        answers.append(as_seller.post(self.url(parcel.id), body))
        assert {(a.status_code, a.json()["code"]) for a in answers} == {(404, "sandbox_parcel_not_found")}
        assert Parcel.objects.get(id=parcel.id).status == "labelled"


class TestCallbackDoor:
    def post(self, client: Client, body: bytes, headers: dict[str, str]) -> tuple[int, dict[str, Any]]:
        answer = client.post(
            "/api/v1/webhooks/carriers/sandbox",
            body,
            content_type="application/json",
            headers=headers,
        )
        return answer.status_code, answer.json()

    def test_takes_what_is_signed_and_nothing_else(self, order: Order, client: Client) -> None:
        parcel, now = labelled_parcel(order), timezone.now()
        body, headers = sandbox.callback(parcel.id, ParcelCode.FIRST_SCAN, occurred_at=now, now=now)
        forged = json.dumps(json.loads(body) | {"code": "delivered"}).encode()
        assert self.post(client, forged, headers)[1]["code"] == "webhook_signature_invalid"
        assert self.post(client, body, {})[1]["code"] == "webhook_signature_invalid"
        assert self.post(client, b"{}", sandbox.signed_headers(b"{}", now))[1]["code"] == "webhook_malformed"
        assert self.post(client, body, headers) == (200, {"received": True})
        other = client.post("/api/v1/webhooks/carriers/owls", b"{}", content_type="application/json")
        assert other.status_code == 404
