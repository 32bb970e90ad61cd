"""Offers over the API: shapes, refusals, pages, and who may see what."""

from __future__ import annotations

from typing import Any

import pytest
from rest_framework.test import APIClient

from listings import services as listings
from listings.queries import ListingFacts
from members.models import Member
from orders.models import Offer, Terms
from tests.factories.members import make_member
from tests.factories.orders import on_offer

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]


def make(client: APIClient, listing: ListingFacts, minor: Any = 1500, *, key: str | None = "k1") -> Any:
    body = {"amount": {"amount": minor, "currency": "EUR"}}
    headers = {} if key is None else {"Idempotency-Key": key}
    return client.post(f"/api/v1/listings/{listing.id}/offers", body, headers=headers)


def ids(client: APIClient, path: str, **query: Any) -> list[str]:
    answer = client.get(f"/api/v1/{path}", query)
    assert answer.status_code == 200, answer.json()
    return [row["id"] for row in answer.json()["results"]]


class TestCreate:
    def test_answers_what_is_on_the_table(
        self, as_buyer: APIClient, buyer: Member, listing: ListingFacts
    ) -> None:
        answer = make(as_buyer, listing)
        assert answer.status_code == 201
        body = answer.json()
        event = {"verb": "propose", "actor": "buyer", "amount": {"amount": 1500, "currency": "EUR"}}
        assert body == {
            "id": body["id"],
            "listing_id": listing.id,
            "title": listing.title,
            "seller_id": listing.seller_id,
            "buyer_id": buyer.id,
            "role": "buyer",
            "number": 1,
            "status": "proposed",
            "offered": {"amount": 1500, "currency": "EUR"},
            "amount": {"amount": 1500, "currency": "EUR"},
            "listed": {"amount": 2000, "currency": "EUR"},
            "allowed_actions": [],
            "deadlines": {"answer_by": body["deadlines"]["answer_by"], "buy_by": None},
            "proposed_at": body["proposed_at"],
            "answered_at": None,
            "ended_at": None,
            "events": [{**event, "happened_at": body["proposed_at"]}],
        }
        assert as_buyer.get(answer["Location"]).json() == body

    def test_needs_a_key_and_repeats_its_answer(self, as_buyer: APIClient, listing: ListingFacts) -> None:
        keyless = make(as_buyer, listing, key=None)
        assert (keyless.status_code, keyless.json()["code"]) == (400, "idempotency_key_required")
        first, again = make(as_buyer, listing), make(as_buyer, listing)
        assert (again["Idempotent-Replayed"], again.json()) == ("true", first.json())
        assert Offer.objects.count() == 1

    @pytest.mark.parametrize("minor", [1.5, "1500", True, None, 2**63])
    def test_refuses_what_is_no_amount(self, as_buyer: APIClient, listing: ListingFacts, minor: Any) -> None:
        answer = make(as_buyer, listing, minor)
        assert (answer.status_code, answer.json()["code"]) == (400, "invalid_request")

    def test_refuses_by_rule(self, as_buyer: APIClient, as_seller: APIClient, listing: ListingFacts) -> None:
        low = make(as_buyer, listing, 1199)
        assert (low.status_code, low.json()["code"]) == (422, "offer_out_of_range")
        assert low.json()["minimum"] == {"amount": 1200, "currency": "EUR"}
        own = make(as_seller, listing)
        assert (own.status_code, own.json()["code"]) == (422, "own_listing")
        offer_id = make(as_buyer, listing).json()["id"]
        second = make(as_buyer, listing, key="k2")
        assert (second.status_code, second.json()["code"]) == (409, "offer_already_open")
        assert second.json()["offer_id"] == offer_id

    def test_refuses_beyond_the_limits(
        self, as_buyer: APIClient, seller: Member, listing: ListingFacts
    ) -> None:
        Terms.objects.update(offers_per_day=2, offers_per_listing=1)
        made = make(as_buyer, listing)
        Offer.objects.filter(id=made.json()["id"]).update(
            status="declined", is_live=None, due_at=None, ended_at=made.json()["proposed_at"]
        )
        again = make(as_buyer, listing, key="k2")
        assert (again.status_code, again.json()["code"]) == (409, "too_many_offers_on_listing")
        assert make(as_buyer, on_offer(seller.id), key="k3").status_code == 201
        last = make(as_buyer, on_offer(seller.id), key="k4")
        assert (last.status_code, last.json()["code"]) == (429, "too_many_offers_today")
        assert 0 < int(last["Retry-After"]) <= 25 * 3600

    def test_refuses_a_listing_that_is_reserved_or_hidden(
        self, as_buyer: APIClient, seller: Member, listing: ListingFacts
    ) -> None:
        from django.utils import timezone

        listings.reserve(seller_id=seller.id, listing_id=listing.id, now=timezone.now())
        reserved = make(as_buyer, listing)
        assert (reserved.status_code, reserved.json()["code"]) == (409, "listing_not_available")
        listings.release(seller_id=seller.id, listing_id=listing.id, now=timezone.now())
        listings.hide(seller_id=seller.id, listing_id=listing.id, now=timezone.now())
        hidden = make(as_buyer, listing)
        assert (hidden.status_code, hidden.json()["code"]) == (404, "listing_not_found")

    def test_waits_for_the_terms_of_the_market(self, as_buyer: APIClient, listing: ListingFacts) -> None:
        Terms.objects.all().delete()
        answer = make(as_buyer, listing)
        assert (answer.status_code, answer.json()["code"]) == (503, "market_terms_missing")


