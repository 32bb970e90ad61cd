"""The lives of payments, refunds and disputes: one table each.

A status in which a provider is called (sending, capturing, cancelling, sent) is written down before the call
and stays until somebody knows what came of it: an unknown outcome has no status of its own.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

from foundation.lifecycle import Lifecycle, Transition, register
from orders.lifecycle.roles import PROVIDER

WORKER = "worker"
_FIRST = "written down before the provider is called"
_OVER = "the order cannot be paid any more"


class PaymentStatus(StrEnum):
    """How far an attempt to pay is."""

    CREATED = "created"
    SENDING = "sending"
    REQUIRES_ACTION = "requires_action"
    AUTHORISED = "authorised"
    CAPTURING = "capturing"
    CAPTURED = "captured"
    CANCELLING = "cancelling"
    CANCELLED = "cancelled"
    FAILED = "failed"


_P = PaymentStatus
PAYMENT_OPEN = (_P.CREATED, _P.SENDING, _P.REQUIRES_ACTION, _P.AUTHORISED, _P.CAPTURING)
"""Statuses from which it may still pay its order, which has one payment in them at most."""
PAYMENT_UNDER_WAY = (*PAYMENT_OPEN, _P.CANCELLING)
"""Statuses in which a worker has something to do or to ask."""
_WITH_PROVIDER = (_P.SENDING, _P.REQUIRES_ACTION, _P.AUTHORISED, _P.CAPTURING, _P.CANCELLING)
_LATE = "the order may have ended since: then it is refunded in full"


def _told() -> Iterable[Transition]:
    """What a provider may say at any time: by answer or by callback, in any order."""
    for source in _WITH_PROVIDER:
        yield Transition(source, "confirm", _P.CAPTURED, PROVIDER, note=_LATE)
        yield Transition(source, "fail", _P.FAILED, PROVIDER, note="surely not charged")
        yield Transition(source, "cancel", _P.CANCELLED, PROVIDER, note="nothing is reserved any more")
    for source in (_P.FAILED, _P.CANCELLED):
        yield Transition(source, "confirm", _P.CAPTURED, PROVIDER, note=_LATE)
        yield Transition(source, "reserve", _P.CANCELLING, PROVIDER, note="too late: it is given free")


PAYMENT = register(
    Lifecycle(
        "Payment",
        statuses=PaymentStatus,
        initial=_P.CREATED,
        meanings={
            _P.CREATED: "asked for, not yet sent to the provider",
            _P.SENDING: "with the provider, or on the way there: whether the card is good is open",
            _P.REQUIRES_ACTION: "the buyer has to confirm it to their bank (3-D Secure)",
            _P.AUTHORISED: "the amount is reserved on the card",
            _P.CAPTURING: "the provider was told to take it, or will be",
            _P.CAPTURED: "the money was taken",
            _P.CANCELLING: "the provider was told to give it free, or will be",
            _P.CANCELLED: "nothing was taken, and nothing is reserved any more",
            _P.FAILED: "declined, or surely never taken",
        },
        transitions=[
            Transition(_P.CREATED, "send", _P.SENDING, WORKER, note=_FIRST),
            Transition(_P.CREATED, "drop", _P.CANCELLED, WORKER, note=_OVER),
            Transition(_P.SENDING, "challenge", _P.REQUIRES_ACTION, PROVIDER),
            Transition(_P.SENDING, "reserve", _P.AUTHORISED, PROVIDER),
            Transition(_P.SENDING, "give_up", _P.FAILED, WORKER, note="the provider never heard of it"),
            Transition(_P.SENDING, "void", _P.CANCELLING, WORKER, note=_OVER),
            Transition(_P.REQUIRES_ACTION, "reserve", _P.AUTHORISED, PROVIDER),
            Transition(_P.REQUIRES_ACTION, "void", _P.CANCELLING, WORKER, note=_OVER),
            Transition(_P.AUTHORISED, "capture", _P.CAPTURING, WORKER, note="the order waits for it"),
            Transition(_P.AUTHORISED, "void", _P.CANCELLING, WORKER, note=_OVER),
            Transition(_P.CAPTURING, "void", _P.CANCELLING, WORKER, note=_OVER),
            *_told(),
        ],
    )
)


class RefundStatus(StrEnum):
    """How far a return of money to a card is."""

    REQUESTED = "requested"
    SENT = "sent"
    PAID = "paid"
    FAILED = "failed"


_R = RefundStatus

REFUND = register(
    Lifecycle(
        "Refund",
        statuses=RefundStatus,
        initial=_R.REQUESTED,
        meanings={
            _R.REQUESTED: "the order owes it to the card; not yet sent to the provider",
            _R.SENT: "with the provider, or on the way there: the outcome is open",
            _R.PAID: "left our balance with the provider",
            _R.FAILED: "the card did not take it: still owed, and a case for staff",
        },
        transitions=[
            Transition(_R.REQUESTED, "send", _R.SENT, WORKER, note=_FIRST),
            Transition(_R.SENT, "pay", _R.PAID, PROVIDER),
            Transition(_R.SENT, "fail", _R.FAILED, PROVIDER, note="surely not paid"),
        ],
    )
)
REFUND_OPEN = (_R.REQUESTED, _R.SENT)
"""Statuses in which a worker has something to do."""


class DisputeStatus(StrEnum):
    """How a chargeback stands."""

    OPEN = "open"
    WON = "won"
    LOST = "lost"


DISPUTE = register(
    Lifecycle(
        "Dispute",
        statuses=DisputeStatus,
        initial=DisputeStatus.OPEN,
        meanings={
            DisputeStatus.OPEN: "the card's bank took the money back, with a fee",
            DisputeStatus.WON: "the bank gave it back",
            DisputeStatus.LOST: "it stays away",
        },
        transitions=[
            Transition(DisputeStatus.OPEN, "win", DisputeStatus.WON, PROVIDER),
            Transition(DisputeStatus.OPEN, "lose", DisputeStatus.LOST, PROVIDER),
        ],
    )
)
