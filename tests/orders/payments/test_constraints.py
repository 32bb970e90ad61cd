"""The database states each invariant of payments too: every constraint, by its name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import IntegrityError, OperationalError, transaction

from foundation.ids import new_id
from members.models import Member
from orders.models import Dispute, Order, Payment, Refund, SandboxPayment, SandboxRefund
from tests.factories.money import NOON

pytestmark = pytest.mark.django_db


def copied(row: Any, **facts: Any) -> None:
    """The same row once more, with some facts changed."""
    row.pk = new_id()
    for name, value in facts.items():
        setattr(row, name, value)
    row.save(force_insert=True)


def opened(times: int) -> None:
    for number in range(times):
        copied(Payment.objects.earliest("created_at", "id"), provider_id=str(number), **OPEN)


def change(model: type[Any], **facts: Any) -> Callable[[], Any]:
    return lambda: model.objects.update(**facts)


BREAKERS: dict[str, Callable[[], Any]] = {
    "payment_one_open_per_order": lambda: opened(2),
    "payment_provider_id_once": lambda: copied(Payment.objects.get()),
    "payment_known_status": change(Payment, status="lost", captured_minor=0, captured_at=None),
    "payment_amount_positive": change(Payment, amount_minor=0),
    "payment_open_until_decided": change(Payment, is_open=True),
    "payment_due_while_under_way": change(Payment, due_at=NOON),
    "payment_captured_says_how_much": change(Payment, captured_at=None),
    "payment_refunds_within_capture": change(Payment, refunded_minor=2471),
    "refund_known_status": change(Refund, status="lost", ended_at=NOON, due_at=None),
    "refund_amount_positive": change(Refund, amount_minor=0),
    "refund_due_while_open": change(Refund, status="paid", ended_at=NOON),
    "refund_ended_has_end": change(Refund, ended_at=NOON),
    "refund_sent_has_moment": change(Refund, sent_at=None),
    "dispute_provider_id_once": lambda: copied(Dispute.objects.get()),
    "dispute_known_status": change(Dispute, status="new", closed_at=NOON),
    "dispute_amounts_in_range": change(Dispute, seller_minor=2471),
    "dispute_closed_says_when": change(Dispute, status="won"),
    "sandboxpayment_known_answer": change(SandboxPayment, answer="explode"),
    "sandboxrefund_known_answer": change(SandboxRefund, answer="explode"),
}
OPEN: dict[str, Any] = {
    "status": "sending",
    "is_open": True,
    "due_at": NOON,
    "ended_at": None,
    "captured_minor": 0,
    "captured_at": None,
    "refunded_minor": 0,
}


@pytest.fixture
def rows(card_order: Order, buyer: Member) -> None:
    """A payment of 24.70 that was captured, 5.00 of it on the way back, and a chargeback."""
    money: dict[str, Any] = {"amount_minor": 2470, "currency": "EUR"}
    payment = Payment.objects.create(
        order=card_order,
        provider="sandbox",
        provider_id="pay-1",
        status="captured",
        is_open=None,
        captured_minor=2470,
        refunded_minor=500,
        created_at=NOON,
        sent_at=NOON,
        captured_at=NOON,
        ended_at=NOON,
        **money,
    )
    Refund.objects.create(
        payment=payment,
        key="order:1:refund",
        status="sent",
        amount_minor=500,
        currency="EUR",
        due_at=NOON,
        requested_at=NOON,
        sent_at=NOON,
    )
    Dispute.objects.create(
        payment=payment,
        provider="sandbox",
        provider_id="dispute-1",
        status="open",
        fee_minor=1500,
        opened_at=NOON,
        **money,
    )
    card = SandboxPayment.objects.create(reference=payment.id, method="pm_card_ok", **money)
    SandboxRefund.objects.create(reference="refund-1", payment=card, amount_minor=500)


class TestConstraints:
    @pytest.mark.parametrize("name", BREAKERS)
    def test_refuses(self, rows: None, name: str) -> None:
        # MySQL reports a broken CHECK as an OperationalError.
        with pytest.raises((IntegrityError, OperationalError)) as refused, transaction.atomic():
            BREAKERS[name]()
        text = str(refused.value)
        assert name in text or "UNIQUE constraint failed" in text

    def test_a_payment_that_ended_does_not_stand_in_the_way(self, rows: None) -> None:
        copied(Payment.objects.get(), provider_id=None, **OPEN)
        assert Payment.objects.count() == 2
