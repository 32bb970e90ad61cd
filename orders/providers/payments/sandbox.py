"""A card processor that charges nobody: the embedded default, and the stage of tests and demos.

What it knows is in tables, so that it outlives the process and every process sees the same. How it behaves
is said by the payment method (CARDS), or by ``script``, ``settle`` and the like (the API under
/sandbox/payments, while SANDBOX is on). Its callbacks are signed like a real one's.
"""

from __future__ import annotations

import hmac
import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings

from foundation.compiled import Arg, CompiledQuery, insert_rows, save_row
from foundation.db import atomic_retry
from foundation.ids import new_id
from foundation.incoming import HmacVerifier, sign
from foundation.incoming.signatures import HEADER
from foundation.money import Money
from orders.models import SandboxPayment, SandboxRefund
from orders.providers.payments.contract import (
    Callback,
    CallbackUnreadable,
    DisputeOutcome,
    DisputeReport,
    OutcomeUnknown,
    PaymentOrder,
    PaymentOutcome,
    PaymentReport,
    RefundOrder,
    RefundOutcome,
    RefundReport,
    Report,
)

_P, _R = PaymentOutcome, RefundOutcome
_TIME_OUT, _UNAVAILABLE = SandboxPayment.Answer.TIME_OUT, SandboxPayment.Answer.UNAVAILABLE
_REPORTS: dict[str, type[PaymentReport] | type[RefundReport] | type[DisputeReport]] = {
    "payment": PaymentReport,
    "refund": RefundReport,
    "dispute": DisputeReport,
}


@dataclass(frozen=True, slots=True)
class Card:
    """How a test card behaves. ``…_fault`` is what happens to the first answer of that call."""

    authorised: PaymentOutcome = _P.AUTHORISED
    code: str = ""
    fault: str = ""
    captured: PaymentOutcome = _P.CAPTURED
    capture_fault: str = ""
    captures_more: int = 0
    refunded: RefundOutcome = _R.PAID
    refund_fault: str = ""


CARDS = {
    "pm_card_ok": Card(),
    "pm_card_3ds": Card(authorised=_P.REQUIRES_ACTION),
    "pm_card_declined": Card(authorised=_P.FAILED, code="card_declined"),
    "pm_card_insufficient_funds": Card(authorised=_P.FAILED, code="insufficient_funds"),
    "pm_card_expired": Card(authorised=_P.FAILED, code="expired_card"),
    "pm_card_slow": Card(authorised=_P.PENDING),
    "pm_timeout_before_success": Card(fault=_UNAVAILABLE),
    "pm_timeout_after_success": Card(fault=_TIME_OUT),
    "pm_capture_timeout_before_success": Card(capture_fault=_UNAVAILABLE),
    "pm_capture_timeout_after_success": Card(capture_fault=_TIME_OUT),
    "pm_capture_late": Card(captured=_P.PENDING),
    "pm_capture_expired": Card(captured=_P.CANCELLED, code="expired"),
    "pm_captures_less": Card(captures_more=-1),
    "pm_captures_more": Card(captures_more=1),
    "pm_refund_fails": Card(refunded=_R.FAILED),
    "pm_refund_late": Card(refunded=_R.PENDING),
    "pm_refund_timeout_before_success": Card(refund_fault=_UNAVAILABLE),
    "pm_refund_timeout_after_success": Card(refund_fault=_TIME_OUT),
}
"""Payment methods of the sandbox. `captures_more` is in minor units."""
_NO_CARD = Card(authorised=_P.FAILED, code="invalid_payment_method")


_LOCKED = CompiledQuery(
    lambda: SandboxPayment.objects.select_for_update().filter(reference=Arg("reference")).order_by()
)


