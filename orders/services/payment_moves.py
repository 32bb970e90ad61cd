"""The one place that changes a payment's status. Locks go from the order to its payment to its refund."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import cache

import structlog
from django.db import connection, transaction
from django.db.models import Subquery

from foundation.compiled import Arg, CompiledQuery, save_row
from foundation.lifecycle import Transition
from orders import metrics
from orders.lifecycle import PAYMENT, PAYMENT_OPEN, PAYMENT_UNDER_WAY, PaymentStatus
from orders.models import Order, Payment

logger = structlog.get_logger(__name__)

FIRST_PAUSE, LONGEST_PAUSE = timedelta(seconds=15), timedelta(hours=1)
_S = PaymentStatus
# Somebody's answer is awaited: a worker has nothing to do there before it may ask.
_AWAITS = (_S.REQUIRES_ACTION,)


def pause_after(calls: int) -> timedelta:
    """How long a call is given, and the pause before the next: doubled each time, one hour at most."""
    return min(FIRST_PAUSE * (1 << min(calls - 1, 20)), LONGEST_PAUSE)


@cache
def _order_of(waits: bool) -> CompiledQuery[Order]:
    """In one statement: a subquery of a locking read is read without a lock."""
    its_order = Payment.objects.filter(id=Arg("payment_id")).order_by().values("order_id")
    return CompiledQuery(
        lambda: (
            Order.objects.select_for_update(skip_locked=_skips(waits))
            .filter(id=Subquery(its_order))
            .order_by()
        )
    )


@cache
def _locked(waits: bool) -> CompiledQuery[Payment]:
    return CompiledQuery(
        lambda: Payment.objects.select_for_update(skip_locked=_skips(waits)).filter(id=Arg("id")).order_by()
    )


def _skips(waits: bool) -> bool:
    return not waits and connection.features.has_select_for_update_skip_locked


def lock_payment(payment_id: str, *, waits: bool = True) -> Payment | None:
    """A payment with its order, both locked until the transaction ends.

    With ``waits=False`` None when somebody else holds one of the two.
    """
    order = _order_of(waits).find(payment_id=payment_id)
    if order is None:
        return None
    payment = _locked(waits).find(id=payment_id)
    if payment is not None:
        payment.order = order
    return payment


def move(
    payment: Payment,
    row: Transition,
    *,
    now: datetime,
    code: str = "",
    calls: bool = False,
    saves: bool = True,
) -> None:
    """Take a locked payment along a row, and save it with whatever else was changed of it.

    With ``calls`` the first call in the new status is begun. Without ``saves`` the caller moves it on at
    once, which saves it.
    """
    source = payment.status
    payment.status, payment.calls, payment.failure_code = row.target, 0, code
    payment.is_open = True if row.target in PAYMENT_OPEN else None
    if row.target in PAYMENT_UNDER_WAY:
        payment.due_at = now + pause_after(1) if row.target in _AWAITS else now
        payment.ended_at = None
    else:
        payment.due_at, payment.ended_at = None, now
    if row.target == _S.SENDING:
        payment.sent_at = now
    else:
        payment.method = ""
    if row.target != _S.REQUIRES_ACTION:
        payment.action_url = ""
    if calls and row.target in PAYMENT_UNDER_WAY:
        begin_call(payment, now=now)
    if saves:
        save_row(payment)
    transaction.on_commit(metrics.PAYMENT_MOVES.labels(row.verb, row.actor).inc)
    logger.info(
        "payment_moved",
        payment_id=payment.id,
        order_id=payment.order_id,
        verb=row.verb,
        actor=row.actor,
        source=source,
        target=row.target,
        code=code,
    )


def begin_call(payment: Payment, *, now: datetime) -> None:
    """Count another call, and when it is to be made again if nobody hears its answer. The caller saves."""
    payment.calls += 1
    payment.due_at = now + pause_after(payment.calls)


def row_of(payment: Payment, verb: str, actor: str) -> Transition:
    """Raises UnknownTransition."""
    return PAYMENT.row(payment.status, verb, actor)
