"""Checkouts over the API: the quote, choosing otherwise, paying, giving up; shapes and refusals."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from listings.models import Listing
from listings.queries import ListingFacts
from members.models import Member
from members.services.restrictions import restrict
from orders.errors import CheckoutStale
from orders.models import Order, Payment, Terms
from orders.services.checkouts import Choices, change_checkout
from tests.factories.money import give
from tests.factories.orders import offer, on_offer
from tests.factories.payments import advance
from tests.factories.purchases import held_by

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]

CHECKOUTS = "/api/v1/checkouts"
ADDRESS = {
    "name": "Jonas Jonaitis",
    "street": "Gedimino pr. 1",
    "postal_code": "01103",
    "city": "Vilnius",
    "country": "LT",
}
HOME = {"option": "standard_home", "address": ADDRESS}


def euros(minor: int) -> dict[str, Any]:
    return {"amount": minor, "currency": "EUR"}


def create(client: APIClient, *listing_ids: str, **choices: Any) -> Any:
    return client.post(CHECKOUTS, {"listing_ids": listing_ids, **choices})


def pay(client: APIClient, checkout: dict[str, Any], *, key: str | None = "k1", **body: Any) -> Any:
    headers = {} if key is None else {"Idempotency-Key": key}
    known = {"quote_version": checkout["quote_version"], "payment_method": "pm_card_ok"}
    return client.post(f"{CHECKOUTS}/{checkout['id']}/pay", known | body, headers=headers)


@pytest.fixture
def checkout(as_buyer: APIClient, listing: ListingFacts) -> dict[str, Any]:
    """Of an item of 20.00, to be brought home."""
    answer = create(as_buyer, listing.id, delivery=HOME)
    assert answer.status_code == 201, answer.json()
    body: dict[str, Any] = answer.json()
    return body


class TestCreate:
    def test_answers_the_quote_and_what_can_be_chosen(
        self, as_buyer: APIClient, buyer: Member, listing: ListingFacts
    ) -> None:
        give(buyer.id, 1000)
        answer = create(as_buyer, listing.id, delivery=HOME)
        body = answer.json()
        shipping = body["money"]["shipping"]["amount"]
        total = 2000 + 170 + shipping
        assert answer.status_code == 201
        assert body["money"] == {
            "items_listed": euros(2000),
            "items_total": euros(2000),
            "fee": {"total": euros(170), "net": euros(140), "vat": euros(30)},
            "shipping": euros(shipping),
            "verification": euros(0),
            "total": euros(total),
            "wallet": euros(1000),
            "card": euros(total - 1000),
            "refunded": euros(0),
            "refunded_items": euros(0),
            "refunded_wallet": euros(0),
            "refunded_card": euros(0),
            "seller_gets": euros(2000),
        }
        assert (body["status"], body["role"], body["quote_version"]) == ("pending_payment", "buyer", 1)
        assert body["allowed_actions"] == ["change", "pay", "abandon"]
        assert [name for name, at in body["deadlines"].items() if at] == ["pay_by"]
        assert body["items"] == [
            {
                "listing_id": listing.id,
                "title": listing.title,
                "listed": euros(2000),
                "price": euros(2000),
            }
        ]
        assert {option["code"] for option in body["shipping_options"]} >= {"standard_home", "standard_point"}
        assert body["verification_offer"] == {
            "fee": euros(1000),
            "minimum": euros(10_000),
            "is_offered": False,
        }
        assert [event["verb"] for event in body["events"]] == ["checkout"]
        assert (body["delivery"]["option"], body["payment"], body["parcels"]) == ("standard_home", None, [])
        read = as_buyer.get(answer["Location"])
        assert (read.json(), read["ETag"]) == (body, answer["ETag"])
        assert "Gedimino" not in answer.content.decode()

    def test_needs_no_choice_yet(self, as_buyer: APIClient, listing: ListingFacts) -> None:
        body = create(as_buyer, listing.id).json()
        assert (body["delivery"], body["money"]["shipping"]) == (None, euros(0))
        refused = pay(as_buyer, body)
        assert (refused.status_code, refused.json()["code"]) == (422, "delivery_missing")

    def test_goes_to_a_pickup_point(self, as_buyer: APIClient, listing: ListingFacts) -> None:
        query = {"country": "LT", "postal_code": "01103"}
        point = as_buyer.get("/api/v1/pickup-points", query).json()["results"][0]
        delivery = {"option": "standard_point", "address": ADDRESS, "pickup_point_id": point["id"]}
        answer = create(as_buyer, listing.id, delivery=delivery)
        assert answer.json()["delivery"]["pickup_point"]["id"] == point["id"]

    def test_uses_an_agreed_offer(
        self, as_buyer: APIClient, as_seller: APIClient, buyer: Member, listing: ListingFacts
    ) -> None:
        made = offer(buyer.id, listing, 1500, now=timezone.now())
        as_seller.post(f"/api/v1/offers/{made.id}/accept")
        body = create(as_buyer, listing.id).json()
        assert (body["offer_id"], body["money"]["items_total"]) == (made.id, euros(1500))

    def test_offers_verification_of_what_is_dear(
        self, as_buyer: APIClient, seller: Member, listing: ListingFacts
    ) -> None:
        refused = create(as_buyer, listing.id, verification=True)
        assert (refused.status_code, refused.json()["code"]) == (422, "verification_not_offered")
        assert refused.json()["minimum"] == euros(10_000)
        dear = create(as_buyer, on_offer(seller.id, 10_000).id, verification=True).json()
        assert (dear["is_verified"], dear["money"]["verification"]) == (True, euros(1000))

    def test_may_leave_the_wallet_alone(
        self, as_buyer: APIClient, buyer: Member, listing: ListingFacts
    ) -> None:
        give(buyer.id, 1000)
        body = create(as_buyer, listing.id, use_wallet=False).json()
        assert (body["uses_wallet"], body["money"]["wallet"]) == (False, euros(0))
        assert held_by(buyer.id) == 1000

    def test_of_several_names_each_problem(
        self, as_buyer: APIClient, outsider: Member, listing: ListingFacts
    ) -> None:
        strange = on_offer(outsider.id)
        answer = create(as_buyer, listing.id, listing.id, strange.id)
        assert (answer.status_code, answer.json()["code"]) == (422, "invalid_bundle")
        found = [(error["pointer"], error["code"]) for error in answer.json()["errors"]]
        assert found == [("/listing_ids/1", "repeated"), ("/listing_ids/2", "another_seller")]

    @pytest.mark.django_db(transaction=True)
    def test_refuses_by_rule(
        self, as_buyer: APIClient, as_seller: APIClient, as_outsider: APIClient, listing: ListingFacts
    ) -> None:
        own = create(as_seller, listing.id)
        assert (own.status_code, own.json()["code"]) == (422, "own_listing")
        create(as_buyer, listing.id)
        taken = create(as_outsider, listing.id)
        assert (taken.status_code, taken.json()["code"]) == (409, "listing_not_available")
        # Another checkout of the same buyer makes room for it.
        assert create(as_buyer, listing.id).status_code == 201

    @pytest.mark.parametrize(
        ("capability", "code"), [("buy", "member_restricted"), ("sell", "listing_not_available")]
    )
    def test_refuses_whoever_may_not_trade(
        self, as_buyer: APIClient, buyer: Member, listing: ListingFacts, capability: str, code: str
    ) -> None:
        member_id, now = {"buy": buyer.id, "sell": listing.seller_id}[capability], timezone.now()
        restrict(member_id=member_id, capability=capability, reason="fraud", source="staff:01", now=now)
        assert create(as_buyer, listing.id).json()["code"] == code

    @pytest.mark.parametrize(
        ("delivery", "problems"),
        [
            ({"option": "drone"}, [("/delivery/option", "unknown_option")]),
            ({"option": "standard_point"}, [("/delivery/pickup_point_id", "pickup_point_missing")]),
            ({"pickup_point_id": "none"}, [("/delivery/pickup_point_id", "unknown_pickup_point")]),
            (
                {"option": "drone", "address": ADDRESS | {"country": "DE"}},
                [("/delivery/option", "unknown_option"), ("/delivery/address/country", "wrong_country")],
            ),
        ],
    )
    def test_says_what_is_wrong_with_the_delivery(
        self,
        as_buyer: APIClient,
        listing: ListingFacts,
        delivery: dict[str, Any],
        problems: list[tuple[str, str]],
    ) -> None:
        answer = create(as_buyer, listing.id, delivery=HOME | delivery)
        assert (answer.status_code, answer.json()["code"]) == (422, "invalid_delivery")
        assert [(error["pointer"], error["code"]) for error in answer.json()["errors"]] == problems
        assert not Order.objects.exists()

    @pytest.mark.parametrize(
        "body",
        [
            {},
            {"listing_ids": []},
            {"listing_ids": ["x"]},
            {"listing_ids": "x", "price": 1},
            {"use_wallet": "yes"},
            {"delivery": {"option": "standard_home"}},
            {"delivery": HOME | {"address": ADDRESS | {"country": "Lithuania"}}},
            {"delivery": HOME | {"address": ADDRESS | {"phone": "8600"}}},
            {"discount": 50},
        ],
    )
    def test_refuses_what_it_does_not_know(
        self, as_buyer: APIClient, listing: ListingFacts, body: dict[str, Any]
    ) -> None:
        ids = {} if not body or "listing_ids" in body else {"listing_ids": [listing.id]}
        answer = as_buyer.post(CHECKOUTS, ids | body)
        assert (answer.status_code, answer.json()["code"]) == (400, "invalid_request")
        assert answer.json()["errors"]

    def test_takes_a_fixed_number_of_statements(
        self, as_buyer: APIClient, listing: ListingFacts, django_assert_num_queries: Any
    ) -> None:
        with django_assert_num_queries(20):
            assert create(as_buyer, listing.id, delivery=HOME).status_code == 201


class TestChange:
    def change(self, client: APIClient, checkout: dict[str, Any], etag: str | None, **body: Any) -> Any:
        headers = {} if etag is None else {"If-Match": etag}
        return client.put(f"{CHECKOUTS}/{checkout['id']}", body, headers=headers)

    def etag(self, client: APIClient, checkout: dict[str, Any]) -> str:
        return str(client.get(f"{CHECKOUTS}/{checkout['id']}")["ETag"])

    def test_makes_another_quote(self, as_buyer: APIClient, buyer: Member, checkout: dict[str, Any]) -> None:
        give(buyer.id, 1000)
        answer = self.change(as_buyer, checkout, self.etag(as_buyer, checkout), delivery=HOME)
        assert answer.status_code == 200
        assert (answer.json()["quote_version"], answer.json()["money"]["wallet"]) == (2, euros(1000))
        without = self.change(as_buyer, checkout, answer["ETag"], use_wallet=False)
        assert (without.json()["delivery"], without.json()["money"]["wallet"]) == (None, euros(0))
        assert held_by(buyer.id) == 1000
        assert without.json()["deadlines"] == checkout["deadlines"]

    def test_needs_the_version_that_was_seen(self, as_buyer: APIClient, checkout: dict[str, Any]) -> None:
        blind = self.change(as_buyer, checkout, None)
        assert (blind.status_code, blind.json()["code"]) == (428, "if_match_required")
        stale = self.change(as_buyer, checkout, '"old"')
        assert (stale.status_code, stale.json()["code"]) == (412, "stale_etag")

    def test_of_another_version_at_the_same_time(self, buyer: Member, checkout: dict[str, Any]) -> None:
        with pytest.raises(CheckoutStale) as refused:
            change_checkout(
                buyer_id=buyer.id,
                order_id=checkout["id"],
                choices=Choices(),
                expected_version=7,
                now=timezone.now(),
            )
        assert refused.value.code == "checkout_stale"

    def test_waits_for_no_payment(self, as_buyer: APIClient, checkout: dict[str, Any]) -> None:
        pay(as_buyer, checkout)
        answer = self.change(as_buyer, checkout, self.etag(as_buyer, checkout))
        assert (answer.status_code, answer.json()["code"]) == (409, "payment_in_progress")
        gone = as_buyer.delete(f"{CHECKOUTS}/{checkout['id']}")
        assert (gone.status_code, gone.json()["code"]) == (409, "payment_in_progress")
        again = create(as_buyer, checkout["items"][0]["listing_id"])
        assert (again.status_code, again.json()["code"]) == (409, "payment_in_progress")

    def test_comes_too_late(self, as_buyer: APIClient, checkout: dict[str, Any]) -> None:
        Order.objects.update(due_at=timezone.now() - timedelta(seconds=1))
        etag = self.etag(as_buyer, checkout)
        for answer in (self.change(as_buyer, checkout, etag), pay(as_buyer, checkout)):
            assert (answer.status_code, answer.json()["code"]) == (409, "invalid_transition")
            assert answer.json()["allowed_actions"] == []


class TestAbandon:
    def test_frees_everything_at_once(
        self, as_buyer: APIClient, as_outsider: APIClient, buyer: Member, listing: ListingFacts
    ) -> None:
        give(buyer.id, 1000)
        path = create(as_buyer, listing.id)["Location"]
        assert as_buyer.delete(path).status_code == 204
        assert (as_buyer.get(path).json()["status"], held_by(buyer.id)) == ("expired", 1000)
        again = as_buyer.delete(path)
        assert (again.status_code, again.json()["code"]) == (409, "invalid_transition")
        assert create(as_outsider, listing.id).status_code == 201


class TestPay:
    def test_by_card(self, as_buyer: APIClient, checkout: dict[str, Any]) -> None:
        answer = pay(as_buyer, checkout)
        assert (answer.status_code, answer["Location"][-26:]) == (202, checkout["id"])
        payment = answer.json()["payment"]
        assert (payment["amount"], payment["failure_code"]) == (checkout["money"]["card"], None)
        advance(payment["id"], now=timezone.now())
        body = as_buyer.get(f"{CHECKOUTS}/{checkout['id']}", headers={"Prefer": "wait=1"}).json()
        assert (body["status"], body["payment"]["status"]) == ("paid", "captured")
        assert [event["verb"] for event in body["events"]] == ["checkout", "pay"]

    def test_by_wallet_alone_is_done_at_once(
        self, as_buyer: APIClient, buyer: Member, listing: ListingFacts
    ) -> None:
        give(buyer.id, 5000)
        quoted = create(as_buyer, listing.id, delivery=HOME).json()
        answer = pay(as_buyer, quoted)
        assert (answer.status_code, answer.json()["status"]) == (200, "paid")
        assert (answer.json()["payment"], Payment.objects.count()) == (None, 0)

    def test_takes_a_fixed_number_of_statements(
        self, as_buyer: APIClient, checkout: dict[str, Any], django_assert_num_queries: Any
    ) -> None:
        with django_assert_num_queries(15):
            assert pay(as_buyer, checkout).status_code == 202

    def test_may_be_tried_with_another_card(self, as_buyer: APIClient, checkout: dict[str, Any]) -> None:
        refused = pay(as_buyer, checkout, payment_method="pm_card_declined").json()
        advance(refused["payment"]["id"], now=timezone.now())
        read = as_buyer.get(f"{CHECKOUTS}/{checkout['id']}").json()
        assert (read["status"], read["payment"]["status"]) == ("pending_payment", "failed")
        assert read["payment"]["failure_code"]
        assert pay(as_buyer, checkout, key="k2").status_code == 202

    def test_needs_a_key_and_repeats_its_answer(self, as_buyer: APIClient, checkout: dict[str, Any]) -> None:
        keyless = pay(as_buyer, checkout, key=None)
        assert (keyless.status_code, keyless.json()["code"]) == (400, "idempotency_key_required")
        first, again = pay(as_buyer, checkout), pay(as_buyer, checkout)
        assert (again["Idempotent-Replayed"], again.json()) == ("true", first.json())
        other = pay(as_buyer, checkout, payment_method="pm_card_declined")
        assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")
        second = pay(as_buyer, checkout, key="k2")
        assert (second.status_code, second.json()["code"]) == (409, "payment_in_progress")
        assert Payment.objects.count() == 1

    def test_of_a_quote_that_is_not_the_latest(self, as_buyer: APIClient, checkout: dict[str, Any]) -> None:
        answer = pay(as_buyer, checkout, quote_version=2)
        assert (answer.status_code, answer.json()["code"]) == (409, "price_changed")
        assert answer.json()["quote_version"] == 1

    def test_without_a_method(self, as_buyer: APIClient, checkout: dict[str, Any]) -> None:
        body = {"quote_version": 1}
        path = f"{CHECKOUTS}/{checkout['id']}/pay"
        answer = as_buyer.post(path, body, headers={"Idempotency-Key": "k"})
        assert (answer.status_code, answer.json()["code"]) == (422, "payment_method_missing")
        assert answer.json()["card"] == checkout["money"]["card"]

    def test_of_what_moderation_took_away(self, as_buyer: APIClient, checkout: dict[str, Any]) -> None:
        Listing.objects.update(status="removed")
        answer = pay(as_buyer, checkout)
        assert (answer.status_code, answer.json()["code"]) == (409, "listing_not_available")
        assert not Payment.objects.exists()

    def test_of_what_is_paid(self, as_buyer: APIClient, checkout: dict[str, Any]) -> None:
        payment = pay(as_buyer, checkout).json()["payment"]
        advance(payment["id"], now=timezone.now())
        again = pay(as_buyer, checkout, key="k2")
        assert (again.status_code, again.json()["code"]) == (409, "invalid_transition")
        assert again.json()["allowed_actions"] == ["cancel"]

    @pytest.mark.parametrize(
        "body",
        [{"quote_version": "1"}, {"payment_method": 0}, {"return_url": "javascript:alert(1)"}, {"amount": 1}],
    )
    def test_refuses_what_it_does_not_know(
        self, as_buyer: APIClient, checkout: dict[str, Any], body: dict[str, Any]
    ) -> None:
        answer = pay(as_buyer, checkout, **body)
        assert (answer.status_code, answer.json()["code"]) == (400, "invalid_request")


class TestForeign:
    @pytest.mark.parametrize("who", ["as_outsider", "as_seller"])
    def test_is_404(self, request: pytest.FixtureRequest, checkout: dict[str, Any], who: str) -> None:
        client: APIClient = request.getfixturevalue(who)
        path = f"{CHECKOUTS}/{checkout['id']}"
        answers = [
            client.get(path),
            client.put(path, {}, headers={"If-Match": "*"}),
            client.delete(path),
            pay(client, checkout),
            client.get(f"/api/v1/orders/{checkout['id']}"),
        ]
        assert [(one.status_code, one.json()["code"]) for one in answers] == [(404, "order_not_found")] * 5
        assert not Payment.objects.exists()

    def test_needs_someone_signed_in(self, checkout: dict[str, Any]) -> None:
        assert APIClient().get(f"{CHECKOUTS}/{checkout['id']}").status_code == 401


class TestTerms:
    def test_without_them_nothing_is_priced(self, as_buyer: APIClient, listing: ListingFacts) -> None:
        Terms.objects.all().delete()
        answer = create(as_buyer, listing.id)
        assert (answer.status_code, answer.json()["code"]) == (503, "market_terms_missing")
