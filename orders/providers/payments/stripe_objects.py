"""Reading what Stripe writes: amounts, PaymentIntents, refunds, disputes and events. No calls in here."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import stripe
from anyascii import anyascii

from foundation.money import Money, UnknownCurrency, exponent_of
from orders.providers.payments.contract import (
    Callback,
    CallbackUnreadable,
    DisputeOutcome,
    DisputeReport,
    OutcomeUnknown,
    PaymentOutcome,
    PaymentReport,
    RefundOutcome,
    RefundReport,
    Report,
)

# Where Stripe's minor units are not those of ISO 4217 (https://docs.stripe.com/currencies#special-cases).
STRIPE_EXPONENTS = {"ISK": 2}
# Three-decimal amounts have to end in 0 (https://docs.stripe.com/currencies#three-decimal).
THREE_DECIMALS = 3
CODE_MAX_LENGTH = 60

PAYMENT_OUTCOMES = {
    "requires_payment_method": PaymentOutcome.FAILED,
    "requires_confirmation": PaymentOutcome.PENDING,
    "requires_action": PaymentOutcome.REQUIRES_ACTION,
    "processing": PaymentOutcome.PENDING,
    "requires_capture": PaymentOutcome.AUTHORISED,
    "succeeded": PaymentOutcome.CAPTURED,
    "canceled": PaymentOutcome.CANCELLED,
}
REFUND_OUTCOMES = {
    "pending": RefundOutcome.PENDING,
    "requires_action": RefundOutcome.PENDING,
    "succeeded": RefundOutcome.PAID,
    "failed": RefundOutcome.FAILED,
    "canceled": RefundOutcome.FAILED,
}
# By the events that move money: an inquiry (warning_…) is a dispute too, and takes none.
DISPUTE_OUTCOMES = {
    "charge.dispute.funds_withdrawn": DisputeOutcome.OPENED,
    "charge.dispute.funds_reinstated": DisputeOutcome.WON,
}
_AMOUNT_OF = {
    PaymentOutcome.AUTHORISED: "amount_capturable",
    PaymentOutcome.CAPTURED: "amount_received",
}


class NotChargeable(ValueError):
    """Stripe cannot take this amount to the last digit."""

    def __str__(self) -> str:
        return "amount_not_chargeable"


def their_minor(amount: Money) -> int:
    """In Stripe's minor units. Raises NotChargeable."""
    theirs = STRIPE_EXPONENTS.get(amount.currency, exponent_of(amount.currency))
    if theirs == THREE_DECIMALS and amount.amount_minor % 10:
        raise NotChargeable
    return int(amount.amount_minor * 10 ** (theirs - exponent_of(amount.currency)))


def our_money(minor: int, currency: str) -> Money:
    """From Stripe's minor units. Raises ValueError for what ours cannot express."""
    known = currency.upper()
    theirs = STRIPE_EXPONENTS.get(known, exponent_of(known))
    whole, rest = divmod(minor, 10 ** (theirs - exponent_of(known)))
    if rest:
        raise ValueError("a fraction of the minor unit")
    return Money(whole, known)


def payment_report(intent: Mapping[str, Any]) -> PaymentReport:
    """What a PaymentIntent says. Raises OutcomeUnknown."""
    try:
        outcome = PAYMENT_OUTCOMES[intent["status"]]
        failure, action = intent.get("last_payment_error"), intent.get("next_action")
        url = action["redirect_to_url"]["url"] if action and action.get("redirect_to_url") else ""
        code = ""
        if outcome is PaymentOutcome.FAILED:
            code = failure_code(failure or {})
        elif outcome is PaymentOutcome.CANCELLED:
            code = _code(intent.get("cancellation_reason") or "cancelled")
        return PaymentReport(
            reference=str(intent["metadata"]["reference"]),
            provider_id=str(intent["id"]),
            outcome=outcome,
            amount=our_money(intent[_AMOUNT_OF.get(outcome, "amount")], intent["currency"]),
            code=code,
            action_url=url if outcome is PaymentOutcome.REQUIRES_ACTION else "",
        )
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise OutcomeUnknown(f"an answer with {type(error).__name__}") from None


def refund_report(refund: Mapping[str, Any]) -> RefundReport:
    """What a refund says. Raises OutcomeUnknown."""
    try:
        outcome = REFUND_OUTCOMES[refund["status"]]
        failed = outcome is RefundOutcome.FAILED
        return RefundReport(
            reference=str(refund["metadata"]["reference"]),
            provider_id=str(refund["id"]),
            outcome=outcome,
            amount=our_money(refund["amount"], refund["currency"]),
            code=_code(refund.get("failure_reason") or refund["status"]) if failed else "",
        )
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise OutcomeUnknown(f"an answer with {type(error).__name__}") from None


def dispute_report(kind: str, dispute: Mapping[str, Any]) -> DisputeReport | None:
    """What an event about a dispute says; None when no money moved by it."""
    outcome = DISPUTE_OUTCOMES.get(kind)
    if kind == "charge.dispute.closed" and dispute["status"] == "lost":
        outcome = DisputeOutcome.LOST
    if outcome is None:
        return None
    amount = our_money(dispute["amount"], dispute["currency"])
    # A fee in another currency than the charge's is left to the settlement file.
    fees = [
        entry["fee"]
        for entry in dispute["balance_transactions"]
        if entry["currency"] == dispute["currency"] and entry["fee"] > 0
    ]
    return DisputeReport(
        provider_id=str(dispute["id"]),
        payment_provider_id=str(dispute["payment_intent"]),
        outcome=outcome,
        amount=amount,
        fee=our_money(sum(fees), dispute["currency"]),
        code=_code(str(dispute["reason"])),
    )


def read_event(body: bytes) -> Callback:
    """An event of Stripe's. Raises CallbackUnreadable."""
    try:
        event = json.loads(body)
        kind, subject = str(event["type"]), event["data"]["object"]
        report = _report(kind, subject)
        # A payment and its refunds are one subject each: the events of one are put in order.
        return Callback(
            event_id=str(event["id"]),
            subject_id=str(subject["id"]),
            occurred_at=datetime.fromtimestamp(event["created"], UTC),
            report=report,
        )
    except (ValueError, KeyError, TypeError, AttributeError, OSError, OverflowError) as error:
        raise CallbackUnreadable(type(error).__name__) from None
    except (OutcomeUnknown, UnknownCurrency) as error:
        raise CallbackUnreadable(str(error)) from None


def _report(kind: str, subject: Mapping[str, Any]) -> Report | None:
    if kind.startswith("charge.dispute."):
        return dispute_report(kind, subject)
    is_ours = "reference" in (subject.get("metadata") or {})
    if kind.startswith("payment_intent.") and is_ours:
        # Not confirmed yet: it stands nowhere.
        return None if subject["status"] == "requires_confirmation" else payment_report(subject)
    if kind.startswith(("refund.", "charge.refund.")) and is_ours:
        return refund_report(subject)
    return None


def failure_code(failure: Mapping[str, Any]) -> str:
    """Why a card was declined: the bank's code where there is one."""
    return _code(str(failure.get("decline_code") or failure.get("code") or "declined"))


def code_of(error: stripe.StripeError) -> str:
    """Why Stripe refused."""
    body = error.json_body if isinstance(error.json_body, dict) else {}
    return failure_code(body.get("error") or {"code": "refused"})


def _code(text: str) -> str:
    return str(anyascii(text)).strip()[:CODE_MAX_LENGTH]
