"""What orders ask of whoever charges cards, and what they are told. Plain data.

Every provider is held to it by tests/contracts/payment_suite.py.

A payment is authorised first (the money is reserved on the card) and captured later, or cancelled.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from foundation.incoming import Verifier
from foundation.money import Money

METHOD_PATTERN = r"[A-Za-z0-9_]{1,100}"
"""A payment method: the provider's token for a card, which the client got from the provider."""


class PaymentOutcome(StrEnum):
    """How far a payment is at its provider. The last three are final there."""

    PENDING = "pending"
    REQUIRES_ACTION = "requires_action"
    AUTHORISED = "authorised"
    CAPTURED = "captured"
    FAILED = "failed"
    CANCELLED = "cancelled"


class RefundOutcome(StrEnum):
    """How far a refund is. PAID may still become FAILED, where the card's bank sends it back."""

    PENDING = "pending"
    PAID = "paid"
    FAILED = "failed"


class DisputeOutcome(StrEnum):
    """OPENED: the money was taken from us. WON: it was given back. LOST: it stays away."""

    OPENED = "opened"
    WON = "won"
    LOST = "lost"


@dataclass(frozen=True, slots=True)
class PaymentOrder:
    """Reserve this on that card. `reference` is ours and the idempotency key: the same is charged once.

    `return_url` is where the buyer's browser goes after a 3-D Secure step.
    """

    reference: str
    amount: Money
    method: str = field(repr=False)
    return_url: str = ""


@dataclass(frozen=True, slots=True)
class PaymentReport:
    """What the provider says of a payment.

    `amount` is what was captured, or reserved, or else asked for. `code` says why it failed. `action_url` is
    where the buyer has to go (REQUIRES_ACTION). `provider_id` is empty where it took no note of the payment.
    """

    reference: str
    provider_id: str
    outcome: PaymentOutcome
    amount: Money
    code: str = ""
    action_url: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class RefundOrder:
    """Give this back to the card of a captured payment. `reference` is ours: the same is paid once."""

    reference: str
    payment_provider_id: str
    amount: Money


@dataclass(frozen=True, slots=True)
class RefundReport:
    """What the provider says of a refund. `code` says why it failed."""

    reference: str
    provider_id: str
    outcome: RefundOutcome
    amount: Money
    code: str = ""


@dataclass(frozen=True, slots=True)
class DisputeReport:
    """The card's bank took back what was paid (a chargeback), or gave it back again.

    `fee` is what the provider keeps for the trouble, beside `amount`. `code` is the bank's reason.
    """

    provider_id: str
    payment_provider_id: str
    outcome: DisputeOutcome
    amount: Money
    fee: Money
    code: str = ""


Report = PaymentReport | RefundReport | DisputeReport


@dataclass(frozen=True, slots=True)
class Callback:
    """A message that a provider sent and signed. `event_id` is unique per provider; repeats carry it again.

    `report` is None for a message about something else, which is kept and left alone. `occurred_at` puts the
    messages about one subject in order where several wait.
    """

    event_id: str
    subject_id: str
    occurred_at: datetime
    report: Report | None


class OutcomeUnknown(Exception):
    """Nobody knows what the provider did: no answer, a broken one, or an error of its own.

    `provider_id`: by what to ask for it, where that much is known.
    """

    def __init__(self, why: str = "", *, provider_id: str = "") -> None:
        self.provider_id = provider_id
        super().__init__(why)


class CallbackUnreadable(ValueError):
    """The provider's signature is on it, but it is none of its known messages."""


class PaymentProvider(Protocol):
    """Whoever charges cards. Called outside transactions; every call may be repeated.

    A report says where the payment or refund stands after the call, whatever was asked for: a payment that
    expired before its capture is reported CANCELLED, one captured before it could be cancelled CAPTURED.
    """

    @property
    def name(self) -> str:
        """As in PAYMENT_PROVIDER."""
        ...

    @property
    def verifier(self) -> Verifier:
        """Whether a callback is from this provider."""
        ...

    def authorise(self, order: PaymentOrder, *, now: datetime) -> PaymentReport:
        """Reserve the amount, once per reference. FAILED: surely not. Raises OutcomeUnknown."""
        ...

    def capture(self, reference: str, provider_id: str, amount: Money, *, now: datetime) -> PaymentReport:
        """Take the reserved amount, once. Raises OutcomeUnknown."""
        ...

    def cancel(self, reference: str, provider_id: str, *, now: datetime) -> PaymentReport:
        """Give the reserved amount free, or end an open 3-D Secure step. Raises OutcomeUnknown."""
        ...

    def find_payment(self, reference: str, provider_id: str, *, now: datetime) -> PaymentReport | None:
        """How far it is; by our reference where `provider_id` is empty. None: it never heard of it, though it
        may within the next hour, where it was asked just now. Raises OutcomeUnknown.
        """
        ...

    def refund(self, order: RefundOrder, *, now: datetime) -> RefundReport:
        """Pay back, once per reference. FAILED: surely not. Raises OutcomeUnknown."""
        ...

    def find_refund(self, order: RefundOrder, *, now: datetime) -> RefundReport | None:
        """How far it is, by our reference. None: it has no such refund. Raises OutcomeUnknown."""
        ...

    def read_callback(self, body: bytes) -> Callback:
        """A signed message. Raises CallbackUnreadable."""
        ...
