"""Card payments through Stripe's PaymentIntents, with Stripe's own library (docs/adr/0011).

https://docs.stripe.com/api/payment_intents, /refunds, /disputes. An intent is created unconfirmed first, with
our reference as the idempotency key: that moves nothing, and gives the id by which all else is asked for.
Confirming, capturing and cancelling are done once by the intent's own state. Never run against Stripe itself:
the contract suite runs it against a server of ours that speaks this API (tests/doubles/stripe_server.py).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import stripe
import structlog
from django.conf import settings

from foundation.incoming.errors import WebhookSignatureInvalid, WebhookTimestampStale
from foundation.money import Money, UnknownCurrency
from orders.providers.payments.contract import (
    Callback,
    OutcomeUnknown,
    PaymentOrder,
    PaymentOutcome,
    PaymentReport,
    RefundOrder,
    RefundOutcome,
    RefundReport,
)
from orders.providers.payments.stripe_objects import (
    NotChargeable,
    code_of,
    payment_report,
    read_event,
    refund_report,
    their_minor,
)

logger = structlog.get_logger(__name__)

# To connect, and between two pieces of an answer: confirming waits for the card's bank.
TIMEOUT_S = (5.0, 25.0)
HEADER = "Stripe-Signature"
TOLERANCE_S = 300
REFUNDS_LISTED = 100
_REPLAYED = "is_replayed"
# What a broken answer may raise beside the library's own errors.
_BROKEN = (KeyError, TypeError, AttributeError, ValueError, UnknownCurrency)


class _Refused(Exception):
    """Stripe understood, and it will not be done."""

    def __init__(self, code: str) -> None:
        self.code = code
        super().__init__(code)


@dataclass(frozen=True, slots=True)
class StripeVerifier:
    """Stripe-Signature over time and raw body, checked by the library; the time by the clock we are given."""

    secret: str = field(repr=False)

    def verify(self, body: bytes, headers: Mapping[str, str], *, now: datetime) -> None:
        """Raises WebhookSignatureInvalid or WebhookTimestampStale."""
        given = next((value for name, value in headers.items() if name.lower() == HEADER.lower()), "")
        try:
            # Without a tolerance: the library would ask the machine's clock, and let the future pass.
            stripe.WebhookSignature.verify_header(body, given, self.secret)
            signed_at = next(part[2:] for part in given.split(",") if part.startswith("t="))
            age_s = abs(now.timestamp() - int(signed_at))
        except (stripe.SignatureVerificationError, ValueError, TypeError, StopIteration):
            raise WebhookSignatureInvalid from None
        if age_s > TOLERANCE_S:
            raise WebhookTimestampStale(f"More than {TOLERANCE_S // 60} minutes from now.")


class StripeCards:
    """`base_url` replaces Stripe's address, for a server of ours."""

    name = "stripe"

    def __init__(
        self,
        *,
        api_key: str,
        webhook_secret: str,
        base_url: str = "",
        timeout_s: tuple[float, float] = TIMEOUT_S,
    ) -> None:
        client = stripe.StripeClient(
            api_key,
            http_client=stripe.RequestsClient(timeout=timeout_s),
            # Rows carry the work: what is unknown is asked for and repeated by the sweeper, not in here.
            max_network_retries=0,
            base_addresses={"api": base_url} if base_url else {},
        )
        self._intents, self._refunds = client.v1.payment_intents, client.v1.refunds
        self.verifier = StripeVerifier(webhook_secret)

    def authorise(self, order: PaymentOrder, *, now: datetime) -> PaymentReport:
        """Create the intent under our reference, then confirm it."""
        try:
            intent = self._open(order)
        except (_Refused, NotChargeable) as error:
            return PaymentReport(order.reference, "", PaymentOutcome.FAILED, order.amount, str(error))
        if intent["status"] != "requires_confirmation":
            return payment_report(intent)
        known: Any = {"return_url": order.return_url} if order.return_url else {}
        return self._do(intent["id"], lambda: self._intents.confirm(intent["id"], known))

    def _open(self, order: PaymentOrder) -> Any:
        """The intent of this reference, as it is now. Raises OutcomeUnknown, NotChargeable, _Refused."""
        params: Any = {
            "amount": their_minor(order.amount),
            "currency": order.amount.currency.lower(),
            "capture_method": "manual",
            "payment_method": order.method,
            "payment_method_types": ["card"],
            "metadata": {"reference": order.reference},
        }
        made = self._call(
            lambda: self._intents.create(params, {"idempotency_key": f"{order.reference}:open"})
        )
        # The answer to a repeated request is that to the first one: the intent may have moved on since.
        return self._get(made["id"]) if made[_REPLAYED] else made

    def capture(self, reference: str, provider_id: str, amount: Money, *, now: datetime) -> PaymentReport:
        """Stripe captures an intent once; what is not captured of it is given free."""
        params: Any = {"amount_to_capture": their_minor(amount)}
        return self._do(provider_id, lambda: self._intents.capture(provider_id, params))

    def cancel(self, reference: str, provider_id: str, *, now: datetime) -> PaymentReport:
        """What was captured already is reported so."""
        return self._do(provider_id, lambda: self._intents.cancel(provider_id))

    def find_payment(self, reference: str, provider_id: str, *, now: datetime) -> PaymentReport | None:
        """By id; else Stripe's search, which lags behind by a minute, and seldom by an hour."""
        if provider_id:
            intent = self._get(provider_id)
        else:
            query = f"metadata['reference']:'{reference}'"
            found = self._call(lambda: self._intents.search({"query": query, "limit": 1}))
            if not found["data"]:
                return None
            intent = self._get(found["data"][0]["id"])
        # Never confirmed: nothing is reserved, and it can still be authorised.
        return None if intent["status"] == "requires_confirmation" else payment_report(intent)

    def refund(self, order: RefundOrder, *, now: datetime) -> RefundReport:
        """POST /refunds with the reference as the idempotency key."""
        try:
            params: Any = {
                "payment_intent": order.payment_provider_id,
                "amount": their_minor(order.amount),
                "metadata": {"reference": order.reference},
            }
            made = self._call(lambda: self._refunds.create(params, {"idempotency_key": order.reference}))
        except (_Refused, NotChargeable) as error:
            return RefundReport(order.reference, "", RefundOutcome.FAILED, order.amount, str(error))
        return refund_report(made)

    def find_refund(self, order: RefundOrder, *, now: datetime) -> RefundReport | None:
        """Among the refunds of its payment; that list does not lag behind."""
        params: Any = {"payment_intent": order.payment_provider_id, "limit": REFUNDS_LISTED}
        try:
            listed = self._call(lambda: self._refunds.list(params))
            ours = [it for it in listed["data"] if it["metadata"].get("reference") == order.reference]
            return refund_report(ours[0]) if ours else None
        except _Refused as error:
            raise OutcomeUnknown(f"looking up: {error.code}") from None
        except _BROKEN as error:
            raise OutcomeUnknown(f"an answer with {type(error).__name__}") from None

    def read_callback(self, body: bytes) -> Callback:
        """Events of PaymentIntents, refunds and disputes; others are about something else."""
        return read_event(body)

    def _get(self, intent_id: str) -> Any:
        try:
            return self._call(lambda: self._intents.retrieve(intent_id), intent_id)
        except _Refused as error:
            raise OutcomeUnknown(f"looking up: {error.code}", provider_id=intent_id) from None

    def _do(self, intent_id: str, request: Callable[[], Any]) -> PaymentReport:
        """What a step on an intent led to. Refused, it says so by its state: declined, captured, expired."""
        try:
            return payment_report(self._call(request, intent_id))
        except _Refused as error:
            intent = self._get(intent_id)
            logger.info(
                "stripe_step_refused", provider_id=intent_id, code=error.code, status=intent["status"]
            )
            if intent["status"] == "requires_confirmation":
                # Refused before it began, such as for a method that belongs to somebody else.
                return PaymentReport(
                    intent["metadata"]["reference"],
                    intent_id,
                    PaymentOutcome.FAILED,
                    payment_report(intent).amount,
                    error.code,
                )
            return payment_report(intent)

    def _call(self, request: Callable[[], Any], provider_id: str = "") -> Any:
        """The answer. Raises _Refused, or OutcomeUnknown without the text, which may name the card."""
        try:
            answer = request()
            replayed = answer.last_response.headers.get("Idempotent-Replayed") == "true"
            return answer.to_dict() | {_REPLAYED: replayed}
        except (stripe.CardError, stripe.InvalidRequestError) as error:
            # 402, and 400 or 404: understood, and not done. Another meaning of the key says nothing.
            if isinstance(error, stripe.CardError) or error.http_status in (400, 404):
                raise _Refused(code_of(error)) from None
            raise OutcomeUnknown(f"answered {error.http_status}", provider_id=provider_id) from None
        except stripe.StripeError as error:
            logger.warning("stripe_call_failed", error=type(error).__name__, status=error.http_status)
            raise OutcomeUnknown(type(error).__name__, provider_id=provider_id) from None
        except _BROKEN as error:
            logger.warning("stripe_call_failed", error=type(error).__name__)
            raise OutcomeUnknown(type(error).__name__, provider_id=provider_id) from None


def from_settings() -> StripeCards:
    """As the variables STRIPE_… say."""
    known: dict[str, str] = settings.STRIPE
    return StripeCards(api_key=known["api_key"], webhook_secret=known["webhook_secret"])
