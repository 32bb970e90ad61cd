"""The lives of holds, withdrawals, donations, charities' accounts and more: one table each.

Nothing else assigns `status`.
"""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum

from foundation.lifecycle import CLOCK, Lifecycle, Transition, register

CALLER = "caller"
MEMBER = "member"
STAFF = "staff"
SECOND_PERSON = "second person"
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
                _S.REQUESTED,
                "hold",
                _S.IN_REVIEW,
                WORKER,
                note="another holder, or meanwhile blocked or in debt",
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
            _S.IN_REVIEW: "a person looks at it first: another holder than the member, a block, or a debt",
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


class DonationStatus(StrEnum):
    """How far a donation is."""

    GIVEN = "given"
    SETTLED = "settled"
    UNDONE = "undone"


DONATION = register(
    Lifecycle(
        "Donation",
        statuses=DonationStatus,
        initial=DonationStatus.GIVEN,
        transitions=(
            Transition(
                DonationStatus.GIVEN,
                "settle",
                DonationStatus.SETTLED,
                WORKER,
                note="once the month is over: it becomes part of the payment to the charity",
            ),
            Transition(
                DonationStatus.GIVEN, "undo", DonationStatus.UNDONE, CALLER, note="its sale was refunded"
            ),
        ),
        meanings={
            DonationStatus.GIVEN: "the charity's, not yet on its way; a sale's is undone with a refund",
            DonationStatus.SETTLED: "part of a monthly payment to the charity, and final",
            DonationStatus.UNDONE: "back with the member",
        },
    )
)


class CharityAccountStatus(StrEnum):
    PROPOSED = "proposed"
    STANDING = "standing"
    REPLACED = "replaced"
    REJECTED = "rejected"


_A = CharityAccountStatus

CHARITY_ACCOUNT = register(
    Lifecycle(
        "Charity bank account",
        statuses=CharityAccountStatus,
        initial=_A.PROPOSED,
        transitions=(
            Transition(
                _A.PROPOSED,
                "approve",
                _A.STANDING,
                SECOND_PERSON,
                note="somebody else than who proposed it, who types the IBAN in again",
            ),
            Transition(_A.PROPOSED, "reject", _A.REJECTED, STAFF),
            Transition(
                _A.STANDING, "replace", _A.REPLACED, SECOND_PERSON, note="in the moment another is approved"
            ),
        ),
        meanings={
            _A.PROPOSED: "waits for a second member of staff; the charity is paid where it was before",
            _A.STANDING: "payments that begin from now on go there",
            _A.REPLACED: "another one stands; what was sent there was sent there",
            _A.REJECTED: "not wanted; nothing was ever paid there",
        },
    )
)


class SettlementStatus(StrEnum):
    """How far a month's payment to a charity is."""

    COLLECTING = "collecting"
    SENT = "sent"
    PAID = "paid"
    FAILED = "failed"


_D = SettlementStatus

DONATION_SETTLEMENT = register(
    Lifecycle(
        "Donation settlement",
        statuses=SettlementStatus,
        initial=_D.COLLECTING,
        transitions=(
            Transition(_D.COLLECTING, "send", _D.SENT, WORKER, note="written down before the bank is called"),
            Transition(_D.SENT, "pay", _D.PAID, BANK),
            Transition(
                _D.SENT, "fail", _D.FAILED, BANK, note="surely not paid; an unknown outcome is retried"
            ),
            Transition(_D.SENT, "return", _D.FAILED, BANK, note="the news of the payment is late or lost"),
            Transition(_D.SENT, "confirm", _D.PAID, STAFF, note="it is on the bank's statement"),
            Transition(_D.SENT, "deny", _D.FAILED, STAFF, note="it is not on the bank's statement"),
            Transition(_D.PAID, "return", _D.FAILED, BANK, note="the posting is reversed"),
            Transition(_D.FAILED, "retry", _D.SENT, STAFF, note="under a new reference"),
            Transition(_D.FAILED, "confirm", _D.PAID, STAFF, note="it is on the bank's statement after all"),
        ),
        meanings={
            _D.COLLECTING: "donations of the month that is over are being added",
            _D.SENT: "with the bank, or on the way there: the outcome is open",
            _D.PAID: "left our bank account",
            _D.FAILED: "refused or returned: still owed to the charity, and a case for staff",
        },
    )
)


class CorrectionStatus(StrEnum):
    REQUESTED = "requested"
    POSTED = "posted"
    REJECTED = "rejected"


CORRECTION = register(
    Lifecycle(
        "Correction",
        statuses=CorrectionStatus,
        initial=CorrectionStatus.REQUESTED,
        transitions=(
            Transition(
                CorrectionStatus.REQUESTED,
                "post",
                CorrectionStatus.POSTED,
                STAFF,
                note="at once up to the limit of one person; above it by somebody else than who asked",
            ),
            Transition(CorrectionStatus.REQUESTED, "reject", CorrectionStatus.REJECTED, STAFF),
        ),
        meanings={
            CorrectionStatus.REQUESTED: "waits for a second member of staff; nothing was moved",
            CorrectionStatus.POSTED: "in the ledger; it can be undone by another correction only",
            CorrectionStatus.REJECTED: "not wanted; nothing was moved",
        },
    )
)

IMPORT = "import"


class SettlementCaseStatus(StrEnum):
    MATCHED = "matched"
    MISSING_IN_LEDGER = "missing_in_ledger"
    MISSING_IN_FILE = "missing_in_file"
    AMOUNT_MISMATCH = "amount_mismatch"
    RESOLVED = "resolved"


_R = SettlementCaseStatus

SETTLEMENT_CASE = register(
    Lifecycle(
        "Settlement case",
        statuses=SettlementCaseStatus,
        initial=_R.MATCHED,
        transitions=(
            Transition(_R.MISSING_IN_LEDGER, "match", _R.MATCHED, IMPORT, note="posted since"),
            Transition(_R.MISSING_IN_LEDGER, "differ", _R.AMOUNT_MISMATCH, IMPORT),
            Transition(_R.MISSING_IN_FILE, "match", _R.MATCHED, IMPORT, note="a later file has it"),
            Transition(_R.MISSING_IN_FILE, "differ", _R.AMOUNT_MISMATCH, IMPORT),
            Transition(_R.MISSING_IN_LEDGER, "resolve", _R.RESOLVED, STAFF),
            Transition(_R.MISSING_IN_FILE, "resolve", _R.RESOLVED, STAFF),
            Transition(_R.AMOUNT_MISMATCH, "resolve", _R.RESOLVED, STAFF),
            Transition(_R.RESOLVED, "match", _R.MATCHED, IMPORT, note="a later file has the line after all"),
            Transition(_R.RESOLVED, "differ", _R.AMOUNT_MISMATCH, IMPORT),
        ),
        meanings={
            _R.MATCHED: "the line and the posting agree; most cases are opened so, others as they are found",
            _R.MISSING_IN_LEDGER: "the provider settles something that the ledger does not know",
            _R.MISSING_IN_FILE: "the ledger expects something that the provider has not settled",
            _R.AMOUNT_MISMATCH: "both know it, with different amounts",
            _R.RESOLVED: "a person found out why, and wrote it down",
        },
    )
)
OPEN_CASES = (_R.MISSING_IN_LEDGER, _R.MISSING_IN_FILE, _R.AMOUNT_MISMATCH)