class SandboxCards:
    """The embedded provider."""

    name = "sandbox"
    verifier = HmacVerifier(lambda: [_secret()])

    def authorise(self, order: PaymentOrder, *, now: datetime) -> PaymentReport:
        """As the card says, once per reference."""
        return _payment_report(_answered(*self._authorise(order)))

    @atomic_retry
    def _authorise(self, order: PaymentOrder) -> tuple[str, SandboxPayment]:
        card = CARDS.get(order.method, _NO_CARD)
        asked = SandboxPayment(
            reference=order.reference,
            method=order.method,
            amount_minor=order.amount.amount_minor,
            currency=order.amount.currency,
            answer=card.fault,
            answers_left=int(bool(card.fault)),
        )
        answer = _decide(asked, card)
        insert_rows([asked], ignores_known=True)
        row = _locked(order.reference)
        if row.id != asked.id:
            answer = _decide(row, card)
            row.save(force_update=True)
        return answer, row

    def capture(self, reference: str, provider_id: str, amount: Money, *, now: datetime) -> PaymentReport:
        """As the card says, once; else how far it is."""
        return _payment_report(_answered(*self._capture(reference, amount)))

    @atomic_retry
    def _capture(self, reference: str, amount: Money) -> tuple[str, SandboxPayment]:
        row = _locked(reference)
        answer = _next_answer(row)
        if answer != _UNAVAILABLE and row.outcome == _P.AUTHORISED:
            card = CARDS[row.method]
            row.outcome, row.code = card.captured.value, card.code
            row.captures += 1
            row.captured_minor = amount.amount_minor + card.captures_more
        save_row(row)
        return answer, row

    def cancel(self, reference: str, provider_id: str, *, now: datetime) -> PaymentReport:
        """What is captured, or about to be, stays so."""
        return _payment_report(_answered(*self._cancel(reference)))

    @atomic_retry
    def _cancel(self, reference: str) -> tuple[str, SandboxPayment]:
        row = _locked(reference)
        answer = _next_answer(row)
        is_open = row.outcome in (_P.AUTHORISED, _P.REQUIRES_ACTION) or (
            row.outcome == _P.PENDING and not row.captures
        )
        if answer != _UNAVAILABLE and is_open:
            row.outcome, row.code = _P.CANCELLED.value, "requested"
        row.save(force_update=True)
        return answer, row

    def find_payment(self, reference: str, provider_id: str, *, now: datetime) -> PaymentReport | None:
        """None for what it never took."""
        row = SandboxPayment.objects.filter(reference=reference, provider_id__isnull=False).first()
        return None if row is None else _payment_report(row)

    def refund(self, order: RefundOrder, *, now: datetime) -> RefundReport:
        """As the card says, once per reference."""
        answer, refund = self._refund(order)
        if answer:
            raise OutcomeUnknown(f"the answer is {answer}")
        return _refund_report(refund)

    @atomic_retry
    def _refund(self, order: RefundOrder) -> tuple[str, SandboxRefund]:
        known_as = SandboxPayment.objects.filter(provider_id=order.payment_provider_id)
        payment = known_as.select_for_update().first()
        if payment is None:
            raise OutcomeUnknown("never heard of its payment")
        card = CARDS[payment.method]
        SandboxRefund.objects.bulk_create(
            [
                SandboxRefund(
                    reference=order.reference,
                    payment=payment,
                    amount_minor=order.amount.amount_minor,
                    answer=card.refund_fault,
                    answers_left=int(bool(card.refund_fault)),
                )
            ],
            ignore_conflicts=True,
        )
        refund = SandboxRefund.objects.select_for_update().get(reference=order.reference)
        answer = _next_answer(refund)
        if answer != _UNAVAILABLE and refund.provider_id is None:
            known = SandboxRefund.objects.filter(payment=payment, provider_id__isnull=False)
            given = sum(known.exclude(outcome=_R.FAILED).values_list("amount_minor", flat=True))
            too_much = given + refund.amount_minor > payment.captured_minor
            refund.provider_id = f"sandbox-{new_id()}"
            refund.outcome = (_R.FAILED if too_much else card.refunded).value
            if refund.outcome == _R.FAILED:
                refund.code = "amount_too_large" if too_much else "expired_or_canceled_card"
        refund.save(force_update=True)
        return answer, refund

    def find_refund(self, order: RefundOrder, *, now: datetime) -> RefundReport | None:
        """None for what it never took."""
        refund = SandboxRefund.objects.filter(reference=order.reference, provider_id__isnull=False).first()
        return None if refund is None else _refund_report(refund)

    def read_callback(self, body: bytes) -> Callback:
        """As the functions below write them."""
        try:
            told = json.loads(body)
            facts = dict(told["report"])
            kind = _REPORTS[facts.pop("kind")]
            outcomes = {PaymentReport: _P, RefundReport: _R, DisputeReport: DisputeOutcome}
            facts["outcome"] = outcomes[kind](facts["outcome"])
            for name in ("amount", "fee"):
                if name in facts:
                    facts[name] = Money(facts[name]["amount"], facts[name]["currency"])
            return Callback(
                event_id=told["event_id"],
                subject_id=told["subject_id"],
                occurred_at=datetime.fromisoformat(told["occurred_at"]),
                report=kind(**facts),
            )
        except (ValueError, KeyError, TypeError) as error:
            raise CallbackUnreadable(type(error).__name__) from None


