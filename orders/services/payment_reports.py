"""What a provider says of a payment: by answer, by callback, in any order and as often as it likes."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

import structlog
from django.db import transaction

from foundation.db import atomic_retry
from foundation.lifecycle import Transition, UnknownTransition
from foundation.money import Money
from orders import metrics
from orders.lifecycle import PROVIDER, PaymentStatus
from orders.models import Case, Payment
from orders.models.payments import ACTION_URL_MAX_LENGTH
from orders.providers.payments.contract import PaymentOutcome, PaymentReport
from orders.services import selling
from orders.services.cases import open_case
from orders.services.payment_moves import lock_payment, move, row_of
from orders.services.payment_ringing import ring_for_payment

logger = structlog.get_logger(__name__)

_O = PaymentOutcome
_S = PaymentStatus
_VERBS = {
    _O.REQUIRES_ACTION: "challenge",
    _O.AUTHORISED: "reserve",
    _O.CAPTURED: "confirm",
    _O.FAILED: "fail",
    _O.CANCELLED: "cancel",
}


class Effect(StrEnum):
    """What a report did."""

    APPLIED = "applied"
    NOTED = "noted"
    LATE = "late"
    REFUSED = "refused"
    UNKNOWN = "unknown"


@atomic_retry
def apply_payment_report(provider: str, report: PaymentReport, *, now: datetime) -> Effect:
    """Move the payment to where the report says it is, and the order with it, in one transaction.

    A repeat or old news changes nothing; a contradiction is refused and becomes a case for staff.
    """
    payment = lock_payment(report.reference)
    effect = record_report(payment, provider, report, now=now)
    if payment is not None and payment.due_at is not None and payment.due_at <= now:
        ring_for_payment(payment.id)
    return effect


def record_report(
    payment: Payment | None, provider: str, report: PaymentReport, *, now: datetime, goes_on: bool = False
) -> Effect:
    """As apply_payment_report, of a payment that is locked already.

    With ``goes_on`` the caller takes what was reserved further, and saves it.
    """
    if payment is None or payment.provider != provider or payment.status == _S.CREATED:
        logger.warning("payment_report_of_nothing", provider=provider, provider_id=report.provider_id)
        effect = Effect.UNKNOWN
    else:
        effect = _apply(payment, report, now, goes_on=goes_on)
    transaction.on_commit(metrics.PAYMENT_REPORTS.labels(provider, "payment", effect.value).inc)
    return effect


def _apply(payment: Payment, report: PaymentReport, now: datetime, *, goes_on: bool) -> Effect:
    if report.provider_id and payment.provider_id not in (None, report.provider_id):
        return _refuse(payment, f"another charge under its reference: {report.outcome}", now)
    if report.amount.currency != payment.currency:
        return _refuse(payment, f"{report.outcome} in {report.amount.currency}", now)
    if payment.status == _S.CAPTURED and report.outcome is _O.CAPTURED:
        known = Money(payment.captured_minor, payment.currency)
        if report.amount == known:
            return Effect.NOTED
        return _refuse(payment, f"captured {known}, and now {report.amount}", now)
    is_id_new = payment.provider_id is None and bool(report.provider_id)
    if is_id_new:
        payment.provider_id = report.provider_id
    row = _row(payment, report)
    if row is None:
        if is_id_new:
            payment.save(update_fields=["provider_id"])
        # Else it has gone on since: a repeat, or a message that was overtaken.
        return Effect.NOTED if report.outcome is _O.PENDING else Effect.LATE
    could_pay = payment.is_open
    payment.action_url = report.action_url[:ACTION_URL_MAX_LENGTH]
    if report.outcome is _O.CAPTURED:
        payment.captured_minor, payment.captured_at = report.amount.amount_minor, now
    saves = not goes_on or row.target != _S.AUTHORISED
    move(payment, row, now=now, code=report.code, saves=saves)
    _tell_order(payment, report, now, could_pay=bool(could_pay))
    return Effect.APPLIED


def _row(payment: Payment, report: PaymentReport) -> Transition | None:
    try:
        return None if report.outcome is _O.PENDING else row_of(payment, _VERBS[report.outcome], PROVIDER)
    except UnknownTransition:
        return None


def _tell_order(payment: Payment, report: PaymentReport, now: datetime, *, could_pay: bool) -> None:
    if payment.status == _S.CAPTURED:
        selling.record_capture(
            payment.order,
            payment_id=payment.id,
            provider=payment.provider,
            amount=report.amount,
            now=now,
        )
    elif payment.status in (_S.FAILED, _S.CANCELLED):
        if not could_pay:
            # It was given up before: the order has heard of that, or has ended.
            return
        selling.record_payment_failure(payment.order, payment_id=payment.id, code=report.code, now=now)


def _refuse(payment: Payment, detail: str, now: datetime) -> Effect:
    open_case(
        kind=Case.Kind.PAYMENT_MISMATCH,
        key=f"payment:{payment.id}:contradiction",
        order_id=payment.order_id,
        note=f"payment {payment.id}: {detail}",
        now=now,
    )
    return Effect.REFUSED
