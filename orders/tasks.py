"""Doorbells: each makes one service call, and is safe to ring twice."""

from __future__ import annotations

from celery import shared_task

from foundation import clock
from orders.services import (
    carrier_calls,
    cases,
    charging,
    deadlines,
    forgetting,
    order_deadlines,
    reconciling_payments,
    refunding,
)


@shared_task
def sweep_offers() -> None:
    """Every few seconds."""
    deadlines.sweep_offers(now=clock.now())


@shared_task
def remind_of_offers() -> None:
    """Every quarter of an hour."""
    deadlines.remind_of_offers(now=clock.now())


@shared_task
def sweep_orders() -> None:
    """Every few seconds."""
    order_deadlines.sweep_orders(now=clock.now())


@shared_task
def remind_of_orders() -> None:
    """Every few minutes."""
    order_deadlines.sweep_reminders(now=clock.now())


@shared_task
def forget_details() -> None:
    """Every hour."""
    forgetting.forget_details(now=clock.now())


@shared_task
def measure_cases() -> None:
    """Every minute."""
    cases.measure_cases(now=clock.now())


@shared_task
def advance_payment(payment_id: str) -> None:
    """Rung by a payment, and again by the sweeper whenever its provider is to be called or asked."""
    charging.advance_payment(payment_id=payment_id, now=clock.now())


@shared_task
def advance_refund(refund_id: str) -> None:
    """Likewise by a refund."""
    refunding.advance_refund(refund_id=refund_id, now=clock.now())


@shared_task
def sweep_payments() -> None:
    """Every few seconds."""
    reconciling_payments.sweep_payments(now=clock.now())


@shared_task
def advance_parcel(parcel_id: str) -> None:
    """Rung by a parcel, and again by the sweeper whenever the carrier is to be called."""
    carrier_calls.advance_parcel(parcel_id=parcel_id, now=clock.now())


@shared_task
def sweep_parcels() -> None:
    """Every few seconds."""
    carrier_calls.sweep_parcels(now=clock.now())
