"""Payouts through Adyen's Transfers API, version 4, with Adyen's own library (docs/adr/0007).

https://docs.adyen.com/api-explorer/transfers/4/post/transfers and, for callbacks,
https://docs.adyen.com/api-explorer/transfer-webhooks. One call pays to a third person's IBAN from our balance
account; Adyen keeps idempotency keys for seven days at least. Never run against Adyen itself: the contract
suite runs it against a server of ours that speaks this API (tests/doubles/adyen_server.py).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from http.client import HTTPException
from typing import Any

import structlog
from Adyen import AdyenClient
from Adyen.exceptions import AdyenAPIUnprocessableEntity, AdyenError
from Adyen.services.transfers.transfers_api import TransfersApi
from Adyen.util import is_valid_hmac_payload
from anyascii import anyascii
from django.conf import settings

from balance.providers.contract import (
    Callback,
    CallbackUnreadable,
    Outcome,
    OutcomeUnknown,
    PayoutOrder,
    PayoutReport,
)
from foundation.incoming.errors import WebhookSignatureInvalid
from foundation.money import Money, UnknownCurrency, exponent_of

logger = structlog.get_logger(__name__)

TIMEOUT_S = 20
# Where Adyen's minor units are not those of ISO 4217
# (https://docs.adyen.com/development-resources/currency-codes).
ADYEN_EXPONENTS = {"ISK": 2}
# The same key is being worked on, or was used for something else: says nothing about the payout
# (https://docs.adyen.com/development-resources/api-idempotency).
IN_PROGRESS = "704"
OUTCOMES = {
    "received": Outcome.PENDING,
    "authorised": Outcome.PENDING,
    "pending": Outcome.PENDING,
    "pendingApproval": Outcome.PENDING,
    "booked": Outcome.PAID,
    "refused": Outcome.FAILED,
    "rejected": Outcome.FAILED,
    "cancelled": Outcome.FAILED,
    "failed": Outcome.FAILED,
    "returned": Outcome.RETURNED,
}


@dataclass(frozen=True, slots=True)
class AdyenVerifier:
    """HmacSignature is over the raw body. Adyen signs no time: a repeat is known by its event id."""

    hmac_key: str = field(repr=False)

    def verify(self, body: bytes, headers: Mapping[str, str], *, now: datetime) -> None:
        """Raises WebhookSignatureInvalid."""
        given = next((value for name, value in headers.items() if name.lower() == "hmacsignature"), "")
        # Without a key anybody could sign.
        if not (self.hmac_key and given.isascii() and is_valid_hmac_payload(given, self.hmac_key, body)):
            raise WebhookSignatureInvalid


class AdyenPayouts:
    """`base_url` replaces the address of Adyen's test platform, for a server of ours."""

    name = "adyen"

    def __init__(
        self,
        *,
        api_key: str,
        platform: str,
        balance_account_id: str,
        hmac_key: str,
        base_url: str = "",
        timeout_s: float = TIMEOUT_S,
    ) -> None:
        # urllib, not whatever client happens to be installed: it takes a timeout and needs no package.
        client = AdyenClient(xapikey=api_key, platform=platform, http_force="urllib", http_timeout=timeout_s)
        self._api = TransfersApi(client)
        if base_url:
            self._api.baseUrl = base_url
        self._balance_account_id = balance_account_id
        self.verifier = AdyenVerifier(hmac_key)

    def send(self, order: PayoutOrder, *, now: datetime) -> PayoutReport:
        """POST /transfers with the reference as the idempotency key."""
        holder_type = "organization" if order.is_organisation else "individual"
        body = {
            "amount": {"value": _their_minor(order.amount), "currency": order.amount.currency},
            "balanceAccountId": self._balance_account_id,
            "category": "bank",
            "priority": "regular",
            "counterparty": {
                "bankAccount": {
                    # Adyen takes Latin letters; banks compare transliterated names anyhow.
                    "accountHolder": {"fullName": anyascii(order.holder_name), "type": holder_type},
                    "accountIdentification": {"type": "iban", "iban": order.iban},
                }
            },
            "reference": order.reference,
            "referenceForBeneficiary": order.reference,
            "description": "Preloved donations" if order.is_organisation else "Preloved withdrawal",
        }
        try:
            answer = self._call(lambda: self._api.transfer_funds(body, idempotency_key=order.reference))
        except AdyenAPIUnprocessableEntity as error:
            # 422 says: understood, and it will not be done. No other status does.
            return PayoutReport(
                order.reference, "", Outcome.FAILED, order.amount, _ascii(error.error_code or "refused")
            )
        return _report(answer)

    def look_up(self, reference: str, provider_id: str, *, now: datetime) -> PayoutReport:
        """GET /transfers/{id}."""
        try:
            return _report(self._call(lambda: self._api.get_transfer(provider_id)))
        except AdyenAPIUnprocessableEntity as error:
            raise OutcomeUnknown(f"looking up: {error.error_code}") from None

    def read_callback(self, body: bytes) -> Callback:
        """balancePlatform.transfer.created and .updated; others are about something else."""
        try:
            message = json.loads(body)
            data = message["data"]
            is_a_payout = (
                str(message["type"]).startswith("balancePlatform.transfer.")
                and data.get("category") == "bank"
                and data.get("direction") == "outgoing"
            )
            return Callback(
                event_id=f"{data['id']}:{data.get('sequenceNumber', message['type'])}",
                subject_id=str(data["reference"] if is_a_payout else data["id"]),
                occurred_at=datetime.fromisoformat(message["timestamp"]),
                report=_report(data) if is_a_payout else None,
            )
        except (ValueError, KeyError, TypeError, AttributeError, OutcomeUnknown) as error:
            raise CallbackUnreadable(type(error).__name__) from None

    def _call(self, request: Callable[[], Any]) -> dict[str, Any]:
        """Raises OutcomeUnknown without the text of the failure, which may hold the IBAN."""
        try:
            answer = request().message
        except AdyenAPIUnprocessableEntity as error:
            if error.error_code == IN_PROGRESS or error.headers.get("Transient-Error") == "true":
                raise OutcomeUnknown(f"answered {error.error_code}") from None
            raise
        except AdyenError as error:
            logger.warning("adyen_call_failed", status=error.status_code, code=error.error_code)
            raise OutcomeUnknown(f"answered {error.status_code}") from None
        except (
            OSError,
            HTTPException,
            ValueError,
            AttributeError,
        ) as error:  # the latter: JSON, but no object
            logger.warning("adyen_call_failed", error=type(error).__name__)
            raise OutcomeUnknown(type(error).__name__) from None
        if not isinstance(answer, dict):
            raise OutcomeUnknown("no JSON object")
        return answer


