"""Money on its way back to a card: asked for by the core of orders, sent by a worker, settled in the ledger.

The core's posting has credited `refunds_in_transit` when it asks; what the provider has paid is posted here.
A refund that surely failed is still owed: nothing is posted, and a person has a case.
"""

from __future__ import annotations

import time
from datetime import datetime

import structlog
from django.db import connection, transaction

from balance import events
from balance.chart import Event
from balance.events import NewPosting
from balance.services.posting import post
from foundation.db import atomic_retry
from foundation.money import Money
from orders import metrics
from orders.errors import RefundExceedsRemaining, RefundNotFailed
from orders.lifecycle import PROVIDER, REFUND, WORKER, RefundStatus
from orders.models import Case, Payment, Refund
from orders.providers.payments import provider_named
from orders.providers.payments.contract import OutcomeUnknown, RefundOrder, RefundOutcome, RefundReport
from orders.services.cases import open_case
from orders.services.payment_moves import lock_payment, pause_after
from orders.services.payment_ringing import ring_for_refund

logger = structlog.get_logger(__name__)

_S = RefundStatus
_VERBS = {RefundOutcome.PAID: "pay", RefundOutcome.FAILED: "fail"}


@atomic_retry
def request_refund(*, payment_id: str, amount: Money, key: str, now: datetime) -> str:
    """Have an amount go back to the card of a captured payment, once per `key`; returns the refund's id.

    The caller holds the order's lock and posts what it means. Raises RefundExceedsRemaining.
    """
    known = Refund.objects.filter(key=key).values_list("id", flat=True).first()
    if known is not None:
        return str(known)
    payment = Payment.objects.select_for_update().get(id=payment_id)
    left = Money(payment.captured_minor - payment.refunded_minor, payment.currency)
    if not (Money(0, left.currency) < amount <= left):
        raise RefundExceedsRemaining(f"{left} of the payment are left.", extra={"remaining": left.as_json()})
    payment.refunded_minor += amount.amount_minor
    payment.save(update_fields=["refunded_minor"])
    refund = Refund.objects.create(
        payment=payment,
        key=key,
        status=REFUND.initial,
        amount_minor=amount.amount_minor,
        currency=amount.currency,
        due_at=now,
        requested_at=now,
    )
    logger.info("refund_requested", refund_id=refund.id, payment_id=payment_id, order_id=payment.order_id)
    ring_for_refund(refund.id)
    return str(refund.id)


@atomic_retry
def request_again(*, refund_id: str, now: datetime) -> str:
    """A refund that failed is tried once more, under a reference of its own; returns the new one's id.

    Raises RefundNotFailed, RefundExceedsRemaining.
    """
    payment_id = Refund.objects.values_list("payment_id", flat=True).get(id=refund_id)
    lock_payment(payment_id)
    failed = Refund.objects.select_for_update().get(id=refund_id)
    if failed.status != _S.FAILED:
        raise RefundNotFailed(f"It is {failed.status}.")
    return request_refund(
        payment_id=payment_id,
        amount=Money(failed.amount_minor, failed.currency),
        key=f"again:{refund_id}",
        now=now,
    )


def advance_refund(*, refund_id: str, now: datetime) -> None:
    """Send a refund that is due, or ask how far it is. Safe to call twice, and at the same time."""
    refund = _begin(refund_id, now=now)
    if refund is None:
        return
    provider = refund.payment.provider
    started = time.monotonic()
    try:
        report = _call(refund, now=now)
    except OutcomeUnknown as error:
        metrics.PAYMENT_CALLS.labels(provider, "unknown").inc()
        logger.warning("refund_outcome_unknown", refund_id=refund_id, why=str(error))
        return
    finally:
        metrics.PAYMENT_CALL_SECONDS.observe(time.monotonic() - started)
    metrics.PAYMENT_CALLS.labels(provider, f"refund_{report.outcome.value}").inc()
    apply_refund_report(provider, report, now=now)


