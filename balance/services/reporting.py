"""What the bank says of a withdrawal: by answer, by callback, in any order and as often as it likes."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

import structlog
from django.db import transaction

from balance import metrics
from balance.chart import AccountKind, of_member
from balance.lifecycle import BANK, WITHDRAWAL, WithdrawalStatus
from balance.models import LedgerAccount, Withdrawal, WithdrawalCase
from balance.providers.contract import Outcome, PayoutReport
from balance.services.withdrawal_moves import lock_withdrawal, move
from foundation.db import atomic_retry
from foundation.lifecycle import UnknownTransition
from foundation.money import Money

logger = structlog.get_logger(__name__)

_S = WithdrawalStatus
_Kind = WithdrawalCase.Kind
_VERBS = {Outcome.PAID: "pay", Outcome.FAILED: "fail", Outcome.RETURNED: "return"}
_NOT_SENT = (_S.REQUESTED, _S.IN_REVIEW)
_CONTRADICTIONS = {
    (_S.PAID, "fail"): _Kind.FAILED_AFTER_PAID,
    (_S.FAILED, "pay"): _Kind.PAID_AFTER_FAILED,
    (_S.FAILED, "return"): _Kind.PAID_AFTER_FAILED,
    (_S.CANCELLED, "pay"): _Kind.PAID_AFTER_FAILED,
    (_S.CANCELLED, "return"): _Kind.PAID_AFTER_FAILED,
}


class Effect(StrEnum):
    """What a report did."""

    APPLIED = "applied"
    NOTED = "noted"
    REPEATED = "repeated"
    LATE = "late"
    REFUSED = "refused"
    UNKNOWN = "unknown"


@atomic_retry
def apply_report(provider: str, report: PayoutReport, *, now: datetime) -> Effect:
    """Move the withdrawal to where the report says it is.

    A repeat or old news changes nothing; a contradiction is refused and becomes a case for staff.
    """
    withdrawal = lock_withdrawal(report.reference)
    if withdrawal is None or withdrawal.provider != provider or withdrawal.status in _NOT_SENT:
        logger.warning("payout_report_of_nothing", provider=provider, provider_id=report.provider_id)
        effect = Effect.UNKNOWN
    else:
        effect = _apply(withdrawal, report, now)
    transaction.on_commit(metrics.PAYOUT_REPORTS.labels(provider, effect.value).inc)
    return effect


def _apply(withdrawal: Withdrawal, report: PayoutReport, now: datetime) -> Effect:
    asked = Money(withdrawal.amount_minor, withdrawal.currency)
    if withdrawal.provider_id not in (None, report.provider_id):
        # Ours is still under way or over: what becomes of this one must not give the money back.
        detail = f"another payout under its reference: {report.outcome} {report.amount}"
        return _open_case(withdrawal, _Kind.AMOUNT_MISMATCH, now, detail, report.outcome)
    if report.amount != asked:
        detail = f"asked for {asked}, the bank says {report.amount}"
        return _open_case(withdrawal, _Kind.AMOUNT_MISMATCH, now, detail, report.outcome)
    if withdrawal.provider_id is None and report.provider_id:
        withdrawal.provider_id = report.provider_id
        withdrawal.save(update_fields=["provider_id"])
    if report.outcome is Outcome.PENDING:
        return Effect.NOTED
    verb = _VERBS[report.outcome]
    if withdrawal.status == report.outcome.value:
        return Effect.REPEATED
    try:
        WITHDRAWAL.row(withdrawal.status, verb, BANK)
    except UnknownTransition:
        kind = _CONTRADICTIONS.get((_S(withdrawal.status), verb))
        # Old news otherwise: it was paid, we know that it came back since.
        if kind is None:
            return Effect.LATE
        return _open_case(withdrawal, kind, now, report.reason, report.outcome)
    move(withdrawal, verb=verb, actor=BANK, actor_id=withdrawal.provider, reason=report.reason, now=now)
    return Effect.APPLIED


def _open_case(
    withdrawal: Withdrawal, kind: WithdrawalCase.Kind, now: datetime, detail: str, outcome: Outcome
) -> Effect:
    known = WithdrawalCase.objects.filter(withdrawal_id=withdrawal.id, kind=kind).exists()
    if not known:
        WithdrawalCase.objects.create(withdrawal_id=withdrawal.id, kind=kind, detail=detail, opened_at=now)
        transaction.on_commit(metrics.WITHDRAWAL_CASES.labels(kind.value).inc)
        logger.error("withdrawal_case_opened", withdrawal_id=withdrawal.id, kind=kind.value)
        if kind is _Kind.PAID_AFTER_FAILED and outcome is Outcome.PAID:
            _freeze(withdrawal, now)
    return Effect.REFUSED


def _freeze(withdrawal: Withdrawal, now: datetime) -> None:
    # The member has the money twice: it stays here until a person has looked.
    account = of_member(withdrawal.member_id, AccountKind.AVAILABLE, withdrawal.currency).id
    if LedgerAccount.objects.filter(id=account, frozen_at__isnull=True).update(frozen_at=now):
        logger.error("account_frozen", account=account)
