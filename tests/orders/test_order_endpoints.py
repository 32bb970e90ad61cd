"""Orders over the API: what each of the two sees and may do at each status, lists, history, verbs."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from members.models import Member
from orders.lifecycle import ORDER
from orders.models import Order
from tests.factories.order_life import order_in
from tests.factories.orders import on_offer
from tests.factories.purchases import buy, check_out, deliver

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]

ORDERS = "/api/v1/orders"
BEGAN = timedelta(hours=4)

# What the buyer and the seller may do on the order, and which deadlines they see, the buyer's wish to cancel
# being older than two hours.
SEEN: dict[str, tuple[list[str], list[str], list[str]]] = {
    "pending_payment": (["change", "pay", "abandon"], [], ["pay_by"]),
    "expired": ([], [], []),
    "failed": ([], [], []),
    "paid": (["cancel"], ["cancel", "ship"], ["cancel_alone_until", "ship_by"]),
    "cancel_requested": ([], ["cancel", "refuse_cancellation"], ["answer_cancellation_by", "ship_by"]),
    "cancelled": ([], [], []),
    "shipped": ([], [], ["presumed_delivered_at"]),
    "in_transit": ([], [], ["presumed_delivered_at"]),
    "at_verification": ([], [], []),
    "verified": ([], [], ["presumed_delivered_at"]),
    "rejected": ([], [], []),
    "ready_for_pickup": ([], [], ["presumed_delivered_at"]),
    "returned_to_sender": ([], [], []),
    "delivered": (["confirm", "report_issue"], [], ["report_issue_until", "completes_at"]),
    "issue_open": (["confirm"], [], ["agree_by"]),
    "under_review": ([], [], []),
    "return_pending": ([], ["give_sender_address"], ["send_back_by"]),
    "returning": ([], [], []),
    "completed": (["review"], ["review"], []),
    "refunded": ([], [], []),
}
UNPAID = ("pending_payment", "expired", "failed")


def read(client: APIClient, order: Order, what: str = "") -> Any:
    return client.get(f"{ORDERS}/{order.id}{what}")


def act(client: APIClient, order: Order, verb: str, *, key: str | None = "k", **body: Any) -> Any:
    headers = {} if key is None else {"Idempotency-Key": key}
    return client.post(f"{ORDERS}/{order.id}/{verb}", body or None, headers=headers)


def ids(client: APIClient, **query: Any) -> list[str]:
    answer = client.get(ORDERS, query)
    assert answer.status_code == 200, answer.json()
    return [row["id"] for row in answer.json()["results"]]


@pytest.fixture
def order(seller: Member, buyer: Member) -> Order:
    """Paid just now."""
    return buy(seller.id, buyer.id, now=timezone.now())


@pytest.fixture
def delivered(order: Order) -> Order:
    return deliver(order, now=timezone.now())


class TestRead:
    def test_knows_every_status(self) -> None:
        assert set(SEEN) == set(ORDER.statuses)

    @pytest.mark.parametrize("status", SEEN)
    def test_says_what_each_may_do_and_until_when(
        self, as_buyer: APIClient, as_seller: APIClient, seller: Member, buyer: Member, status: str
    ) -> None:
        now = timezone.now()
        order = order_in(status, seller, buyer, now=now if status in UNPAID else now - BEGAN)
        buyers, sellers, deadlines = SEEN[status]
        shown = read(as_buyer, order).json()
        assert (shown["status"], shown["role"], shown["allowed_actions"]) == (status, "buyer", buyers)
        assert [name for name, at in shown["deadlines"].items() if at] == deadlines
        assert shown["events"][-1]["status"] == status
        assert (shown["issue_id"] is not None) == any(
            event["verb"] == "open_issue" for event in shown["events"]
        )
        sold = read(as_seller, order)
        if status in UNPAID:
            assert (sold.status_code, sold.json()["code"]) == (404, "order_not_found")
        else:
            assert (sold.json()["role"], sold.json()["allowed_actions"]) == ("seller", sellers)
            assert sold.json()["deadlines"] == shown["deadlines"]

    def test_keeps_from_the_seller_what_is_the_buyers(
        self, as_buyer: APIClient, as_seller: APIClient, order: Order
    ) -> None:
        bought, sold = read(as_buyer, order).json(), read(as_seller, order).json()
        assert bought["payment"]["status"] == "captured"
        assert bought["delivery"]["pickup_point"]["id"] == "1000001"
        assert (sold["payment"], sold["delivery"]["pickup_point"]) == (None, None)
        assert sold["money"] == bought["money"]
        assert [parcel["leg"] for parcel in sold["parcels"]] == ["outbound"]

    def test_is_404_for_others(self, as_outsider: APIClient, delivered: Order) -> None:
        answers = [
            read(as_outsider, delivered),
            read(as_outsider, delivered, "/events"),
            *(
                act(as_outsider, delivered, verb)
                for verb in ("cancel", "refuse-cancellation", "ship", "confirm")
            ),
            act(as_outsider, delivered, "issue", kind="damaged", text="Torn"),
        ]
        found = {(answer.status_code, answer.json()["code"]) for answer in answers}
        assert found == {(404, "order_not_found")}
        assert APIClient().get(f"{ORDERS}/{delivered.id}").status_code == 401

    def test_takes_a_fixed_number_of_statements(
        self, as_buyer: APIClient, delivered: Order, django_assert_num_queries: Any
    ) -> None:
        with django_assert_num_queries(7):
            assert read(as_buyer, delivered).status_code == 200


class TestEvents:
    def test_are_who_did_what(self, as_buyer: APIClient, delivered: Order) -> None:
        events = read(as_buyer, delivered, "/events").json()["results"]
        told = [(event["verb"], event["status_before"], event["status"], event["actor"]) for event in events]
        assert told == [
            ("deliver", "in_transit", "delivered", "carrier"),
            ("transit", "shipped", "in_transit", "carrier"),
            ("scan", "paid", "shipped", "carrier"),
            ("pay", "pending_payment", "paid", "provider"),
            ("checkout", "", "pending_payment", "buyer"),
        ]
        assert events[3]["amount"] == {"amount": 2470, "currency": "EUR"}

    def test_have_pages(self, as_seller: APIClient, delivered: Order) -> None:
        page = as_seller.get(f"{ORDERS}/{delivered.id}/events", {"limit": 3}).json()
        rest = as_seller.get(page["next"]).json()
        assert [event["verb"] for event in rest["results"]] == ["pay", "checkout"]
        assert rest["next"] is None


class TestList:
    def test_is_by_role_and_status(
        self, as_buyer: APIClient, as_seller: APIClient, seller: Member, buyer: Member, order: Order
    ) -> None:
        waiting = check_out(buyer.id, [on_offer(seller.id).id], now=timezone.now())
        assert ids(as_buyer) == [order.id]
        assert ids(as_buyer, status="pending_payment") == [waiting.id]
        assert ids(as_buyer, status="completed") == []
        assert ids(as_seller) == []
        assert ids(as_seller, role="seller") == [order.id]
        assert ids(as_seller, role="seller", status="paid") == [order.id]
        assert ids(as_seller, role="seller", status="pending_payment") == []

    def test_shows_the_card_of_the_order(self, as_buyer: APIClient, order: Order) -> None:
        [card] = as_buyer.get(ORDERS).json()["results"]
        whole = read(as_buyer, order).json()
        assert card == {name: whole[name] for name in card}

    def test_has_pages(self, as_seller: APIClient, seller: Member, buyer: Member, order: Order) -> None:
        latest = buy(seller.id, buyer.id, now=timezone.now())
        page = as_seller.get(ORDERS, {"role": "seller", "limit": "1"}).json()
        assert [row["id"] for row in page["results"]] == [latest.id]
        rest = as_seller.get(page["next"]).json()
        assert [row["id"] for row in rest["results"]] == [order.id]

    @pytest.mark.parametrize(
        "query", [{"status": "lost"}, {"role": "carrier"}, {"limit": 101}, {"cursor": "x"}, {"buyer_id": "x"}]
    )
    def test_refuses_other_filters(self, as_buyer: APIClient, query: dict[str, Any]) -> None:
        answer = as_buyer.get(ORDERS, query)
        assert answer.status_code == 400
        assert answer.json()["code"] in ("invalid_request", "invalid_cursor")

    def test_takes_no_more_statements_for_more_orders(
        self,
        as_seller: APIClient,
        seller: Member,
        buyer: Member,
        order: Order,
        django_assert_num_queries: Any,
    ) -> None:
        buy(seller.id, buyer.id, now=timezone.now())
        with django_assert_num_queries(2):
            assert len(ids(as_seller, role="seller")) == 2


class TestCancel:
    def test_by_the_buyer_at_once(self, as_buyer: APIClient, order: Order) -> None:
        answer = act(as_buyer, order, "cancel")
        body = answer.json()
        assert (answer.status_code, body["status"]) == (200, "cancelled")
        assert body["money"]["refunded_card"] == {"amount": 2470, "currency": "EUR"}
        assert body["money"]["seller_gets"] == {"amount": 0, "currency": "EUR"}
        again = act(as_buyer, order, "cancel", key="k2")
        assert (again.status_code, again.json()["code"]) == (409, "invalid_transition")
        assert (again.json()["status_now"], again.json()["allowed_actions"]) == ("cancelled", [])

    def test_by_the_buyer_later_asks_the_seller(
        self, as_buyer: APIClient, as_seller: APIClient, seller: Member, buyer: Member
    ) -> None:
        order = buy(seller.id, buyer.id, now=timezone.now() - timedelta(hours=2, seconds=1))
        asked = act(as_buyer, order, "cancel")
        assert (asked.status_code, asked.json()["status"]) == (200, "cancel_requested")
        refused = act(as_seller, order, "refuse-cancellation", key=None)
        assert (refused.status_code, refused.json()["status"]) == (200, "paid")
        act(as_buyer, order, "cancel", key="k2")
        agreed = act(as_seller, order, "cancel")
        assert (agreed.status_code, agreed.json()["status"]) == (200, "cancelled")

    def test_needs_a_key_and_repeats_its_answer(self, as_seller: APIClient, order: Order) -> None:
        for verb in ("cancel", "confirm"):
            keyless = act(as_seller, order, verb, key=None)
            assert (keyless.status_code, keyless.json()["code"]) == (400, "idempotency_key_required")
        first, again = act(as_seller, order, "cancel"), act(as_seller, order, "cancel")
        assert (again["Idempotent-Replayed"], again.json()) == ("true", first.json())

    def test_takes_no_body(self, as_buyer: APIClient, order: Order) -> None:
        answer = act(as_buyer, order, "cancel", reason="too big")
        assert (answer.status_code, answer.json()["code"]) == (400, "invalid_request")


class TestShip:
    def test_is_said_once_and_gives_time(
        self, as_seller: APIClient, as_buyer: APIClient, order: Order
    ) -> None:
        before = read(as_seller, order).json()["deadlines"]["ship_by"]
        answer = act(as_seller, order, "ship", key=None)
        body = answer.json()
        assert (answer.status_code, body["status"], body["allowed_actions"]) == (200, "paid", ["cancel"])
        assert body["handed_over_at"] is not None
        assert body["deadlines"]["ship_by"] > before
        again = act(as_seller, order, "ship", key=None)
        assert (again.status_code, again.json()["code"]) == (409, "invalid_transition")
        buyers = act(as_buyer, order, "ship", key=None)
        assert (buyers.status_code, buyers.json()["allowed_actions"]) == (409, ["cancel"])


class TestConfirm:
    def test_pays_the_seller(self, as_buyer: APIClient, as_seller: APIClient, delivered: Order) -> None:
        sellers = act(as_seller, delivered, "confirm")
        assert (sellers.status_code, sellers.json()["code"]) == (409, "invalid_transition")
        answer = act(as_buyer, delivered, "confirm")
        assert (answer.status_code, answer.json()["status"]) == (200, "completed")
        balance = as_seller.get("/api/v1/balance").json()
        assert {"amount": 2000, "currency": "EUR"} in [row["available"] for row in balance["balances"]]
        again = act(as_buyer, delivered, "confirm", key="k2")
        assert (again.status_code, again.json()["code"]) == (409, "invalid_transition")
