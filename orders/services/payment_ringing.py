"""Waking a worker. A ring may get lost: the row is the work, and a sweeper rings again."""

from __future__ import annotations

from typing import Any, cast

from celery import Task, current_app

from foundation.doorbell import ring_after_commit

# By name: services stand below tasks and do not import them.
ADVANCE_PAYMENT = "orders.tasks.advance_payment"
ADVANCE_REFUND = "orders.tasks.advance_refund"


def ring_for_payment(payment_id: str) -> None:
    """Ask a worker to call the provider about a payment, once this is committed."""
    ring_after_commit(cast("Task[Any, Any]", current_app.signature(ADVANCE_PAYMENT)), payment_id)


def ring_for_refund(refund_id: str) -> None:
    """Ask a worker to call the provider about a refund, once this is committed."""
    ring_after_commit(cast("Task[Any, Any]", current_app.signature(ADVANCE_REFUND)), refund_id)
