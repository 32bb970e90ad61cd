"""Pick-up points, labels that are not there, and the settings of carriers."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.checks import run_checks
from django.core.management import call_command
from django.core.management.base import SystemCheckError
from django.test import Client
from pytest_django import Settings
from rest_framework.test import APIClient

from config.carriers import carrier_settings
from config.env import ConfigurationError
from members.models import Member
from orders.models import Order
from orders.parcel_errors import CarrierUnavailable, PickupPointNotFound
from orders.providers.carriers.contract import OutcomeUnknown
from orders.providers.carriers.sandbox import SandboxCarrier
from orders.services.pickup_points import get_pickup_point
from tests.factories.parcels import ask_for_label, make_paid_order

POINTS = "/api/v1/pickup-points"


@pytest.fixture
def order(seller: Member, buyer: Member) -> Order:
    return make_paid_order(seller.id, buyer.id)


class TestPickupPoints:
    def test_are_the_same_for_the_same_place(self, as_buyer: APIClient) -> None:
        query: dict[str, Any] = {"country": "LT", "postal_code": "LT-01103", "limit": 3}
        first, second = as_buyer.get(POINTS, query), as_buyer.get(POINTS, query)
        assert first.status_code == 200
        assert first.json() == second.json()
        assert len(first.json()["results"]) == 3
        point = first.json()["results"][0]
        assert (point["country"], point["opening_hours"][0]["weekday"]) == ("LT", 0)
        by_place = as_buyer.get(POINTS, {"country": "LT", "place": "Vilnius"}).json()["results"]
        assert {one["id"] for one in by_place}.isdisjoint({point["id"]})

    @pytest.mark.parametrize(
        "query",
        [
            {"postal_code": "01103"},
            {"country": "lt", "postal_code": "01103"},
            {"country": "LT", "place": "x" * 81},
            {"country": "LT", "place": "Vilnius", "limit": 51},
            {"country": "LT", "place": "Vilnius", "carrier": "a b"},
        ],
    )
    def test_refuse_what_is_no_place(self, as_buyer: APIClient, query: dict[str, Any]) -> None:
        answer = as_buyer.get(POINTS, query)
        assert (answer.status_code, answer.json()["code"]) == (400, "invalid_request")

    def test_need_a_postal_code_or_a_place(self, as_buyer: APIClient) -> None:
        answer = as_buyer.get(POINTS, {"country": "LT"})
        assert (answer.status_code, answer.json()["code"]) == (422, "place_missing")

    def test_say_when_the_carrier_is_away(self, as_buyer: APIClient, monkeypatch: pytest.MonkeyPatch) -> None:
        def away(*args: Any, **kwargs: Any) -> None:
            raise OutcomeUnknown("down")

        monkeypatch.setattr(SandboxCarrier, "pickup_points", away)
        answer = as_buyer.get(POINTS, {"country": "LT", "place": "Kaunas"})
        assert (answer.status_code, answer.json()["code"]) == (503, "carrier_unavailable")

    def test_need_a_member(self, client: Client, db: None) -> None:
        assert client.get(POINTS, {"country": "LT", "place": "Vilnius"}).status_code == 401

    def test_are_chosen_by_their_id(self, as_buyer: APIClient, monkeypatch: pytest.MonkeyPatch) -> None:
        query: dict[str, Any] = {"country": "LT", "place": "Vilnius", "limit": 1}
        [point] = as_buyer.get(POINTS, query).json()["results"]
        assert get_pickup_point(country="LT", point_id=point["id"]).name == point["name"]
        with pytest.raises(PickupPointNotFound) as refused:
            get_pickup_point(country="DE", point_id=point["id"])
        assert refused.value.code == "pickup_point_not_found"

        def away(*args: Any, **kwargs: Any) -> None:
            raise OutcomeUnknown("down")

        monkeypatch.setattr(SandboxCarrier, "find_pickup_point", away)
        with pytest.raises(CarrierUnavailable):
            get_pickup_point(country="LT", point_id=point["id"])


class TestLabel:
    def test_is_nobody_elses(self, order: Order, as_buyer: APIClient, as_outsider: APIClient) -> None:
        ask_for_label(order)
        for client in (as_buyer, as_outsider):
            answer = client.get(f"/api/v1/orders/{order.id}/label")
            assert (answer.status_code, answer.json()["code"]) == (404, "label_not_found")

    def test_takes_a_moment(self, order: Order, as_seller: APIClient) -> None:
        ask_for_label(order)
        answer = as_seller.get(f"/api/v1/orders/{order.id}/label")
        assert (answer.status_code, answer.json()["code"]) == (409, "label_not_ready")
        assert answer.json()["parcel_status"] == "requested"


class TestSettings:
    def test_the_sandbox_is_not_for_real_members(self, settings: Settings) -> None:
        settings.SANDBOX, settings.PAYOUT_PROVIDER, settings.PAYMENT_PROVIDER = False, "adyen", "stripe"
        with pytest.raises(SystemCheckError, match=r"preloved\.E005"):
            call_command("check", deploy=True)
        settings.CARRIER_PROVIDER = "sendcloud"
        assert not [e for e in run_checks(include_deployment_checks=True) if e.id == "preloved.E005"]

    def test_sendcloud_needs_its_keys(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("CARRIER_PROVIDER", "sendcloud")
        with pytest.raises(ConfigurationError, match="SENDCLOUD_PUBLIC_KEY"):
            carrier_settings()
        monkeypatch.setenv("SENDCLOUD_PUBLIC_KEY", "public")
        monkeypatch.setenv("SENDCLOUD_SECRET_KEY", "secret")
        assert carrier_settings()[1]["signature_key"] == "secret"
        monkeypatch.setenv("CARRIER_PROVIDER", "owls")
        with pytest.raises(ConfigurationError, match="owls"):
            carrier_settings()
