"""Calling the bank: write down that it is called, commit, call, record the answer.

Whatever happens in between, the withdrawal stays `sent` and is sent again under the same reference, which
the bank pays once. It is given back only for an answer that says it was not paid.
"""

from __future__ import annotations

import time
from datetime import datetime, timedelta

import structlog

from balance import metrics
from balance.lifecycle import WORKER, WithdrawalStatus
from balance.models import BankAccount, Withdrawal
from balance.providers import provider_named
from balance.providers.contract import OutcomeUnknown, PayoutOrder, PayoutReport
from balance.queries.balances import get_balances
from balance.queries.banking import count_withdrawals_by_status, due_withdrawal_ids, find_oldest_sent_at
from balance.services.blocks import require_may_withdraw
from balance.services.reporting import apply_report
from balance.services.ringing import ring_for_withdrawal
from balance.services.withdrawal_moves import lock_withdrawal, move
from foundation.db import atomic_retry
from foundation.errors import Forbidden
from foundation.money import Money

logger = structlog.get_logger(__name__)

IN_DEBT = "in_debt"
BATCH = 200
FIRST_PAUSE, LONGEST_PAUSE = timedelta(seconds=30), timedelta(hours=6)
# Providers keep idempotency keys for a week or more; after this only the bank's statement can tell.
REPEAT_FOR = timedelta(days=3)


def pause_after(attempts: int) -> timedelta:
    """How long a call is given, and the pause before the next: doubled each time, six hours at most."""
    doublings = min(attempts - 1, 20)
    return min(FIRST_PAUSE * (1 << doublings), LONGEST_PAUSE)


def may_be_repeated(withdrawal: Withdrawal, *, now: datetime) -> bool:
    """Whether the same reference can still be sent without the danger of paying twice."""
    return withdrawal.sent_at is None or now - withdrawal.sent_at < REPEAT_FOR


def advance_withdrawal(*, withdrawal_id: str, now: datetime) -> None:
    """Send a withdrawal that is due, or ask how far it is. Safe to call twice, and at the same time."""
    withdrawal = _begin_call(withdrawal_id, now=now)
    if withdrawal is None:
        return
    started = time.monotonic()
    try:
        report = _call(withdrawal, now=now)
    except OutcomeUnknown as error:
        metrics.PAYOUT_CALLS.labels(withdrawal.provider, "unknown").inc()
        logger.warning("payout_outcome_unknown", withdrawal_id=withdrawal_id, why=str(error))
        return
    finally:
        metrics.PAYOUT_CALL_SECONDS.observe(time.monotonic() - started)
    metrics.PAYOUT_CALLS.labels(withdrawal.provider, report.outcome.value).inc()
    apply_report(withdrawal.provider, report, now=now)


@atomic_retry
def _begin_call(withdrawal_id: str, *, now: datetime) -> Withdrawal | None:
    """Claim a due withdrawal: the next call is due only after a pause. None when there is nothing to do."""
    withdrawal = lock_withdrawal(withdrawal_id, waits=False)
    if withdrawal is None or withdrawal.next_call_at is None or withdrawal.next_call_at > now:
        return None
    if withdrawal.status == WithdrawalStatus.REQUESTED:
        objection = _find_objection(withdrawal, now=now)
        if objection:
            move(withdrawal, verb="hold", actor=WORKER, reason=objection, now=now)
            return None
        move(withdrawal, verb="send", actor=WORKER, now=now)
    elif withdrawal.provider_id is None and not may_be_repeated(withdrawal, now=now):
        logger.error("withdrawal_stuck", withdrawal_id=withdrawal_id)
        Withdrawal.objects.filter(id=withdrawal_id).update(next_call_at=None)
        return None
    withdrawal.attempts += 1
    withdrawal.next_call_at = now + pause_after(withdrawal.attempts)
    withdrawal.save(update_fields=["attempts", "next_call_at"])
    return withdrawal


def _find_objection(withdrawal: Withdrawal, *, now: datetime) -> str:
    """Why the money must not leave now, as a code; empty when it may."""
    try:
        require_may_withdraw(member_id=withdrawal.member_id, currency=withdrawal.currency, now=now)
    except Forbidden as error:
        return error.code
    # A sale may have been refunded since: what is on its way would be missing from what is owed.
    owes = get_balances(withdrawal.member_id, withdrawal.currency).debt.amount_minor > 0
    return IN_DEBT if owes else ""


def _call(withdrawal: Withdrawal, *, now: datetime) -> PayoutReport:
    provider = provider_named(withdrawal.provider)
    if withdrawal.provider_id is not None:
        return provider.look_up(withdrawal.id, withdrawal.provider_id, now=now)
    account = BankAccount.objects.get(id=withdrawal.bank_account_id)
    return provider.send(
        PayoutOrder(
            reference=withdrawal.id,
            amount=Money(withdrawal.amount_minor, withdrawal.currency),
            iban=account.iban.reveal(),
            holder_name=account.holder_name.reveal(),
        ),
        now=now,
    )


def sweep_withdrawals(*, now: datetime) -> int:
    """Ring for what is due, and measure what is open. Returns how many it rang for."""
    due = due_withdrawal_ids(now=now, limit=BATCH)
    for withdrawal_id in due:
        ring_for_withdrawal(withdrawal_id)
    for status, number in count_withdrawals_by_status().items():
        metrics.WITHDRAWALS_OPEN.labels(status).set(number)
    oldest = find_oldest_sent_at()
    metrics.OLDEST_SENT_SECONDS.set(0 if oldest is None else (now - oldest).total_seconds())
    return len(due)
