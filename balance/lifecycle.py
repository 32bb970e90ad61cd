"""The lives of holds and withdrawals: one table each, and nothing else assigns `status`."""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum

from foundation.lifecycle import CLOCK, Lifecycle, Transition, register

CALLER = "caller"
MEMBER = "member"
STAFF = "staff"
WORKER = "worker"
BANK = "bank"

# A checkout is open for 15 minutes (docs/money.md); who places a hold may ask for another time.
HOLD_FOR = timedelta(minutes=15)


class HoldStatus(StrEnum):
    """Where money that was set aside stands."""

    ACTIVE = "active"
    CAPTURED = "captured"
    RELEASED = "released"
    EXPIRED = "expired"


HOLD = register(
    Lifecycle(
        "Hold",
        statuses=HoldStatus,
        initial=HoldStatus.ACTIVE,
        meanings={
            HoldStatus.ACTIVE: "set aside: the member can neither spend nor withdraw it elsewhere",
            HoldStatus.CAPTURED: "used for what it was set aside for; what was not needed went back",
            HoldStatus.RELEASED: "given back whole: what it was for did not happen",
            HoldStatus.EXPIRED: "given back whole by the clock",
        },
        transitions=[
            Transition(
                HoldStatus.ACTIVE,
                "capture",
                HoldStatus.CAPTURED,
                CALLER,
                note="also past the deadline, until the clock has acted",
            ),
            Transition(HoldStatus.ACTIVE, "release", HoldStatus.RELEASED, CALLER),
            Transition(
                HoldStatus.ACTIVE,
                "expire",
                HoldStatus.EXPIRED,
                CLOCK,
                HOLD_FOR,
                note="unless another time was asked for",
            ),
        ],
    )
)


class WithdrawalStatus(StrEnum):
    IN_REVIEW = "in_review"
    REQUESTED = "requested"
    SENT = "sent"
    PAID = "paid"
    FAILED = "failed"
    RETURNED = "returned"
    CANCELLED = "cancelled"


_S = WithdrawalStatus

WITHDRAWAL = register(
    Lifecycle(
        "Withdrawal",
        statuses=WithdrawalStatus,
        initial=_S.REQUESTED,
        transitions=(
            Transition(
                _S.REQUESTED, "hold", _S.IN_REVIEW, WORKER, note="another holder, or blocked meanwhile"
            ),
            Transition(_S.REQUESTED, "send", _S.SENT, WORKER, note="written down before the bank is called"),
            Transition(_S.REQUESTED, "cancel", _S.CANCELLED, MEMBER),
            Transition(_S.IN_REVIEW, "release", _S.REQUESTED, STAFF),
            Transition(_S.IN_REVIEW, "refuse", _S.FAILED, STAFF),
            Transition(_S.IN_REVIEW, "cancel", _S.CANCELLED, MEMBER),
            Transition(_S.SENT, "pay", _S.PAID, BANK),
            Transition(
                _S.SENT, "fail", _S.FAILED, BANK, note="surely not paid; an unknown outcome is retried"
            ),
            Transition(_S.SENT, "return", _S.RETURNED, BANK, note="the news of the payment is late or lost"),
            Transition(_S.SENT, "confirm", _S.PAID, STAFF, note="it is on the bank's statement"),
            Transition(_S.SENT, "deny", _S.FAILED, STAFF, note="it is not on the bank's statement"),
            Transition(_S.PAID, "return", _S.RETURNED, BANK),
        ),
        meanings={
            _S.IN_REVIEW: "a person looks at it first: another holder than the member, or a block",
            _S.REQUESTED: "set aside, not yet sent to the bank",
            _S.SENT: "with the bank, or on the way there: the outcome is open",
            _S.PAID: "left our bank account",
            _S.FAILED: "the bank surely did not pay, or the review refused it; the money is back",
            _S.RETURNED: "paid, but it came back; the money is back",
            _S.CANCELLED: "taken back by the member before it was sent",
        },
    )
)
OPEN = (_S.IN_REVIEW, _S.REQUESTED, _S.SENT)
"""Statuses in which the money is in transit."""
