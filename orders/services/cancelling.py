"""An order that was paid and is undone before it is sent."""

from __future__ import annotations

from datetime import datetime, timedelta

from foundation.db import atomic_retry
from foundation.lifecycle import Transition
from listings.services import put_back
from orders.errors import InvalidTransition
from orders.lifecycle import BUYER, SUPPORT, OrderStatus
from orders.models import Order
from orders.order_timers import GRACE_WORKING_DAYS, SEND_AFTER_REFUSAL, working_days
from orders.services.labelling import cancel_label
from orders.services.order_moves import lock_order, lock_own, move, row_of, seller_place
from orders.services.settling import give_back, remaining
from orders.services.striking import give_strike


@atomic_retry
def cancel(*, member_id: str, order_id: str, now: datetime) -> None:
    """Undo it. The seller may until the first scan; the buyer for two hours, later by asking the seller.

    Of a cancellation and the carrier's first scan, who locks the order first wins. Raises OrderNotFound,
    InvalidTransition.
    """
    order, actor = lock_own(order_id, member_id)
    if actor == BUYER and order.status == OrderStatus.PAID and now >= alone_until(order):
        move(order, row_of(order, "request_cancellation", BUYER), now=now, actor_id=member_id)
        return
    row = row_of(order, "cancel", actor)
    undo(order, row, now=now, actor_id=member_id, actor=f"member:{member_id}", reason="cancelled")


@atomic_retry
def refuse_cancellation(*, seller_id: str, order_id: str, now: datetime) -> None:
    """The seller means to send it after all. Raises OrderNotFound, InvalidTransition."""
    order, actor = lock_own(order_id, seller_id)
    row = row_of(order, "refuse_cancellation", actor)
    if order.ship_by_at is not None:
        order.ship_by_at = max(order.ship_by_at, now + SEND_AFTER_REFUSAL)
    move(order, row, now=now, actor_id=seller_id)


@atomic_retry
def say_handed_over(*, seller_id: str, order_id: str, now: datetime) -> None:
    """The seller has given the parcel to the carrier: once, two working days more until the first scan.

    Raises OrderNotFound, InvalidTransition.
    """
    order, actor = lock_own(order_id, seller_id)
    row = row_of(order, "ship", actor)
    if order.handed_over_at is not None:
        raise InvalidTransition("You have said so already; the carrier's first scan is awaited.")
    order.handed_over_at = now
    if order.ship_by_at is not None:
        order.ship_by_at = working_days(order.ship_by_at, GRACE_WORKING_DAYS, seller_place(order))
    move(order, row, now=now, actor_id=seller_id)


@atomic_retry
def cancel_by_support(*, staff_id: str, order_id: str, reason: str, now: datetime) -> None:
    """Raises OrderNotFound, InvalidTransition."""
    order = lock_order(order_id)
    row = row_of(order, "cancel", SUPPORT)
    undo(order, row, now=now, actor_id=staff_id, actor=f"staff:{staff_id}", reason=reason)


def cancel_by_clock(order: Order, row: Transition, *, now: datetime) -> None:
    """Not sent in time, which is the seller's fault, or no answer to the buyer's wish, which is consent."""
    undo(order, row, now=now, actor="system", reason=row.verb)
    if row.verb == "cancel_unsent":
        give_strike(member_id=order.seller_id, order_id=order.id, reason="not_sent", now=now)


def alone_until(order: Order) -> datetime:
    """Until when (exclusive) the buyer cancels a paid order without asking."""
    if order.paid_at is None:
        raise ValueError(f"order {order.id} is not paid")
    return order.paid_at + timedelta(hours=order.terms["cancel_alone_hours"])


def undo(
    order: Order, row: Transition, *, now: datetime, actor: str, reason: str, actor_id: str = ""
) -> None:
    """Everything goes back to the tenders that paid; what the seller has again may be offered again."""
    key = f"order:{order.id}:refund:{order.version}"
    returned = give_back(order, remaining(order), key=key, actor=actor, reason=reason, now=now)
    move(order, row, now=now, actor_id=actor_id, reason=reason if actor_id else "", amount_minor=returned)
    if row.target != OrderStatus.REFUNDED or row.verb == "receive":
        put_back(listing_ids=list(order.titles), now=now)
    for leg in ("outbound", "to_hub"):
        cancel_label(order_id=order.id, leg=leg, now=now)
