"""What the clock does with orders: deadlines, and reminders before them. Any number of workers may."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime

import structlog
from django.db import IntegrityError, connection
from django.db.models import QuerySet

from foundation.db import atomic_retry
from foundation.errors import DomainError
from foundation.lifecycle import Transition
from orders import metrics
from orders.lifecycle import ORDER, OrderStatus
from orders.models import Order
from orders.order_timers import next_reminder
from orders.services.cancelling import cancel_by_clock
from orders.services.issues import end_proposals_of, open_review
from orders.services.order_moves import move_many
from orders.services.paying import stop_payments
from orders.services.settling import post_completions, release_wallet
from orders.services.telling import remind

logger = structlog.get_logger(__name__)

BATCH = 100
MOST_BATCHES = 50  # of one sweep; a worker's task is not to run for ever
# A rule that refuses, or the database's own last word: either is about one order.
_STUCK = (DomainError, IntegrityError)


def sweep_orders(*, now: datetime) -> int:
    """Act on what is due; returns how many. An order that cannot be moved is logged and holds up nobody."""
    moved, stuck = 0, list[str]()
    for _ in range(MOST_BATCHES):
        before = moved + len(stuck)
        try:
            moved += _act_on_due(now=now, without=stuck)
        except _STUCK:
            moved += _one_by_one(stuck, now=now)
        if moved + len(stuck) - before < BATCH:
            break
    return moved


def sweep_reminders(*, now: datetime) -> int:
    """Remind whoever has a deadline ahead; returns how many orders."""
    reminded = 0
    for _ in range(MOST_BATCHES):
        done = _remind_due(now=now)
        reminded += done
        if done < BATCH:
            break
    return reminded


@atomic_retry
def _act_on_due(*, now: datetime, without: Sequence[str] = (), only: str | None = None) -> int:
    due = Order.objects.filter(due_at__lte=now).exclude(id__in=without).order_by("due_at", "id")
    orders = _claim(due if only is None else due.filter(id=only))
    by_status = defaultdict[str, list[Order]](list)
    for order in orders:
        by_status[order.status].append(order)
    for status, members in by_status.items():
        row = ORDER.clock_row(status)
        if row is not None:
            _act(members, row, now=now)
    return len(orders)


def _act(orders: list[Order], row: Transition, *, now: datetime) -> None:
    match row.target:
        case OrderStatus.CANCELLED:
            for order in orders:
                cancel_by_clock(order, row, now=now)
            return
        case OrderStatus.EXPIRED:
            for order in orders:
                release_wallet(order, now=now)
        case OrderStatus.COMPLETED:
            post_completions(orders, now=now)
        case OrderStatus.UNDER_REVIEW:
            for order in orders:
                end_proposals_of(order.id, now=now)
                open_review(order, now=now)
    move_many(orders, row, now=now)
    if row.target == OrderStatus.EXPIRED:
        for order in orders:
            stop_payments(order_id=order.id, now=now)


def _one_by_one(stuck: list[str], *, now: datetime) -> int:
    due = Order.objects.filter(due_at__lte=now).exclude(id__in=stuck).order_by("due_at", "id")
    done = 0
    for order_id in list(due.values_list("id", flat=True)[:BATCH]):
        try:
            done += _act_on_due(now=now, only=order_id)
        except _STUCK as error:
            stuck.append(order_id)
            metrics.ORDERS_STUCK.inc()
            code = error.code if isinstance(error, DomainError) else "integrity_error"
            logger.error("order_not_moved", order_id=order_id, code=code)
    return done


@atomic_retry
def _remind_due(*, now: datetime) -> int:
    orders = _claim(Order.objects.filter(remind_at__lte=now).order_by("remind_at", "id"))
    remind(orders, now=now)
    groups = defaultdict[datetime | None, list[str]](list)
    for order in orders:
        groups[next_reminder(order.status, order.due_at, now=now)].append(order.id)
    for remind_at, ids in groups.items():
        Order.objects.filter(id__in=ids).update(remind_at=remind_at)
    return len(orders)


def _claim(due: QuerySet[Order]) -> list[Order]:
    # What another worker, or a member, has in hand is left to it.
    skips = connection.features.has_select_for_update_skip_locked
    return list(due.select_for_update(skip_locked=skips)[:BATCH])