Signed = tuple[bytes, dict[str, str]]


@atomic_retry
def script(reference: str, *, answer: str, times: int) -> None:
    """How the next ``times`` calls about this payment, refunds aside, are answered."""
    SandboxPayment.objects.filter(reference=reference).update(answer=answer, answers_left=times)


@atomic_retry
def settle(reference: str, outcome: PaymentOutcome, *, amount: Money | None = None, code: str = "") -> bool:
    """Make the processor's own truth about a payment that it took; False where it took none."""
    row = SandboxPayment.objects.select_for_update().filter(reference=reference).first()
    if row is None or row.provider_id is None:
        return False
    row.outcome, row.code = outcome.value, code
    if outcome is _P.CAPTURED:
        row.captured_minor = row.amount_minor if amount is None else amount.amount_minor
    row.save(force_update=True)
    return True


def settle_refund(reference: str, outcome: RefundOutcome, *, code: str = "") -> bool:
    """Likewise about a refund."""
    rows = SandboxRefund.objects.filter(reference=reference, provider_id__isnull=False)
    return bool(rows.update(outcome=outcome.value, code=code))


def payment_callback(reference: str, *, now: datetime, outcome: PaymentOutcome | None = None) -> Signed:
    """The message about a payment as it is, or about another ``outcome``: old, or wrong. Repeats keep their
    event id. Raises SandboxPayment.DoesNotExist.
    """
    row = SandboxPayment.objects.get(reference=reference, provider_id__isnull=False)
    if outcome is not None:
        row.outcome = outcome.value
    report = _payment_report(row)
    return _message("payment", f"{row.provider_id}:{report.outcome}:{report.amount}", reference, report, now)


def refund_callback(reference: str, *, now: datetime, outcome: RefundOutcome | None = None) -> Signed:
    """Likewise about a refund. Raises SandboxRefund.DoesNotExist."""
    refund = SandboxRefund.objects.get(reference=reference, provider_id__isnull=False)
    if outcome is not None:
        refund.outcome = outcome.value
    report = _refund_report(refund)
    return _message("refund", f"{refund.provider_id}:{report.outcome}", reference, report, now)


def dispute_id_of(provider_id: str, number: int) -> str:
    """What the processor calls one of the disputes of a payment."""
    return f"{provider_id}-dispute-{number}"