def _report(transfer: dict[str, Any]) -> PayoutReport:
    try:
        outcome = OUTCOMES.get(transfer["status"], Outcome.PENDING)
        was_booked = any(event.get("status") == "booked" for event in transfer.get("events", []))
        if outcome is Outcome.FAILED and was_booked:
            # It had left our account, so what failed later is money that comes back.
            outcome = Outcome.RETURNED
        failed = outcome in (Outcome.FAILED, Outcome.RETURNED)
        return PayoutReport(
            reference=str(transfer["reference"]),
            provider_id=str(transfer["id"]),
            outcome=outcome,
            amount=_our_money(transfer["amount"]["value"], transfer["amount"]["currency"]),
            reason=_ascii(str(transfer.get("reason", transfer["status"]))) if failed else "",
        )
    except (KeyError, TypeError, AttributeError, UnknownCurrency) as error:
        raise OutcomeUnknown(f"an answer without {error}") from None


def _their_minor(amount: Money) -> int:
    theirs = ADYEN_EXPONENTS.get(amount.currency, exponent_of(amount.currency))
    return int(amount.amount_minor * 10 ** (theirs - exponent_of(amount.currency)))


def _our_money(minor: int, currency: str) -> Money:
    theirs = ADYEN_EXPONENTS.get(currency, exponent_of(currency))
    return Money(minor // 10 ** (theirs - exponent_of(currency)), currency)


def _ascii(code: str) -> str:
    return anyascii(code).strip()[:60]


def from_settings() -> AdyenPayouts:
    """As the variables ADYEN_… say."""
    known: dict[str, str] = settings.ADYEN
    return AdyenPayouts(
        api_key=known["api_key"],
        platform=known["platform"],
        balance_account_id=known["balance_account_id"],
        hmac_key=known["hmac_key"],
    )
