"""What support decides about orders, each with a reason: refunds, goodwill, items at the hub."""

from __future__ import annotations

from datetime import datetime

from balance import events
from balance.chart import Event
from balance.events import NewPosting, Share
from balance.services.posting import post
from foundation.db import atomic_retry
from foundation.ids import new_id
from foundation.money import Money
from listings.services import remove
from orders.errors import InvalidTransition, RefundExceedsRemaining
from orders.lifecycle import SUPPORT, OrderStatus
from orders.models import Order
from orders.services.cancelling import undo
from orders.services.cases import resolve_by_key
from orders.services.labels import request_hub_return_label, request_onward_label
from orders.services.order_moves import lock_order, move, record, row_of, touch
from orders.services.selling import listing_ids_of
from orders.services.settling import Parts, give_back, reference_of, remaining
from orders.services.striking import give_strike

_PARTLY = (
    OrderStatus.SHIPPED,
    OrderStatus.IN_TRANSIT,
    OrderStatus.READY_FOR_PICKUP,
    OrderStatus.DELIVERED,
    OrderStatus.COMPLETED,
)
"""Where a part of the price may go back without a step in the order's life."""


@atomic_retry
def refund_part(*, staff_id: str, order_id: str, item: Money, reason: str, now: datetime) -> None:
    """Give a part of the items' price back; the fee stays. After completion it may leave a debt.

    Raises OrderNotFound, InvalidTransition, RefundExceedsRemaining.
    """
    order = lock_order(order_id)
    if order.status not in _PARTLY:
        raise InvalidTransition(f"The order is {order.status}.")
    _require_positive(order, item)
    key = f"order:{order.id}:refund:{order.version}"
    actor = f"staff:{staff_id}"
    parts = Parts(item=item.amount_minor)
    amount = give_back(order, parts, key=key, actor=actor, reason=reason, now=now)
    touch(order, now=now)
    record(
        [order],
        "refund_part",
        order.status,
        SUPPORT,
        now=now,
        actor_id=staff_id,
        reason=reason,
        amount_minor=amount,
    )


@atomic_retry
def refund_whole(*, staff_id: str, order_id: str, reason: str, now: datetime) -> None:
    """After completion, give back all that is left, fee and postage too. Raises OrderNotFound,
    InvalidTransition.
    """
    order = lock_order(order_id)
    row = row_of(order, "refund", SUPPORT)
    undo(order, row, now=now, actor=f"staff:{staff_id}", actor_id=staff_id, reason=reason)


@atomic_retry
def give_goodwill(
    *, staff_id: str, order_id: str, member_id: str, amount: Money, reason: str, now: datetime
) -> None:
    """A present of ours to one of the two, into the wallet. Raises OrderNotFound, RefundExceedsRemaining."""
    order = lock_order(order_id)
    if member_id not in (order.buyer_id, order.seller_id):
        raise InvalidTransition("Only to one of the two members of the order.")
    _require_positive(order, amount)
    total = Money(order.wallet_minor + order.card_minor, order.currency)
    if total < amount:
        raise RefundExceedsRemaining(f"At most {total}.", extra={"remaining": total.as_json()})
    post(
        NewPosting(
            key=f"goodwill:{new_id()}",
            event=Event.GOODWILL_GIVEN,
            lines=events.goodwill_given(Share(member_id, amount)),
            reference=reference_of(order.id),
            actor=f"staff:{staff_id}",
            reason=reason,
        ),
        now=now,
    )
    touch(order, now=now)
    record(
        [order],
        "give_goodwill",
        order.status,
        SUPPORT,
        now=now,
        actor_id=staff_id,
        reason=reason,
        amount_minor=amount.amount_minor,
    )


@atomic_retry
def verify_item(*, staff_id: str, order_id: str, now: datetime) -> None:
    """It is what it was sold as: on to the buyer. Raises OrderNotFound, InvalidTransition."""
    order = lock_order(order_id)
    move(order, row_of(order, "verify", SUPPORT), now=now, actor_id=staff_id)
    request_onward_label(order, now=now)
    resolve_by_key(key=f"verification:{order.id}", staff_id=staff_id, resolution="verified", now=now)


@atomic_retry
def reject_item(*, staff_id: str, order_id: str, reason: str, is_counterfeit: bool, now: datetime) -> None:
    """It is not: everything back to the buyer, the item back to the seller at our cost.

    Counterfeit is a strike, and the listing is removed. Raises OrderNotFound, InvalidTransition.
    """
    order = lock_order(order_id)
    row = row_of(order, "reject", SUPPORT)
    undo(order, row, now=now, actor=f"staff:{staff_id}", actor_id=staff_id, reason=reason)
    request_hub_return_label(order, now=now)
    if is_counterfeit:
        give_strike(member_id=order.seller_id, order_id=order.id, reason="counterfeit", now=now)
        for listing_id in listing_ids_of(order.id):
            remove(moderator_id=staff_id, listing_id=listing_id, reason="counterfeit", note="", now=now)
    resolve_by_key(key=f"verification:{order.id}", staff_id=staff_id, resolution="rejected", now=now)


def _require_positive(order: Order, amount: Money) -> None:
    left = Money(remaining(order).item, order.currency)
    if amount.currency != order.currency or amount.amount_minor <= 0:
        raise RefundExceedsRemaining(
            f"More than nothing, in {order.currency}.", extra={"remaining": left.as_json()}
        )
