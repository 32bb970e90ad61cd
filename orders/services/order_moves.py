"""The one place that changes an order's status: a row of the lifecycle, deadline, record and news."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import structlog
from django.db import transaction
from django.db.models import F

from foundation.compiled import Arg, CompiledQuery, insert_rows, save_row
from foundation.lifecycle import Transition, UnknownTransition
from foundation.outgoing.appending import Event, append_events
from members.queries import get_market
from orders import metrics
from orders.errors import InvalidTransition, OrderNotFound
from orders.lifecycle import BUYER, LISTING_TAKEN, ORDER, SELLER, OrderStatus
from orders.models import Order, OrderEvent, OrderItem
from orders.order_timers import Place, due_after, next_reminder
from orders.queries.orders import asked_verbs
from orders.services.telling import tell

logger = structlog.get_logger(__name__)

# What an event is called where the status it leads to does not say it.
_TOLD = {"ship": "order.handed_over", "refuse_cancellation": "order.cancellation_refused"}
# The moments that a status is the first to have, unless they are known: stages may be skipped.
_STAMPS: dict[str, tuple[str, ...]] = {
    OrderStatus.PAID: ("paid_at",),
    OrderStatus.SHIPPED: ("shipped_at",),
    OrderStatus.IN_TRANSIT: ("shipped_at",),
    OrderStatus.DELIVERED: ("shipped_at", "delivered_at"),
    OrderStatus.COMPLETED: ("delivered_at", "completed_at"),
}


_LOCKED = CompiledQuery(lambda: Order.objects.select_for_update().filter(id=Arg("id")).order_by())


def lock_order(order_id: str) -> Order:
    """The row, locked until the transaction ends. Raises OrderNotFound."""
    order = _LOCKED.find(id=order_id)
    if order is None:
        raise OrderNotFound
    return order


def lock_own(order_id: str, member_id: str) -> tuple[Order, str]:
    """As lock_order, and who of its two the member is. Raises OrderNotFound."""
    order = lock_order(order_id)
    if member_id == order.buyer_id:
        return order, BUYER
    if member_id == order.seller_id and order.paid_at is not None:
        return order, SELLER
    raise OrderNotFound


def row_of(order: Order, verb: str, actor: str) -> Transition:
    """The row of a verb on a locked order. Raises InvalidTransition."""
    try:
        return ORDER.row(order.status, verb, actor)
    except UnknownTransition:
        raise InvalidTransition(
            f"The {actor} cannot {verb} while the order is {order.status}.",
            extra={"status_now": order.status, "allowed_actions": asked_verbs(order.status, actor)},
        ) from None


def find_row(order: Order, verb: str, actor: str) -> Transition | None:
    """As row_of; None when there is no such row."""
    try:
        return ORDER.row(order.status, verb, actor)
    except UnknownTransition:
        return None


def move(
    order: Order,
    row: Transition,
    *,
    now: datetime,
    actor_id: str = "",
    reason: str = "",
    amount_minor: int | None = None,
) -> None:
    """Take a locked order along a row and save all of it. The caller has set whatever else changed."""
    source = order.status
    order.status = row.target
    for stamp in _stamps(order, row):
        setattr(order, stamp, now)
    order.due_at = _due_at(order, now=now)
    if row.verb in ("ship", "refuse_cancellation"):
        order.due_at = order.ship_by_at
    order.remind_at = next_reminder(order.status, order.due_at, now=now)
    order.updated_at = now
    order.version += 1
    if row.target not in LISTING_TAKEN:
        order.ended_at = now
        OrderItem.objects.filter(order_id=order.id).update(is_live=None)
    save_row(order)
    record(
        [order],
        row.verb,
        source,
        row.actor,
        now=now,
        actor_id=actor_id,
        reason=reason,
        amount_minor=amount_minor,
    )


def move_many(orders: Sequence[Order], row: Transition, *, now: datetime) -> None:
    """Take locked orders of one status along a row of the clock; an UPDATE for all that get one deadline."""
    source = row.source
    changes: dict[str, Any] = {"status": row.target, "updated_at": now}
    ids = [order.id for order in orders]
    if row.target not in LISTING_TAKEN:
        changes["ended_at"] = now
        OrderItem.objects.filter(order_id__in=ids).update(is_live=None)
    groups = defaultdict[tuple[datetime | None, datetime | None, tuple[str, ...]], list[Order]](list)
    for order in orders:
        order.status = row.target
        due_at = _due_at(order, now=now)
        remind_at = next_reminder(row.target, due_at, now=now)
        groups[due_at, remind_at, _stamps(order, row)].append(order)
    for (due_at, remind_at, stamps), members in groups.items():
        written = {**changes, **dict.fromkeys(stamps, now), "due_at": due_at, "remind_at": remind_at}
        Order.objects.filter(id__in=[order.id for order in members]).update(
            version=F("version") + 1, **written
        )
        for order in members:
            for name, value in written.items():
                setattr(order, name, value)
            order.version += 1
    record(orders, row.verb, source, row.actor, now=now)


def touch(order: Order, *, now: datetime, **changes: Any) -> None:
    """Save something of a locked order that is no step of its life: the next version."""
    for name, value in changes.items():
        setattr(order, name, value)
    order.updated_at = now
    order.version += 1
    save_row(order)


def record(
    orders: Iterable[Order],
    verb: str,
    source: str,
    actor: str,
    *,
    now: datetime,
    actor_id: str = "",
    reason: str = "",
    amount_minor: int | None = None,
) -> None:
    """Write down, count, log and tell what happened to orders that were just saved."""
    orders = list(orders)
    insert_rows(
        [
            OrderEvent(
                order_id=order.id,
                number=order.version,
                verb=verb,
                source=source,
                target=order.status,
                actor=actor,
                actor_id=actor_id,
                reason=reason,
                amount_minor=amount_minor,
                happened_at=now,
            )
            for order in orders
        ]
    )
    append_events(
        [
            Event(
                _TOLD.get(verb, f"order.{order.status}"),
                f"order:{order.id}",
                _payload(order, verb, actor, amount_minor),
            )
            for order in orders
        ],
        now=now,
    )
    for order in orders:
        logger.info(
            "order_moved", order_id=order.id, verb=verb, actor=actor, source=source, target=order.status
        )
    tell(orders, verb, now=now, amount_minor=amount_minor)
    count = metrics.ORDER_MOVES.labels(verb, actor)
    transaction.on_commit(lambda: count.inc(len(orders)))


def _stamps(order: Order, row: Transition) -> tuple[str, ...]:
    return tuple(name for name in _STAMPS.get(row.target, ()) if getattr(order, name) is None)


def _due_at(order: Order, *, now: datetime) -> datetime | None:
    place = buyer_place(order) if order.status == OrderStatus.RETURN_PENDING else None
    return due_after(
        order.status, timers=order.terms, now=now, ship_by_at=order.ship_by_at, buyer_place=place
    )


def seller_place(order: Order) -> Place:
    """Where the seller's working days are counted."""
    return Place(order.seller_country, get_market(order.seller_country).time_zone)


def buyer_place(order: Order) -> Place:
    """Where the buyer's working days are counted."""
    return Place(order.buyer_country, get_market(order.buyer_country).time_zone)


def _payload(order: Order, verb: str, actor: str, amount_minor: int | None) -> dict[str, object]:
    amount = {} if amount_minor is None else {"amount": {"amount": amount_minor, "currency": order.currency}}
    return {
        "order_id": order.id,
        "seller_id": order.seller_id,
        "buyer_id": order.buyer_id,
        "status": order.status,
        "verb": verb,
        "actor": actor,
        "version": order.version,
        "due_at": order.due_at,
        **amount,
    }
