"""What the clock brings about with offers and orders (foundation.sandbox)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.db.models import QuerySet

from foundation.sandbox import Sweeper, earliest, register
from orders.lifecycle import OfferStatus
from orders.models import Offer, Order, Parcel, Payment, Refund
from orders.queries.payments import due_payment_ids, due_refund_ids
from orders.services.carrier_calls import call_carriers
from orders.services.charging import advance_payment
from orders.services.deadlines import REMIND_BEFORE, remind_of_offers, sweep_offers
from orders.services.order_deadlines import sweep_orders, sweep_reminders
from orders.services.reconciling_payments import BATCH
from orders.services.refunding import advance_refund


def charge(*, now: datetime) -> int:
    """Call the provider about the payments that are due; returns how many went on by it."""
    due = due_payment_ids(now=now, limit=BATCH)
    return _advanced(Payment.objects.filter(id__in=due), lambda one: advance_payment(payment_id=one, now=now))


def refund(*, now: datetime) -> int:
    """Likewise about refunds."""
    due = due_refund_ids(now=now, limit=BATCH)
    return _advanced(Refund.objects.filter(id__in=due), lambda one: advance_refund(refund_id=one, now=now))


def _advanced(due: QuerySet[Any], advance: Callable[[str], None]) -> int:
    """How many are not what they were; what a worker has in hand stays as it is."""
    before = {id_: (status, calls) for id_, status, calls in due.values_list("id", "status", "calls")}
    for id_ in before:
        advance(id_)
    after = {id_: (status, calls) for id_, status, calls in due.values_list("id", "status", "calls")}
    return sum(after[id_] != was for id_, was in before.items())


def next_offer_reminder(*, after: datetime) -> datetime | None:
    """When the next agreed price is about to end."""
    agreed = Offer.objects.filter(status=OfferStatus.ACCEPTED)
    ends_at = earliest(agreed, "due_at")(after=after + REMIND_BEFORE)
    return None if ends_at is None else ends_at - REMIND_BEFORE


def register_sweepers() -> None:
    """Called once the apps are loaded. Reminders come before the deadlines they are about."""
    orders = Order.objects.all()
    for sweeper in (
        Sweeper("orders.offer_reminders", sweep=remind_of_offers, next_due=next_offer_reminder),
        Sweeper("orders.offers", sweep=sweep_offers, next_due=earliest(Offer.objects.all(), "due_at")),
        Sweeper("orders.payments", sweep=charge, next_due=earliest(Payment.objects.all(), "due_at")),
        Sweeper("orders.refunds", sweep=refund, next_due=earliest(Refund.objects.all(), "due_at")),
        Sweeper("orders.parcels", sweep=call_carriers, next_due=earliest(Parcel.objects.all(), "due_at")),
        Sweeper("orders.order_reminders", sweep=sweep_reminders, next_due=earliest(orders, "remind_at")),
        Sweeper("orders.orders", sweep=sweep_orders, next_due=earliest(orders, "due_at")),
    ):
        register(sweeper)
