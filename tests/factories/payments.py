"""Attempts to pay, as far as workers take them, and what the sandbox's processor tells."""

from __future__ import annotations

from datetime import datetime, timedelta

from foundation.incoming.processing import process_event
from foundation.incoming.receiving import receive
from orders.models import Order, Payment
from orders.providers.payments import sandbox
from orders.providers.payments.contract import DisputeOutcome
from orders.providers.payments.sandbox import Signed
from orders.services.charging import advance_payment
from orders.services.paying import start_payment
from orders.services.payment_callbacks import KIND
from tests.factories.money import NOON, euros

TOTAL = euros(2470)
AFTER = timedelta(minutes=1)


def start(order: Order, method: str = "pm_card_ok", *, now: datetime = NOON) -> str:
    """An attempt to pay it, not yet sent."""
    return start_payment(
        order_id=order.id, amount=TOTAL, method=method, return_url="https://shop.example/back", now=now
    )


def advance(payment_id: str, *, now: datetime = NOON, steps: int = 3) -> Payment:
    """A worker comes by, and again as it rings for itself."""
    for _ in range(steps):
        advance_payment(payment_id=payment_id, now=now)
    return Payment.objects.get(id=payment_id)


def pay(order: Order, method: str = "pm_card_ok", *, now: datetime = NOON) -> Payment:
    """From the attempt as far as it gets without a further word."""
    return advance(start(order, method, now=now), now=now)


def told(message: Signed, *, now: datetime = NOON, times: int = 1, provider: str = "sandbox") -> list[bool]:
    """The provider's signed callback arrives, and a worker handles it. Returns whether each was new."""
    news = []
    for _ in range(times):
        body, headers = message
        event_id, is_new = receive(kind=KIND, provider=provider, body=body, headers=headers, now=now)
        process_event(event_id=event_id, now=now)
        news.append(is_new)
    return news


def bank_says(
    order: Order, *outcomes: DisputeOutcome, now: datetime, cents: int | None = None, number: int = 1
) -> None:
    """The bank of the card that paid it takes money back (all, or `cents`) for a fee of 15.00, or ends that.

    `number` tells the payment's disputes apart.
    """
    payment_id = Order.objects.values_list("payment_id", flat=True).get(id=order.id)
    assert payment_id is not None
    amount = None if cents is None else euros(cents)
    for outcome in outcomes:
        message = sandbox.dispute_callback(
            payment_id, outcome, fee=euros(1500), amount=amount, number=number, now=now
        )
        told(message, now=now)
