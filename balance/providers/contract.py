"""What the balance asks of whoever pays out, and what it is told. Plain data; tests/contracts/payout_suite.py
holds every provider to it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from foundation.incoming import Verifier
from foundation.money import Money


class Outcome(StrEnum):
    """How far a payout is. Only PENDING may become another by itself, and PAID may still be RETURNED."""

    PENDING = "pending"
    PAID = "paid"
    FAILED = "failed"
    RETURNED = "returned"


@dataclass(frozen=True, slots=True)
class PayoutOrder:
    """Pay this to that account. `reference` is ours and the idempotency key: the same one is paid once."""

    reference: str
    amount: Money
    iban: str = field(repr=False)
    holder_name: str = field(repr=False)
    is_organisation: bool = False


@dataclass(frozen=True, slots=True)
class PayoutReport:
    """What the provider says of a payout. `reason` is its code for a failure or return, else empty.

    `provider_id` is empty where it refused without taking note of the payout.
    """

    reference: str
    provider_id: str
    outcome: Outcome
    amount: Money
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Callback:
    """A message that a provider sent and signed. `event_id` is unique per provider; repeats carry it again.

    `report` is None for a message about something else, which is kept and left alone. `occurred_at` puts the
    messages about one payout in order where several wait.
    """

    event_id: str
    subject_id: str
    occurred_at: datetime
    report: PayoutReport | None


class OutcomeUnknown(Exception):
    """Nobody knows whether the provider will pay: no answer, a broken one, or an error of its own."""


class CallbackUnreadable(ValueError):
    """The provider's signature is on it, but it is none of its known messages."""


class PayoutProvider(Protocol):
    """Whoever pays out. Called outside transactions; every call may be repeated."""

    @property
    def name(self) -> str:
        """As in PAYOUT_PROVIDER."""
        ...

    @property
    def verifier(self) -> Verifier:
        """Whether a callback is from this provider."""
        ...

    def send(self, order: PayoutOrder, *, now: datetime) -> PayoutReport:
        """Have it paid, once per reference. FAILED: surely not paid. Raises OutcomeUnknown."""
        ...

    def look_up(self, reference: str, provider_id: str, *, now: datetime) -> PayoutReport:
        """How far it is. Raises OutcomeUnknown."""
        ...

    def read_callback(self, body: bytes) -> Callback:
        """A signed message. Raises CallbackUnreadable."""
        ...
