"""The sweeper of payments and refunds: what nobody picked up, and what a provider never answered."""

from __future__ import annotations

from datetime import datetime

from orders import metrics
from orders.queries.payments import (
    count_payments_under_way,
    due_payment_ids,
    due_refund_ids,
    find_oldest_refund_at,
    find_oldest_unknown_at,
)
from orders.services.payment_ringing import ring_for_payment, ring_for_refund

BATCH = 200


def sweep_payments(*, now: datetime) -> int:
    """Ring for what is due, and measure what is open. Returns how many it rang for."""
    payments = due_payment_ids(now=now, limit=BATCH)
    for payment_id in payments:
        ring_for_payment(payment_id)
    refunds = due_refund_ids(now=now, limit=BATCH)
    for refund_id in refunds:
        ring_for_refund(refund_id)
    for status, number in count_payments_under_way().items():
        metrics.PAYMENTS_OPEN.labels(status).set(number)
    for gauge, since in (
        (metrics.OLDEST_UNKNOWN_SECONDS, find_oldest_unknown_at()),
        (metrics.OLDEST_REFUND_SECONDS, find_oldest_refund_at()),
    ):
        gauge.set(0 if since is None else (now - since).total_seconds())
    return len(payments) + len(refunds)
