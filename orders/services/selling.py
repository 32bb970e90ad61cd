"""What becomes of a checkout once its payment has an outcome. Called by what talks to payment providers.

Each function is one transaction, or a part of the caller's; said again, it changes nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import structlog

from balance import events
from balance.chart import Event
from balance.events import NewPosting
from balance.services.posting import post
from foundation.money import Money
from listings.services import mark_sold, may_sell
from orders.lifecycle import ORDER, PROVIDER, OrderStatus
from orders.models import Case, Order
from orders.order_timers import working_days
from orders.services.answering import use_up
from orders.services.cases import open_case
from orders.services.labels import request_outbound_label
from orders.services.order_moves import find_row, move, seller_place, touch
from orders.services.paying import stop_payments
from orders.services.refunding import request_refund
from orders.services.settling import (
    is_wallet_held,
    post_capture,
    reference_of,
    release_wallet,
)

logger = structlog.get_logger(__name__)

MOST_REFUSALS = 3


def mismatch_key(payment_id: str) -> str:
    """Of the case about a payment whose amount is not the quote's."""
    return f"payment:{payment_id}:mismatch"


def returned_key(payment_id: str) -> str:
    """Of the posting and the refund that give back a payment which was no sale."""
    return f"payment:{payment_id}:returned"


def may_capture(order: Order, *, now: datetime) -> bool:
    """Whether an authorised payment is still wanted by a locked order; locks its listings as well."""
    in_time = order.due_at is not None and order.due_at > now
    return order.status == OrderStatus.PENDING_PAYMENT and in_time and may_sell(list(order.titles))


def record_capture(
    order: Order, *, payment_id: str | None, provider: str, amount: Money, now: datetime
) -> None:
    """The provider has captured the card's part; None as payment: the wallet paid for all of it.

    It pays the locked order if it is what the quote says and everything can still be sold. Else it is no
    sale: it waits in suspense, from where it goes back by itself if it came too late, or a person decides
    if it is another amount.
    """
    if payment_id is not None and order.payment_id == payment_id:
        return
    row = find_row(order, "pay", PROVIDER)
    expected = Money(order.card_minor, order.currency)
    sell = mark_sold if amount == expected else _might_be_sold
    if row is None or not is_wallet_held(order) or not sell(listing_ids=list(order.titles), now=now):
        if payment_id is not None:
            _give_back_late(order, payment_id, provider, amount, now=now)
        return
    if amount != expected:
        if payment_id is not None:
            _suspend(order, payment_id, provider, amount, now=now)
            key = mismatch_key(payment_id)
            note = f"payment {payment_id}: {amount} captured, {expected} quoted"
            open_case(kind=Case.Kind.PAYMENT_MISMATCH, key=key, order_id=order.id, note=note, now=now)
        return
    order.payment_id, order.provider = payment_id, provider if payment_id else ""
    actor = f"provider:{provider}" if payment_id else f"member:{order.buyer_id}"
    post_capture(order, actor=actor, now=now)
    if order.offer_id is not None:
        use_up(order.offer_id, now=now)
    order.ship_by_at = working_days(now, order.terms["ship_by_working_days"], seller_place(order))
    move(order, row, now=now, amount_minor=order.wallet_minor + order.card_minor)
    request_outbound_label(order, now=now)


def record_payment_failure(order: Order, *, payment_id: str, code: str, now: datetime) -> None:
    """An attempt to pay the locked order was surely not paid. The buyer may try again until the time is over,
    three times in all.
    """
    row = find_row(order, "fail", PROVIDER)
    if row is None:
        return
    order.refusals += 1
    logger.info(
        "payment_refused", order_id=order.id, payment_id=payment_id, code=code, refusals=order.refusals
    )
    if order.refusals < MOST_REFUSALS:
        touch(order, now=now)
        return
    release_wallet(order, now=now)
    move(order, row, now=now)
    stop_payments(order_id=order.id, now=now)


def _might_be_sold(*, listing_ids: Sequence[str], now: datetime) -> bool:
    return may_sell(listing_ids)


def _suspend(order: Order, payment_id: str, provider: str, amount: Money, *, now: datetime) -> bool:
    """Whether it was news."""
    posted = post(
        NewPosting(
            key=f"payment:{payment_id}:unmatched",
            event=Event.PAYMENT_UNMATCHED,
            lines=events.payment_unmatched(amount),
            reference=reference_of(order.id),
            actor=f"provider:{provider}",
        ),
        now=now,
    )
    return not posted.replayed


def _give_back_late(order: Order, payment_id: str, provider: str, amount: Money, *, now: datetime) -> None:
    if not _suspend(order, payment_id, provider, amount, now=now):
        return
    return_unmatched(order, payment_id, amount, actor="system", reason="late capture", now=now)
    row = ORDER.clock_row(order.status) if order.status == OrderStatus.PENDING_PAYMENT else None
    if row is not None:
        # Something in it can no longer be sold.
        release_wallet(order, now=now)
        move(order, row, now=now)
    logger.warning("late_capture_returned", order_id=order.id, payment_id=payment_id)


def return_unmatched(
    order: Order, payment_id: str, amount: Money, *, actor: str, reason: str, now: datetime
) -> None:
    """Money in suspense goes back to the card it came from."""
    key = returned_key(payment_id)
    post(
        NewPosting(
            key=key,
            event=Event.UNMATCHED_RETURNED,
            lines=events.unmatched_returned(amount),
            reference=reference_of(order.id),
            actor=actor,
            reason=reason,
        ),
        now=now,
    )
    request_refund(payment_id=payment_id, amount=amount, key=key, now=now)
