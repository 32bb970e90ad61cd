"""Chargebacks: the card's bank takes a payment back, and may give it back again."""

from __future__ import annotations

from datetime import datetime

import structlog
from django.db import transaction

from foundation.db import atomic_retry
from foundation.money import Money
from orders import metrics
from orders.lifecycle import DISPUTE, PROVIDER, DisputeStatus, PaymentStatus
from orders.models import Case, Dispute, Order, Payment
from orders.providers.payments.contract import DisputeOutcome, DisputeReport
from orders.services import chargebacks
from orders.services.cases import open_case
from orders.services.order_moves import lock_order
from orders.services.payment_moves import lock_payment

logger = structlog.get_logger(__name__)

_VERBS = {DisputeOutcome.WON: "win", DisputeOutcome.LOST: "lose"}


class CaptureNotKnown(LookupError):
    """The news of the capture is still on its way: the message about the dispute is tried again later."""


@atomic_retry
def apply_dispute_report(provider: str, report: DisputeReport, *, now: datetime) -> None:
    """Record a chargeback or its end, and what it means for the order. Repeats change nothing.

    An end that is heard of first opens it as well. Another amount or payment than before is refused and
    becomes a case for staff. Raises CaptureNotKnown.
    """
    found = Payment.objects.filter(provider=provider, provider_id=report.payment_provider_id)
    payment_id = found.values_list("id", flat=True).first()
    payment = lock_payment(payment_id) if payment_id else None
    if payment is None or payment.status != PaymentStatus.CAPTURED:
        raise CaptureNotKnown
    effect = _apply(lock_order(payment.order_id), payment, report, now)
    transaction.on_commit(metrics.PAYMENT_REPORTS.labels(provider, "dispute", effect).inc)


def _apply(order: Order, payment: Payment, report: DisputeReport, now: datetime) -> str:
    dispute = Dispute.objects.filter(provider=payment.provider, provider_id=report.provider_id).first()
    effect = "noted"
    if dispute is None:
        if report.amount.currency != payment.currency or report.amount.amount_minor <= 0:
            return _refuse(payment, report, now)
        dispute, effect = _open(order, payment, report, now), "applied"
    elif dispute.payment_id != payment.id or Money(dispute.amount_minor, dispute.currency) != report.amount:
        return _refuse(payment, report, now)
    verb = _VERBS.get(report.outcome)
    if verb and dispute.status == DisputeStatus.OPEN:
        _close(order, dispute, verb, now)
        effect = "applied"
    elif verb and dispute.status != report.outcome.value:
        effect = "late"
    return effect


def _open(order: Order, payment: Payment, report: DisputeReport, now: datetime) -> Dispute:
    dispute = Dispute.objects.create(
        payment=payment,
        provider=payment.provider,
        provider_id=report.provider_id,
        status=DISPUTE.initial,
        amount_minor=report.amount.amount_minor,
        fee_minor=report.fee.amount_minor,
        currency=report.amount.currency,
        reason=report.code,
        after_completion=order.completed_at is not None,
        opened_at=now,
    )
    _tell(order, dispute, "open")
    chargebacks.record_opened(order, dispute, now=now)
    return dispute


def _close(order: Order, dispute: Dispute, verb: str, now: datetime) -> None:
    dispute.status, dispute.closed_at = DISPUTE.row(dispute.status, verb, PROVIDER).target, now
    dispute.save(force_update=True)
    _tell(order, dispute, verb)
    if dispute.status == DisputeStatus.WON:
        chargebacks.record_won(order, dispute, now=now)


def _refuse(payment: Payment, report: DisputeReport, now: datetime) -> str:
    """What is said now does not fit what was: nothing is posted, and a person has a case."""
    open_case(
        kind=Case.Kind.PAYMENT_MISMATCH,
        key=f"payment:{payment.id}:dispute",
        order_id=payment.order_id,
        note=f"payment {payment.id}: dispute {report.provider_id} {report.outcome} of {report.amount}"[:300],
        now=now,
    )
    return "refused"


def _tell(order: Order, dispute: Dispute, verb: str) -> None:
    transaction.on_commit(metrics.DISPUTE_MOVES.labels(verb).inc)
    logger.warning(
        "dispute_moved", dispute_id=dispute.id, payment_id=dispute.payment_id, order_id=order.id, verb=verb
    )
