"""Payments and refunds, as data."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db.models import Count, Min, QuerySet

from foundation.money import Money
from orders.lifecycle import PAYMENT_UNDER_WAY, REFUND_OPEN, PaymentStatus
from orders.models import Dispute, Payment, Refund

REFUNDS_LISTED = 100


@dataclass(frozen=True, slots=True)
class PaymentFacts:
    """An attempt to pay. `action_url` is where the buyer has to go while the status is requires_action."""

    id: str
    order_id: str
    provider: str
    provider_id: str | None
    status: str
    amount: Money
    captured: Money
    refunded: Money
    failure_code: str
    created_at: datetime
    action_url: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class RefundFacts:
    """A return of money to a card."""

    id: str
    payment_id: str
    status: str
    amount: Money
    requested_at: datetime
    ended_at: datetime | None


def _facts(payment: Payment) -> PaymentFacts:
    return PaymentFacts(
        id=payment.id,
        order_id=payment.order_id,
        provider=payment.provider,
        provider_id=payment.provider_id,
        status=payment.status,
        amount=Money(payment.amount_minor, payment.currency),
        captured=Money(payment.captured_minor, payment.currency),
        refunded=Money(payment.refunded_minor, payment.currency),
        failure_code=payment.failure_code,
        created_at=payment.created_at,
        action_url=payment.action_url,
    )


def find_latest_payment(order_id: str) -> PaymentFacts | None:
    """The last attempt to pay an order."""
    payment = Payment.objects.filter(order_id=order_id).order_by("-id").first()
    return None if payment is None else _facts(payment)


def has_open_payment(order_id: str) -> bool:
    """Whether an attempt may still pay the order."""
    return Payment.objects.filter(order_id=order_id, is_open=True).exists()


def list_refunds(order_id: str) -> list[RefundFacts]:
    """What goes back to the card of an order, the first one first; at most REFUNDS_LISTED."""
    rows = Refund.objects.filter(payment__order_id=order_id).order_by("id")[:REFUNDS_LISTED]
    return [
        RefundFacts(
            id=refund.id,
            payment_id=refund.payment_id,
            status=refund.status,
            amount=Money(refund.amount_minor, refund.currency),
            requested_at=refund.requested_at,
            ended_at=refund.ended_at,
        )
        for refund in rows
    ]


def has_open_dispute(order_id: str) -> bool:
    """Whether the card's bank has taken a payment back and not yet decided for good."""
    return Dispute.objects.filter(payment__order_id=order_id, status="open").exists()


def due_payment_ids(*, now: datetime, limit: int) -> list[str]:
    """Those that a worker has to call about, the longest due first."""
    return _due(Payment.objects.all(), now, limit)


def due_refund_ids(*, now: datetime, limit: int) -> list[str]:
    """Likewise of refunds."""
    return _due(Refund.objects.all(), now, limit)


def _due(rows: QuerySet[Any], now: datetime, limit: int) -> list[str]:
    due = rows.filter(due_at__lte=now).order_by("due_at", "id")
    return list(due.values_list("id", flat=True)[:limit])


def count_payments_under_way() -> dict[str, int]:
    """How many stand where, of those that are not over."""
    statuses = [status.value for status in PAYMENT_UNDER_WAY]
    rows = Payment.objects.filter(status__in=statuses).order_by().values("status").annotate(n=Count("id"))
    return dict.fromkeys(statuses, 0) | {row["status"]: row["n"] for row in rows}


def find_oldest_unknown_at() -> datetime | None:
    """Since when a provider has not said what became of a charge that it was asked for."""
    asked = [PaymentStatus.SENDING.value, PaymentStatus.CAPTURING.value, PaymentStatus.CANCELLING.value]
    oldest: datetime | None = Payment.objects.filter(status__in=asked).aggregate(at=Min("sent_at"))["at"]
    return oldest


def find_oldest_refund_at() -> datetime | None:
    """Since when a refund has been owed that is not paid."""
    rows = Refund.objects.filter(status__in=[status.value for status in REFUND_OPEN])
    oldest: datetime | None = rows.aggregate(at=Min("requested_at"))["at"]
    return oldest
