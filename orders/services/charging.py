"""Calling the card's provider: write down what is asked for, commit, call, record the answer.

Whatever happens in between, the row says that the outcome is open, and the sweeper has it asked for again.
The provider takes a reference once, so a card is never charged twice for one payment.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from foundation.db import atomic_retry
from foundation.money import Money
from orders import metrics
from orders.lifecycle import WORKER, PaymentStatus
from orders.models import Payment
from orders.providers.payments import provider_named
from orders.providers.payments.contract import OutcomeUnknown, PaymentOrder, PaymentReport
from orders.services import selling
from orders.services.payment_moves import begin_call, lock_payment, move, row_of
from orders.services.payment_reports import record_report

logger = structlog.get_logger(__name__)

# A provider that does not know a reference by then never got it: its search may lag (Stripe: by an hour).
KNOWN_WITHIN = timedelta(hours=2)
_S = PaymentStatus


@dataclass(frozen=True, slots=True)
class _Step:
    """A call that was written down. ``may_pay``: whether the order still waits for it."""

    payment: Payment
    may_pay: bool

    @property
    def is_first(self) -> bool:
        return self.payment.calls == 1


def advance_payment(*, payment_id: str, now: datetime) -> None:
    """Make the calls about a payment that are due. Safe to call twice, and at the same time."""
    step = _begin(payment_id, now=now)
    while step is not None:
        step = _take(step, now=now)


def _take(step: _Step, *, now: datetime) -> _Step | None:
    """Make a call, record the answer, and write down the call that is to follow at once, if one is."""
    payment_id, provider = step.payment.id, step.payment.provider
    started = time.monotonic()
    try:
        report = _call(step, now=now)
    except OutcomeUnknown as error:
        metrics.PAYMENT_CALLS.labels(provider, "unknown").inc()
        logger.warning("payment_outcome_unknown", payment_id=payment_id, why=str(error))
        _adopt(payment_id, error.provider_id)
        return None
    finally:
        metrics.PAYMENT_CALL_SECONDS.observe(time.monotonic() - started)
    if report is None:
        metrics.PAYMENT_CALLS.labels(provider, "not_known").inc()
        _give_up(payment_id, now=now)
        return None
    metrics.PAYMENT_CALLS.labels(provider, report.outcome.value).inc()
    return _conclude(step, report, now=now)


@atomic_retry
def _begin(payment_id: str, *, now: datetime) -> _Step | None:
    """Write down the next call of a due payment. None when there is nothing to do."""
    return _next(lock_payment(payment_id, waits=False), now=now)


@atomic_retry
def _conclude(step: _Step, report: PaymentReport, *, now: datetime) -> _Step | None:
    """Record an answer and write down the next call in one transaction. None when there is none yet."""
    payment = lock_payment(report.reference)
    if payment is not None and (titles := vars(step.payment.order).get("titles")):
        payment.order.titles = titles
    record_report(payment, step.payment.provider, report, now=now, goes_on=True)
    return _next(payment, now=now)


def _next(payment: Payment | None, *, now: datetime) -> _Step | None:
    if payment is None or payment.due_at is None or payment.due_at > now:
        return None
    may_pay = selling.may_capture(payment.order, now=now)
    verb = _verb(payment, may_pay)
    if verb:
        move(payment, row_of(payment, verb, WORKER), now=now, calls=True)
        # When the order has ended and nothing was sent, there is nobody to be told.
        return _Step(payment, may_pay) if payment.status != _S.CANCELLED else None
    begin_call(payment, now=now)
    payment.save(update_fields=["calls", "due_at"])
    return _Step(payment, may_pay)


def _verb(payment: Payment, may_pay: bool) -> str:
    """Where the payment goes before the call; empty when it stays."""
    if payment.status == _S.CREATED:
        return "send" if may_pay else "drop"
    if payment.status == _S.AUTHORISED:
        return "capture" if may_pay else "void"
    # Without the provider's id there is nothing to be voided: it is asked what it knows first.
    if payment.status != _S.CANCELLING and not may_pay and payment.provider_id:
        return "void"
    return ""


def _call(step: _Step, *, now: datetime) -> PaymentReport | None:
    """Raises OutcomeUnknown. None: the provider never heard of it, and the order does not wait for it."""
    payment = step.payment
    provider = provider_named(payment.provider)
    amount, provider_id = Money(payment.amount_minor, payment.currency), payment.provider_id or ""
    if payment.status == _S.CAPTURING:
        return provider.capture(payment.id, provider_id, amount, now=now)
    if payment.status == _S.CANCELLING:
        return provider.cancel(payment.id, provider_id, now=now)
    if payment.status == _S.REQUIRES_ACTION or not step.is_first:
        report = provider.find_payment(payment.id, provider_id, now=now)
        if report is not None or not step.may_pay or payment.status == _S.REQUIRES_ACTION:
            return report
    return provider.authorise(PaymentOrder(payment.id, amount, payment.method, payment.return_url), now=now)


@atomic_retry
def _adopt(payment_id: str, provider_id: str) -> None:
    """Keep the id under which to ask, if that much became known."""
    if provider_id:
        Payment.objects.filter(id=payment_id, provider_id__isnull=True).update(provider_id=provider_id)


@atomic_retry
def _give_up(payment_id: str, *, now: datetime) -> None:
    payment = lock_payment(payment_id)
    if payment is None or payment.status != _S.SENDING or payment.sent_at is None:
        return
    if now - payment.sent_at < KNOWN_WITHIN:
        return
    move(payment, row_of(payment, "give_up", WORKER), now=now, code="not_taken")
    selling.record_payment_failure(payment.order, payment_id=payment.id, code=payment.failure_code, now=now)
