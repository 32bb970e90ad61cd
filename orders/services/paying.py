"""Beginning a payment and calling it off, for the core of orders: rows only, no calls to the outside.

What a worker does with them is in ``charging``.
"""

from __future__ import annotations

import re
from datetime import datetime

import structlog
from django.conf import settings

from foundation.compiled import Arg, CompiledQuery, insert_rows
from foundation.db import atomic_retry
from foundation.money import Money
from orders.errors import PaymentInProgress, PaymentMethodInvalid
from orders.lifecycle import PAYMENT, PAYMENT_OPEN, PAYMENT_UNDER_WAY
from orders.models import Payment
from orders.providers.payments.contract import METHOD_PATTERN
from orders.services.payment_ringing import ring_for_payment

logger = structlog.get_logger(__name__)

_OPEN = CompiledQuery(
    lambda: (
        Payment.objects.filter(order_id=Arg("order_id"), is_open=True).order_by().values_list("id", "status")
    )
)
_METHOD = re.compile(METHOD_PATTERN)


@atomic_retry
def start_payment(*, order_id: str, amount: Money, method: str, return_url: str, now: datetime) -> str:
    """Have a card charged for an order; returns the payment's id. The caller holds the order's lock.

    `method` is the provider's token for the card; `return_url` is where the buyer comes back to after a 3-D
    Secure step. Raises PaymentInProgress while another attempt may still succeed, PaymentMethodInvalid.
    """
    if not _METHOD.fullmatch(method):
        raise PaymentMethodInvalid
    other = _OPEN.find(order_id=order_id)
    if other is not None:
        raise PaymentInProgress(extra={"payment_id": other[0], "status": other[1]})
    payment = Payment(
        order_id=order_id,
        provider=settings.PAYMENT_PROVIDER,
        status=PAYMENT.initial,
        amount_minor=amount.amount_minor,
        currency=amount.currency,
        method=method,
        return_url=return_url,
        due_at=now,
        created_at=now,
    )
    insert_rows([payment])
    logger.info("payment_started", payment_id=payment.id, order_id=order_id, provider=payment.provider)
    ring_for_payment(payment.id)
    return str(payment.id)


@atomic_retry
def stop_payments(*, order_id: str, now: datetime) -> bool:
    """The order waits for no payment any more: what is reserved for it is given free, soon.

    The caller holds the order's lock and has ended it, so that `selling.may_capture` says no. Returns whether
    an attempt was open; one that the provider has captured nevertheless is reported as a late capture.
    """
    statuses = [status.value for status in PAYMENT_UNDER_WAY]
    open_ones = Payment.objects.filter(order_id=order_id, status__in=statuses).order_by("id")
    ids = list(open_ones.values_list("id", flat=True))
    was_open = open_ones.filter(status__in=[status.value for status in PAYMENT_OPEN]).exists()
    Payment.objects.filter(id__in=ids).update(due_at=now)
    for payment_id in ids:
        ring_for_payment(payment_id)
    return was_open