def dispute_callback(
    reference: str,
    outcome: DisputeOutcome,
    *,
    fee: Money,
    now: datetime,
    amount: Money | None = None,
    number: int = 1,
) -> Signed:
    """The message that the card's bank took a payment back, or gave it back; a part of it with `amount`.

    `number` tells several disputes of one payment apart. Raises SandboxPayment.DoesNotExist.
    """
    row = SandboxPayment.objects.get(reference=reference, provider_id__isnull=False)
    dispute_id = dispute_id_of(row.provider_id or "", number)
    report = DisputeReport(
        provider_id=dispute_id,
        payment_provider_id=row.provider_id or "",
        outcome=outcome,
        amount=amount or Money(row.captured_minor, row.currency),
        fee=fee,
        code="fraudulent",
    )
    return _message("dispute", f"{dispute_id}:{outcome}", dispute_id, report, now)


def signed_headers(body: bytes, now: datetime) -> dict[str, str]:
    """The headers that make a body the sandbox's."""
    return {HEADER: sign(body, secret=_secret(), at=now)}


def _message(kind: str, event_id: str, subject_id: str, report: Report, now: datetime) -> Signed:
    names = [name for name in type(report).__slots__ if name != "action_url"]
    facts: dict[str, Any] = {name: getattr(report, name) for name in names}
    facts = {name: fact.as_json() if isinstance(fact, Money) else fact for name, fact in facts.items()}
    body = json.dumps(
        {
            "event_id": event_id.replace(" ", "_"),
            "subject_id": subject_id,
            "occurred_at": now.isoformat(),
            "report": {"kind": kind} | facts,
        }
    ).encode()
    return body, signed_headers(body, now)


def _decide(row: SandboxPayment, card: Card) -> str:
    """What becomes of a request to authorise; the fault with which it is answered, if any."""
    answer = _next_answer(row)
    if answer != _UNAVAILABLE and row.provider_id is None:
        row.provider_id, row.outcome = f"sandbox-{new_id()}", card.authorised.value
        row.code = card.code if card.authorised is _P.FAILED else ""
        if card.capture_fault:
            row.answer, row.answers_left = card.capture_fault, 1
    return answer


def _locked(reference: str) -> SandboxPayment:
    row = _LOCKED.find(reference=reference)
    if row is None:
        raise OutcomeUnknown("never heard of it")
    return row


def _next_answer(row: SandboxPayment | SandboxRefund) -> str:
    """The fault of this call; empty when it is answered."""
    row.calls += 1
    answer = str(row.answer) if row.answers_left else ""
    row.answers_left = max(0, row.answers_left - 1)
    return answer


def _answered(answer: str, row: SandboxPayment) -> SandboxPayment:
    if answer:
        raise OutcomeUnknown(f"the answer is {answer}")
    return row


def _payment_report(row: SandboxPayment) -> PaymentReport:
    outcome = _P(row.outcome)
    captured = outcome is _P.CAPTURED
    return PaymentReport(
        reference=row.reference,
        provider_id=row.provider_id or "",
        outcome=outcome,
        amount=Money(row.captured_minor if captured else row.amount_minor, row.currency),
        code=row.code if outcome in (_P.FAILED, _P.CANCELLED) else "",
        action_url=action_url(row.reference) if outcome is _P.REQUIRES_ACTION else "",
    )


def action_url(reference: str) -> str:
    """Where a client POSTs how the sandbox's 3-D Secure step ends."""
    return f"{settings.PUBLIC_URL}/api/v1/sandbox/payments/{reference}/challenge"


def _refund_report(refund: SandboxRefund) -> RefundReport:
    outcome = _R(refund.outcome)
    return RefundReport(
        reference=refund.reference,
        provider_id=refund.provider_id or "",
        outcome=outcome,
        amount=Money(refund.amount_minor, refund.payment.currency),
        code=refund.code if outcome is _R.FAILED else "",
    )


def _secret() -> str:
    # Derived from our own: nobody else has to know it.
    return hmac.digest(settings.SECRET_KEY.encode(), b"orders.providers.payments.sandbox", "sha256").hex()