class TestAnswer:
    @pytest.fixture
    def offer_id(self, as_buyer: APIClient, listing: ListingFacts) -> str:
        return str(make(as_buyer, listing).json()["id"])

    def test_counter_then_accept(self, as_buyer: APIClient, as_seller: APIClient, offer_id: str) -> None:
        body = {"amount": {"amount": 1800, "currency": "EUR"}}
        countered = as_seller.post(f"/api/v1/offers/{offer_id}/counter", body)
        assert (countered.status_code, countered.json()["status"]) == (200, "countered")
        agreed = as_buyer.post(f"/api/v1/offers/{offer_id}/accept")
        assert (agreed.status_code, agreed.json()["status"]) == (200, "accepted")
        assert agreed.json()["deadlines"]["buy_by"] is not None
        assert [event["verb"] for event in agreed.json()["events"]] == ["propose", "counter", "accept"]
        again = as_buyer.post(f"/api/v1/offers/{offer_id}/accept")
        assert (again.status_code, again.json()["code"]) == (409, "invalid_transition")
        assert again.json()["allowed_actions"] == []

    def test_decline(self, as_seller: APIClient, offer_id: str) -> None:
        answer = as_seller.post(f"/api/v1/offers/{offer_id}/decline")
        assert (answer.status_code, answer.json()["status"]) == (200, "declined")

    def test_accept_below_the_new_price(
        self, as_seller: APIClient, seller: Member, listing: ListingFacts, offer_id: str
    ) -> None:
        from tests.orders.test_offers import reprice

        reprice(listing, 1400)
        answer = as_seller.post(f"/api/v1/offers/{offer_id}/accept")
        assert (answer.status_code, answer.json()["code"]) == (409, "price_changed")
        assert answer.json()["price"] == {"amount": 1400, "currency": "EUR"}

    @pytest.mark.parametrize("verb", ["accept", "decline", "counter", ""])
    def test_is_404_for_others(self, as_outsider: APIClient, offer_id: str, verb: str) -> None:
        path = f"/api/v1/offers/{offer_id}/{verb}".rstrip("/")
        body = {"amount": {"amount": 1800, "currency": "EUR"}} if verb == "counter" else None
        answer = as_outsider.post(path, body) if verb else as_outsider.get(path)
        assert (answer.status_code, answer.json()["code"]) == (404, "offer_not_found")


class TestList:
    def test_is_by_role_status_and_listing(
        self, as_buyer: APIClient, as_seller: APIClient, seller: Member, listing: ListingFacts
    ) -> None:
        other = on_offer(seller.id)
        first = make(as_buyer, listing).json()["id"]
        second = make(as_buyer, other, key="k2").json()["id"]
        as_seller.post(f"/api/v1/offers/{first}/decline")
        assert ids(as_buyer, "offers") == [second, first]
        assert ids(as_seller, "offers") == []
        assert ids(as_seller, "offers", role="seller") == [second, first]
        assert ids(as_seller, "offers", role="seller", status="proposed") == [second]
        assert ids(as_buyer, "offers", listing_id=listing.id) == [first]

    def test_has_pages(self, as_buyer: APIClient, seller: Member, listing: ListingFacts) -> None:
        make(as_buyer, listing)
        latest = make(as_buyer, on_offer(seller.id), key="k2").json()["id"]
        page = as_buyer.get("/api/v1/offers", {"limit": 1}).json()
        assert [row["id"] for row in page["results"]] == [latest]
        assert len(as_buyer.get(page["next"]).json()["results"]) == 1

    def test_of_a_listing_shows_the_seller_all_and_a_buyer_the_own(
        self, as_buyer: APIClient, as_seller: APIClient, as_outsider: APIClient, listing: ListingFacts
    ) -> None:
        make(as_buyer, listing)
        make(as_outsider, listing)
        path = f"listings/{listing.id}/offers"
        assert len(ids(as_seller, path)) == 2
        [mine] = ids(as_buyer, path)
        assert mine not in ids(as_outsider, path)

    def test_takes_no_more_statements_for_more_offers(
        self, as_seller: APIClient, listing: ListingFacts, django_assert_num_queries: Any
    ) -> None:
        for _ in range(3):
            client = APIClient()
            client.force_authenticate(make_member())
            make(client, listing)
        with django_assert_num_queries(1):
            assert len(ids(as_seller, "offers", role="seller")) == 3
