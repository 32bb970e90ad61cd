"""What staff sees of payments, refunds and chargebacks; and the one thing that they may do."""

from __future__ import annotations

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission
from django.test import Client

from orders.models import Dispute, Order, Refund
from orders.providers.payments import sandbox
from orders.providers.payments.contract import DisputeOutcome
from orders.services.refunding import advance_refund, request_refund
from tests.factories.members import make_member
from tests.factories.money import NOON, euros
from tests.factories.payments import pay, told

pytestmark = pytest.mark.django_db


def client_of(*permissions: str) -> Client:
    member = make_member("Cashier", is_staff=True)
    member.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    client = Client()
    client.force_login(member)
    return client


@pytest.fixture
def cashier(world: None) -> Client:
    return client_of("view_payment", "view_refund", "change_refund", "view_dispute")


def failed_refund(order: Order) -> str:
    payment = pay(order, "pm_refund_fails")
    refund_id = request_refund(payment_id=payment.id, amount=euros(500), key="k", now=NOON)
    advance_refund(refund_id=refund_id, now=NOON)
    return refund_id


def try_again(client: Client, refund_id: str) -> int:
    form = {"action": "try_again", "_selected_action": refund_id, "confirmed": "1", "note": "asked the buyer"}
    return client.post("/admin/orders/refund/", form, follow=True).status_code


class TestPages:
    def test_show_what_happened_and_not_the_card(self, card_order: Order, cashier: Client) -> None:
        payment = pay(card_order, "pm_card_3ds")
        page = cashier.get(f"/admin/orders/payment/{payment.id}/change/").content.decode()
        assert "24.70 EUR" in page
        assert payment.action_url not in page
        assert 'name="_save"' not in page
        for words in (payment.id, card_order.id, payment.provider_id):
            assert payment.id in cashier.get("/admin/orders/payment/", {"q": words}).content.decode()

    def test_show_chargebacks(self, card_order: Order, cashier: Client) -> None:
        payment = pay(card_order)
        told(sandbox.dispute_callback(payment.id, DisputeOutcome.OPENED, fee=euros(1500), now=NOON))
        dispute = Dispute.objects.get()
        assert "15.00 EUR" in cashier.get("/admin/orders/dispute/").content.decode()
        assert cashier.get(f"/admin/orders/dispute/{dispute.id}/change/").status_code == 200


class TestTryAgain:
    def test_makes_another_refund_and_is_logged(self, card_order: Order, cashier: Client) -> None:
        refund_id = failed_refund(card_order)
        assert try_again(cashier, refund_id) == 200
        assert Refund.objects.filter(key=f"again:{refund_id}", status="requested").exists()
        assert "asked the buyer" in LogEntry.objects.get().change_message
        assert cashier.get(f"/admin/orders/refund/{refund_id}/change/").status_code == 200

    def test_is_not_for_everybody(self, card_order: Order) -> None:
        refund_id = failed_refund(card_order)
        try_again(client_of("view_refund"), refund_id)
        assert Refund.objects.count() == 1
