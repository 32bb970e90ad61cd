"""What support decides about orders, each with a reason: refunds, goodwill, items at the hub."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from balance import events
from balance.chart import Event
from balance.events import NewPosting, Share
from balance.services.posting import post
from foundation.db import atomic_retry
from foundation.ids import new_id
from foundation.money import Money
from listings.services import remove
from orders.errors import CaseNotFound, InvalidTransition, RefundExceedsRemaining
from orders.lifecycle import SUPPORT, OrderStatus
from orders.models import Case, Order, Payment, Refund
from orders.services.cancelling import undo
from orders.services.cases import resolve_by_key
from orders.services.labels import request_hub_return_label, request_onward_label
from orders.services.order_moves import lock_order, move, record, row_of, touch
from orders.services.selling import mismatch_key, return_unmatched, returned_key
from orders.services.settling import Parts, give_back, reference_of, remaining
from orders.services.striking import give_strike

PARTLY = (
    OrderStatus.SHIPPED,
    OrderStatus.IN_TRANSIT,
    OrderStatus.READY_FOR_PICKUP,
    OrderStatus.DELIVERED,
    OrderStatus.COMPLETED,
)
"""Where a part of the price may go back without a step in the order's life."""


@atomic_retry
def act_as_seen(*, order_id: str, version: int, act: Callable[[], None]) -> None:
    """Do it to the order as a page showed it, so that a form that is sent twice acts once.

    Raises OrderNotFound, InvalidTransition when anything has happened since, and what `act` raises.
    """
    if lock_order(order_id).version != version:
        raise InvalidTransition("The order has changed since this page was opened: look at it again.")
    act()


@atomic_retry
def refund_part(*, staff_id: str, order_id: str, item: Money, reason: str, now: datetime) -> None:
    """Give a part of the items' price back; the fee stays. After completion it may leave a debt.

    Raises OrderNotFound, InvalidTransition, RefundExceedsRemaining.
    """
    order = lock_order(order_id)
    if order.status not in PARTLY:
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
    """A present of ours to one of the two, into the wallet, at most what was paid. Raises OrderNotFound,
    InvalidTransition, RefundExceedsRemaining.
    """
    order = lock_order(order_id)
    if order.paid_at is None:
        raise InvalidTransition("Nothing was paid.")
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
def verify_item(*, staff_id: str, order_id: str, now: datetime, reason: str = "") -> None:
    """It is what it was sold as: on to the buyer. Raises OrderNotFound, InvalidTransition."""
    order = lock_order(order_id)
    move(order, row_of(order, "verify", SUPPORT), now=now, actor_id=staff_id, reason=reason)
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
        for listing_id in order.titles:
            remove(moderator_id=staff_id, listing_id=listing_id, reason="counterfeit", note="", now=now)
    resolve_by_key(key=f"verification:{order.id}", staff_id=staff_id, resolution="rejected", now=now)


@atomic_retry
def return_mismatch(*, staff_id: str, payment_id: str, reason: str, now: datetime) -> None:
    """What was captured and is not the quote's amount goes back to its card, which resolves the case.

    Raises CaseNotFound, InvalidTransition when it has gone back.
    """
    key = mismatch_key(payment_id)
    order_id = Case.objects.filter(key=key).values_list("order_id", flat=True).first()
    if order_id is None:
        raise CaseNotFound
    order = lock_order(order_id)
    if Refund.objects.filter(key=returned_key(payment_id)).exists():
        raise InvalidTransition("It has gone back.")
    payment = Payment.objects.get(id=payment_id)
    amount = Money(payment.captured_minor, payment.currency)
    return_unmatched(order, payment_id, amount, actor=f"staff:{staff_id}", reason=reason, now=now)
    touch(order, now=now)
    record(
        [order],
        "return_mismatch",
        order.status,
        SUPPORT,
        now=now,
        actor_id=staff_id,
        reason=reason,
        amount_minor=amount.amount_minor,
    )
    resolve_by_key(key=key, staff_id=staff_id, resolution=reason, now=now)


def _require_positive(order: Order, amount: Money) -> None:
    left = Money(remaining(order).item, order.currency)
    if amount.currency != order.currency or amount.amount_minor <= 0:
        raise RefundExceedsRemaining(
            f"More than nothing, in {order.currency}.", extra={"remaining": left.as_json()}
        )
