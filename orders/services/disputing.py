"""Chargebacks: the card's bank takes a payment back, and may give it back again."""

from __future__ import annotations

from datetime import datetime

import structlog
from django.db import transaction

from foundation.db import atomic_retry
from foundation.money import Money
from orders import metrics
from orders.lifecycle import DISPUTE, PROVIDER, DisputeStatus, PaymentStatus
from orders.models import Dispute, Payment
from orders.providers.payments.contract import DisputeOutcome, DisputeReport
from orders.services import selling
from orders.services.payment_moves import lock_payment

logger = structlog.get_logger(__name__)

_VERBS = {DisputeOutcome.WON: "win", DisputeOutcome.LOST: "lose"}


class CaptureNotKnown(LookupError):
    """The news of the capture is still on its way: the message about the dispute is tried again later."""


@atomic_retry
def apply_dispute_report(provider: str, report: DisputeReport, *, now: datetime) -> None:
    """Record a chargeback or its end, and what it means for the order. Repeats change nothing.

    An end that is heard of first opens it as well. Raises CaptureNotKnown.
    """
    found = Payment.objects.filter(provider=provider, provider_id=report.payment_provider_id)
    payment_id = found.values_list("id", flat=True).first()
    payment = lock_payment(payment_id) if payment_id else None
    if payment is None or payment.status != PaymentStatus.CAPTURED:
        raise CaptureNotKnown
    dispute = Dispute.objects.filter(provider=provider, provider_id=report.provider_id).first()
    effect = "noted"
    if dispute is None:
        dispute, effect = _open(payment, report, now), "applied"
    verb = _VERBS.get(report.outcome)
    if verb and dispute.status == DisputeStatus.OPEN:
        _close(payment, dispute, verb, now)
        effect = "applied"
    elif verb and dispute.status != report.outcome.value:
        effect = "late"
    transaction.on_commit(metrics.PAYMENT_REPORTS.labels(provider, "dispute", effect).inc)


def _open(payment: Payment, report: DisputeReport, now: datetime) -> Dispute:
    dispute = Dispute.objects.create(
        payment=payment,
        provider=payment.provider,
        provider_id=report.provider_id,
        status=DISPUTE.initial,
        amount_minor=report.amount.amount_minor,
        fee_minor=report.fee.amount_minor,
        currency=report.amount.currency,
        reason=report.code,
        opened_at=now,
    )
    _tell(payment, dispute, "open")
    sellers = selling.record_chargeback(
        order_id=payment.order_id,
        payment_id=payment.id,
        dispute_id=dispute.id,
        provider=payment.provider,
        amount=report.amount,
        fee=report.fee,
        now=now,
    )
    dispute.seller_minor = sellers.amount_minor
    dispute.save(update_fields=["seller_minor"])
    return dispute


def _close(payment: Payment, dispute: Dispute, verb: str, now: datetime) -> None:
    dispute.status, dispute.closed_at = DISPUTE.row(dispute.status, verb, PROVIDER).target, now
    dispute.save(force_update=True)
    _tell(payment, dispute, verb)
    if dispute.status == DisputeStatus.WON:
        selling.record_chargeback_won(
            order_id=payment.order_id,
            payment_id=payment.id,
            dispute_id=dispute.id,
            provider=payment.provider,
            amount=Money(dispute.amount_minor, dispute.currency),
            sellers=Money(dispute.seller_minor, dispute.currency),
            now=now,
        )


def _tell(payment: Payment, dispute: Dispute, verb: str) -> None:
    transaction.on_commit(metrics.DISPUTE_MOVES.labels(verb).inc)
    logger.warning(
        "dispute_moved", dispute_id=dispute.id, payment_id=payment.id, order_id=payment.order_id, verb=verb
    )
