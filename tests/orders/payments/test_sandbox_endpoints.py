"""Playing card processor over HTTP, and what arrives at the address of its callbacks."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from rest_framework.test import APIClient

from foundation import clock
from foundation.ids import new_id
from orders.models import Dispute, Order, Payment, Refund
from orders.providers.payments import sandbox
from orders.services.refunding import advance_refund, request_refund
from tests.factories.money import NOON, euros
from tests.factories.payments import advance, pay

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("sandbox")]


def play(client: APIClient, address: str, **body: Any) -> Any:
    return client.post(f"/api/v1/sandbox/{address}", body, format="json")


class TestPlay:
    def test_passes_the_secure_step(self, card_order: Order, as_buyer: APIClient) -> None:
        payment = pay(card_order, "pm_card_3ds")
        path = payment.action_url.partition("/api/v1/sandbox/")[2]
        answer = play(as_buyer, path, passes=True, times=2)
        assert (answer.status_code, answer.json()) == (200, {"callbacks": ["new", "repeated"]})
        assert Payment.objects.get().status == "authorised"
        assert play(as_buyer, path, passes=True).json()["code"] == "sandbox_payment_not_found"

    def test_fails_the_secure_step(self, card_order: Order, as_buyer: APIClient) -> None:
        payment = pay(card_order, "pm_card_3ds")
        play(as_buyer, f"payments/{payment.id}/challenge", passes=False)
        assert Payment.objects.get().failure_code == "authentication_failed"

    def test_captures_late_another_amount(self, card_order: Order, as_buyer: APIClient) -> None:
        payment = pay(card_order, "pm_capture_late")
        answer = play(as_buyer, f"payments/{payment.id}/settle", outcome="captured", amount=100, times=3)
        assert answer.json() == {"callbacks": ["new", "repeated", "repeated"]}
        assert Payment.objects.get().captured_minor == 100

    def test_tells_old_news(self, card_order: Order, as_buyer: APIClient) -> None:
        payment = pay(card_order)
        answer = play(as_buyer, f"payments/{payment.id}/repeat", outcome="authorised")
        assert answer.json() == {"callbacks": ["new"]}
        assert Payment.objects.get().status == "captured"

    def test_scripts_the_next_calls(self, card_order: Order, as_buyer: APIClient) -> None:
        payment = pay(card_order, "pm_capture_timeout_before_success")
        assert play(as_buyer, f"payments/{payment.id}/script", answer="time_out").status_code == 204
        assert advance(payment.id, now=NOON + timedelta(seconds=20)).status == "capturing"

    def test_takes_it_back_and_loses(self, card_order: Order, as_buyer: APIClient) -> None:
        payment = pay(card_order)
        for outcome in ("opened", "lost"):
            assert play(as_buyer, f"payments/{payment.id}/dispute", outcome=outcome).status_code == 200
        assert Dispute.objects.get().status == "lost"

    def test_takes_parts_of_it_back_one_after_the_other(self, card_order: Order, as_buyer: APIClient) -> None:
        address = f"payments/{pay(card_order).id}/dispute"
        for body in (
            {"outcome": "opened", "amount": 1000},
            {"outcome": "opened", "amount": 500, "number": 2},
            {"outcome": "won"},
        ):
            assert play(as_buyer, address, **body).status_code == 200
        found = Dispute.objects.order_by("amount_minor").values_list("status", "amount_minor")
        assert list(found) == [("open", 500), ("won", 1000)]

    def test_fails_a_refund(self, card_order: Order, as_buyer: APIClient) -> None:
        payment = pay(card_order, "pm_refund_late")
        refund_id = request_refund(payment_id=payment.id, amount=euros(500), key="k", now=NOON)
        address = f"refunds/{refund_id}/settle"
        assert play(as_buyer, address, outcome="failed").status_code == 404
        advance_refund(refund_id=refund_id, now=NOON)
        assert play(as_buyer, address, outcome="failed", code="closed").status_code == 200
        assert Refund.objects.get().failure_code == "closed"

    @pytest.mark.parametrize(
        ("verb", "body"),
        [
            ("script", {"answer": "time_out"}),
            ("challenge", {"passes": True}),
            ("settle", {"outcome": "captured"}),
            ("repeat", {"outcome": "captured"}),
            ("dispute", {"outcome": "opened"}),
        ],
    )
    def test_is_the_buyers_and_the_sandboxs_only(
        self,
        card_order: Order,
        as_buyer: APIClient,
        as_seller: APIClient,
        settings: Any,
        verb: str,
        body: Any,
    ) -> None:
        payment = pay(card_order, "pm_card_3ds")
        for client, payment_id in ((as_seller, payment.id), (as_buyer, new_id())):
            assert play(client, f"payments/{payment_id}/{verb}", **body).status_code == 404
        settings.SANDBOX = False
        answer = play(as_buyer, f"payments/{payment.id}/{verb}", **body)
        assert (answer.status_code, answer.json()["code"]) == (404, "sandbox_payment_not_found")
        assert Payment.objects.get().status == "requires_action"


class TestCallbacks:
    ADDRESS = "/api/v1/webhooks/payments/sandbox"

    def test_moves_nothing_when_it_is_forged_or_old(self, card_order: Order, client: Any) -> None:
        payment = pay(card_order, "pm_card_3ds")
        at = clock.real_now()
        body, headers = sandbox.payment_callback(payment.id, now=at)
        for sent, signature, status in (
            (body, {}, 401),
            (body.replace(b"requires_action", b"captured"), headers, 401),
            (*sandbox.payment_callback(payment.id, now=at - timedelta(minutes=6)), 400),
            (b"{}", sandbox.signed_headers(b"{}", at), 400),
        ):
            answer = client.post(self.ADDRESS, sent, content_type="application/json", headers=signature)
            assert answer.status_code == status
        assert Payment.objects.get().status == "requires_action"
