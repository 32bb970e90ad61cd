"""Playing card processor: what drives the sandbox's own. Only while settings.SANDBOX is on."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from django.conf import settings
from django.core.exceptions import ObjectDoesNotExist

from foundation.incoming.processing import process_event
from foundation.incoming.receiving import receive
from foundation.money import Money
from orders.errors import SandboxPaymentNotFound
from orders.models import Dispute, Payment, Refund
from orders.providers.payments import sandbox
from orders.providers.payments.contract import DisputeOutcome, PaymentOutcome, RefundOutcome
from orders.services.payment_callbacks import KIND


def script_payment(*, member_id: str, payment_id: str, answer: str, times: int) -> None:
    """What goes wrong with the next calls about this payment. Raises SandboxPaymentNotFound."""
    _own(member_id, payment_id)
    sandbox.script(payment_id, answer=answer, times=times)


def end_challenge(*, member_id: str, payment_id: str, passes: bool, times: int, now: datetime) -> list[str]:
    """The buyer passes the 3-D Secure step or does not; otherwise as ``settle_payment``."""
    if _own(member_id, payment_id).status != PaymentOutcome.REQUIRES_ACTION:
        raise SandboxPaymentNotFound("It waits for no step of the buyer's.")
    return settle_payment(
        member_id=member_id,
        payment_id=payment_id,
        outcome=PaymentOutcome.AUTHORISED if passes else PaymentOutcome.FAILED,
        amount_minor=None,
        code="" if passes else "authentication_failed",
        times=times,
        now=now,
    )


def settle_payment(
    *,
    member_id: str,
    payment_id: str,
    outcome: PaymentOutcome,
    amount_minor: int | None,
    code: str,
    times: int,
    now: datetime,
) -> list[str]:
    """The processor makes this its truth, and tells us `times` times; at once rather than by a worker.

    Returns `new` or `repeated` for each callback. Raises SandboxPaymentNotFound for what it never took.
    """
    payment = _own(member_id, payment_id)
    amount = None if amount_minor is None else Money(amount_minor, payment.currency)
    if not sandbox.settle(payment_id, outcome, amount=amount, code=code):
        raise SandboxPaymentNotFound("The processor was not asked for it yet.")
    return _tell(lambda: sandbox.payment_callback(payment_id, now=now), times, now)


def repeat_payment(
    *, member_id: str, payment_id: str, outcome: PaymentOutcome, times: int, now: datetime
) -> list[str]:
    """Tell old or wrong news, whatever the processor's own books say; otherwise as ``settle_payment``."""
    _own(member_id, payment_id)
    return _tell(lambda: sandbox.payment_callback(payment_id, now=now, outcome=outcome), times, now)


def settle_refund(
    *, member_id: str, refund_id: str, outcome: RefundOutcome, code: str, times: int, now: datetime
) -> list[str]:
    """Likewise about a refund of the buyer's. Raises SandboxPaymentNotFound."""
    payment_id = Refund.objects.filter(id=refund_id).values_list("payment_id", flat=True).first()
    _own(member_id, payment_id or "")
    if not sandbox.settle_refund(refund_id, outcome, code=code):
        raise SandboxPaymentNotFound("The processor was not asked for it yet.")
    return _tell(lambda: sandbox.refund_callback(refund_id, now=now), times, now)


def dispute_payment(
    *,
    member_id: str,
    payment_id: str,
    outcome: DisputeOutcome,
    amount_minor: int | None,
    fee_minor: int,
    number: int,
    times: int,
    now: datetime,
) -> list[str]:
    """The buyer's bank takes the payment back, or a part of it, or ends the dispute of this number.

    Otherwise as ``settle_payment``.
    """
    payment = _own(member_id, payment_id)
    fee = Money(fee_minor, payment.currency)
    if amount_minor is None:
        name = sandbox.dispute_id_of(payment.provider_id or "", number)
        opened = Dispute.objects.filter(provider=payment.provider, provider_id=name)
        amount_minor = opened.values_list("amount_minor", flat=True).first()
    amount = None if amount_minor is None else Money(amount_minor, payment.currency)
    return _tell(
        lambda: sandbox.dispute_callback(payment_id, outcome, fee=fee, amount=amount, number=number, now=now),
        times,
        now,
    )


def _tell(message: Callable[[], sandbox.Signed], times: int, now: datetime) -> list[str]:
    effects = []
    for _ in range(times):
        try:
            body, headers = message()
        except ObjectDoesNotExist:
            raise SandboxPaymentNotFound("The processor was not asked for it yet.") from None
        event_id, is_new = receive(kind=KIND, provider="sandbox", body=body, headers=headers, now=now)
        process_event(event_id=event_id, now=now)
        effects.append("new" if is_new else "repeated")
    return effects


def _own(member_id: str, payment_id: str) -> Payment:
    """The buyer's payment at the sandbox. Raises SandboxPaymentNotFound."""
    own = Payment.objects.filter(id=payment_id, order__buyer_id=member_id, provider="sandbox").first()
    if not settings.SANDBOX or own is None:
        raise SandboxPaymentNotFound
    return own