@atomic_retry
def _begin(refund_id: str, *, now: datetime) -> Refund | None:
    skips = connection.features.has_select_for_update_skip_locked
    refund = Refund.objects.select_for_update(skip_locked=skips).filter(id=refund_id).first()
    if refund is None or refund.due_at is None or refund.due_at > now:
        return None
    if refund.status == _S.REQUESTED:
        refund.status, refund.sent_at = REFUND.row(refund.status, "send", WORKER).target, now
    refund.calls += 1
    refund.due_at = now + pause_after(refund.calls)
    refund.save(force_update=True)
    return refund


def _call(refund: Refund, *, now: datetime) -> RefundReport:
    """Raises OutcomeUnknown. After the first call it is looked for before it is asked for again."""
    provider = provider_named(refund.payment.provider)
    amount = Money(refund.amount_minor, refund.currency)
    order = RefundOrder(refund.id, refund.payment.provider_id or "", amount)
    known = provider.find_refund(order, now=now) if refund.calls > 1 else None
    return provider.refund(order, now=now) if known is None else known


@atomic_retry
def apply_refund_report(provider: str, report: RefundReport, *, now: datetime) -> None:
    """Record what became of a refund, and post it. Repeats change nothing, contradictions become cases."""
    payment_id = Refund.objects.filter(id=report.reference).values_list("payment_id", flat=True).first()
    payment = lock_payment(payment_id) if payment_id else None
    if payment is None or payment.provider != provider:
        logger.warning("refund_report_of_nothing", provider=provider, provider_id=report.provider_id)
        effect = "unknown"
    else:
        refund = Refund.objects.select_for_update().get(id=report.reference)
        effect = _apply(payment, refund, report, now)
    transaction.on_commit(metrics.PAYMENT_REPORTS.labels(provider, "refund", effect).inc)


def _apply(payment: Payment, refund: Refund, report: RefundReport, now: datetime) -> str:
    asked = Money(refund.amount_minor, refund.currency)
    another = report.provider_id and refund.provider_id not in (None, report.provider_id)
    if another or report.amount != asked:
        return _refuse(payment, refund, f"another refund under its reference: {report.amount}", now)
    if refund.provider_id is None and report.provider_id:
        refund.provider_id = report.provider_id
        refund.save(update_fields=["provider_id"])
    if report.outcome is RefundOutcome.PENDING or refund.status == report.outcome.value:
        return "noted"
    if refund.status == _S.PAID:
        return _refuse(payment, refund, f"failed after it was paid: {report.code}", now)
    if refund.status == _S.FAILED:
        return _refuse(payment, refund, "paid after it had failed", now)
    if refund.status != _S.SENT:
        return "unknown"
    row = REFUND.row(refund.status, _VERBS[report.outcome], PROVIDER)
    refund.status, refund.failure_code = row.target, report.code
    refund.due_at, refund.ended_at = None, now
    refund.save(force_update=True)
    transaction.on_commit(metrics.REFUND_MOVES.labels(row.verb).inc)
    logger.info(
        "refund_moved", refund_id=refund.id, order_id=payment.order_id, verb=row.verb, code=report.code
    )
    if row.target == _S.PAID:
        _post(payment, refund, asked, now)
    else:
        payment.refunded_minor -= refund.amount_minor
        payment.save(update_fields=["refunded_minor"])
        _refuse(payment, refund, f"refused: {report.code}", now)
    return "applied"


def _post(payment: Payment, refund: Refund, amount: Money, now: datetime) -> None:
    post(
        NewPosting(
            key=f"refund:{refund.id}:settled",
            event=Event.REFUND_SETTLED,
            lines=events.refund_settled(amount),
            # By which the provider's settlement file finds it (docs/money.md, "Reconciliation").
            reference=f"{payment.provider}:{refund.provider_id}",
            actor=f"provider:{payment.provider}",
        ),
        now=now,
    )


def _refuse(payment: Payment, refund: Refund, detail: str, now: datetime) -> str:
    open_case(
        kind=Case.Kind.REFUND_FAILED,
        key=f"refund:{refund.id}",
        order_id=payment.order_id,
        note=f"refund {refund.id} {detail}",
        now=now,
    )
    logger.error("refund_case_opened", refund_id=refund.id, order_id=payment.order_id)
    return "refused"
