"""What staff does with withdrawals, each time with a reason."""

from __future__ import annotations

from datetime import datetime

from balance.errors import WithdrawalCaseClosed, WithdrawalStatusConflict, WithdrawalTooOldToRepeat
from balance.lifecycle import STAFF, WithdrawalStatus
from balance.models import Withdrawal, WithdrawalCase
from balance.services.ringing import ring_for_withdrawal
from balance.services.sending import may_be_repeated
from balance.services.withdrawal_moves import lock_known_withdrawal, move, record
from foundation.db import atomic_retry

REFUSED_BY_REVIEW = "refused_by_review"
NOT_ON_STATEMENT = "not_on_bank_statement"


@atomic_retry
def release_withdrawal(*, withdrawal_id: str, staff_id: str, note: str, now: datetime) -> None:
    """The review found nothing wrong: send it. Raises WithdrawalNotFound, WithdrawalStatusConflict."""
    withdrawal = lock_known_withdrawal(withdrawal_id)
    move(withdrawal, verb="release", actor=STAFF, actor_id=staff_id, note=note, now=now)
    ring_for_withdrawal(withdrawal_id)


@atomic_retry
def refuse_withdrawal(*, withdrawal_id: str, staff_id: str, note: str, now: datetime) -> None:
    """The review refuses it: the money is available again.

    Raises WithdrawalNotFound, WithdrawalStatusConflict.
    """
    withdrawal = lock_known_withdrawal(withdrawal_id)
    move(
        withdrawal,
        verb="refuse",
        actor=STAFF,
        actor_id=staff_id,
        reason=REFUSED_BY_REVIEW,
        note=note,
        now=now,
    )


@atomic_retry
def confirm_withdrawal(*, withdrawal_id: str, staff_id: str, note: str, now: datetime) -> None:
    """The bank's statement shows it. Raises WithdrawalNotFound, WithdrawalStatusConflict."""
    withdrawal = lock_known_withdrawal(withdrawal_id)
    move(withdrawal, verb="confirm", actor=STAFF, actor_id=staff_id, note=note, now=now)


@atomic_retry
def deny_withdrawal(*, withdrawal_id: str, staff_id: str, note: str, now: datetime) -> None:
    """The bank's statement does not show it, and it is too old to be sent again: the money is available.

    Raises WithdrawalNotFound, WithdrawalStatusConflict.
    """
    withdrawal = lock_known_withdrawal(withdrawal_id)
    if withdrawal.status == WithdrawalStatus.SENT and may_be_repeated(withdrawal, now=now):
        # The bank may still pay it: an unknown outcome is no failure.
        raise WithdrawalStatusConflict("The bank may still pay it: it was sent too short a time ago.")
    move(
        withdrawal,
        verb="deny",
        actor=STAFF,
        actor_id=staff_id,
        reason=NOT_ON_STATEMENT,
        note=note,
        now=now,
    )


@atomic_retry
def retry_withdrawal(*, withdrawal_id: str, staff_id: str, note: str, now: datetime) -> None:
    """Do not wait for the next call to the bank.

    Raises WithdrawalNotFound, WithdrawalStatusConflict, WithdrawalTooOldToRepeat.
    """
    withdrawal = lock_known_withdrawal(withdrawal_id)
    if withdrawal.status not in (WithdrawalStatus.REQUESTED, WithdrawalStatus.SENT):
        raise WithdrawalStatusConflict(f"It is {withdrawal.status}: there is nothing to retry.")
    if withdrawal.provider_id is None and not may_be_repeated(withdrawal, now=now):
        raise WithdrawalTooOldToRepeat
    Withdrawal.objects.filter(id=withdrawal_id).update(next_call_at=now)
    record(withdrawal, "retry", withdrawal.status, STAFF, now=now, actor_id=staff_id, note=note)
    ring_for_withdrawal(withdrawal_id)


@atomic_retry
def close_case(*, case_id: str, staff_id: str, note: str, now: datetime) -> None:
    """Write down what was found. What has to be posted is a correction. Raises WithdrawalCaseClosed."""
    closed = WithdrawalCase.objects.filter(id=case_id, closed_at__isnull=True).update(
        closed_at=now, closed_by=f"staff:{staff_id}", note=note
    )
    if not closed:
        raise WithdrawalCaseClosed
