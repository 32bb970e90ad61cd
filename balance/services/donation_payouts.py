"""The one place that changes a settlement's status, and what the bank says of one.

The charity's account is debited when the bank has surely paid; until then the platform owes it the money.
Each round has a reference of its own, since a bank keeps refusing a reference that it refused.
"""

from __future__ import annotations

from datetime import datetime

import structlog
from django.db import connection, transaction

from balance import events, metrics
from balance.chart import Event
from balance.errors import DonationSettlementConflict
from balance.events import NewPosting
from balance.lifecycle import BANK, DONATION_SETTLEMENT, SettlementStatus
from balance.models import CharityAccount, DonationSettlement, DonationSettlementCase, Posting
from balance.providers.contract import Outcome, PayoutReport
from balance.services.posting import post, reverse
from balance.services.reporting import Effect
from foundation.db import atomic_retry
from foundation.ids import ID_LENGTH
from foundation.lifecycle import UnknownTransition
from foundation.money import Money

logger = structlog.get_logger(__name__)

_S = SettlementStatus
_Kind = DonationSettlementCase.Kind
_VERBS = {Outcome.PAID: "pay", Outcome.FAILED: "fail", Outcome.RETURNED: "return"}
# Letters and digits only, 35 at most: what goes with a bank transfer. No id begins with a letter of it.
_PREFIX = "DON"


def reference_of(settlement_id: str, number: int) -> str:
    """What the bank is told in this round."""
    return f"{_PREFIX}{settlement_id}R{number}"


def is_settlement_reference(reference: str) -> bool:
    """Whether it is one of ``reference_of``, rather than a withdrawal's."""
    return reference.startswith(_PREFIX)


def lock_settlement(settlement_id: str, *, waits: bool = True) -> DonationSettlement | None:
    """The row, locked until the transaction ends; with ``waits=False`` None when another holds the lock."""
    skips = not waits and connection.features.has_select_for_update_skip_locked
    return DonationSettlement.objects.select_for_update(skip_locked=skips).filter(id=settlement_id).first()


def amount_of(settlement: DonationSettlement) -> Money:
    """What the charity is paid."""
    return Money(settlement.amount_minor, settlement.currency)


def move(
    settlement: DonationSettlement,
    *,
    verb: str,
    actor: str,
    now: datetime,
    actor_id: str = "",
    reason: str = "",
    note: str = "",
) -> None:
    """Change the status of a locked settlement, post what that means. Raises DonationSettlementConflict."""
    try:
        row = DONATION_SETTLEMENT.row(settlement.status, verb, actor)
    except UnknownTransition:
        raise DonationSettlementConflict(f"{verb} is not possible while it is {settlement.status}.") from None
    source, by = settlement.status, f"{actor}:{actor_id}" if actor_id else "system"
    if row.target == _S.PAID:
        _post_paid(settlement, by, note, now)
    elif source == _S.PAID:
        _post_returned(settlement, by, reason, now)
    settlement.status, settlement.reason = row.target, reason
    if row.target == _S.SENT:
        _begin_round(settlement, now)
    else:
        settlement.next_call_at, settlement.ended_at = None, now
    settlement.save(force_update=True)
    transaction.on_commit(metrics.DONATION_SETTLEMENT_MOVES.labels(verb, actor).inc)
    logger.info(
        "donation_settlement_moved",
        settlement_id=settlement.id,
        verb=verb,
        actor=actor,
        source=source,
        target=settlement.status,
        round=settlement.round,
        reason=reason,
    )
    if row.target == _S.FAILED:
        open_case(settlement, _Kind.FAILED, reason or note, now=now)


def _begin_round(settlement: DonationSettlement, now: datetime) -> None:
    settlement.round += 1
    settlement.reference = reference_of(settlement.id, settlement.round)
    # Fixed for the round: the same reference never goes to two accounts.
    settlement.bank_account = CharityAccount.objects.get(charity_id=settlement.charity_id, is_standing=True)
    settlement.provider_id, settlement.attempts = None, 0
    settlement.sent_at, settlement.next_call_at, settlement.ended_at = now, now, None


def _key(settlement: DonationSettlement, number: int, fact: str) -> str:
    return f"donation_settlement:{settlement.id}:{number}:{fact}"


def _paid_posting(settlement: DonationSettlement, number: int) -> str | None:
    rows = Posting.objects.filter(key=_key(settlement, number, "paid"))
    return rows.values_list("id", flat=True).first()


def _post_paid(settlement: DonationSettlement, by: str, note: str, now: datetime) -> None:
    if _paid_posting(settlement, settlement.round) is not None:
        raise DonationSettlementConflict("It was paid and came back: pay it again instead.")
    post(
        NewPosting(
            key=_key(settlement, settlement.round, "paid"),
            event=Event.DONATIONS_SETTLED,
            lines=events.donations_settled(settlement.charity_id, amount_of(settlement)),
            reference=f"donation_settlement:{settlement.id}",
            actor=by,
            reason=note,
        ),
        now=now,
    )


def _post_returned(settlement: DonationSettlement, by: str, reason: str, now: datetime) -> None:
    posting_id = _paid_posting(settlement, settlement.round)
    if posting_id is None:
        raise AssertionError(f"{settlement.id} is paid without a posting")
    reverse(
        posting_id,
        key=_key(settlement, settlement.round, "returned"),
        event=Event.CORRECTION,
        actor=by,
        reason=reason or "returned",
        now=now,
    )


@atomic_retry
def apply_settlement_report(provider: str, report: PayoutReport, *, now: datetime) -> Effect:
    """Move the settlement to where the report says it is.

    A repeat or old news changes nothing; a contradiction is refused and becomes a case for staff.
    """
    settlement = lock_settlement(report.reference[len(_PREFIX) :][:ID_LENGTH])
    if settlement is None or settlement.provider != provider:
        logger.warning("payout_report_of_nothing", provider=provider, provider_id=report.provider_id)
        effect = Effect.UNKNOWN
    else:
        effect = _apply(settlement, report, now)
    transaction.on_commit(metrics.PAYOUT_REPORTS.labels(provider, effect.value).inc)
    return effect


def _apply(settlement: DonationSettlement, report: PayoutReport, now: datetime) -> Effect:
    asked = amount_of(settlement)
    if report.amount != asked:
        detail = f"asked for {asked}, the bank says {report.amount}"
        return _refuse(settlement, report, _Kind.AMOUNT_MISMATCH, detail, now)
    if report.reference != settlement.reference:
        return _apply_to_former_round(settlement, report, now)
    if settlement.provider_id not in (None, report.provider_id):
        # Ours is still under way or over: what becomes of this one is not what becomes of ours.
        detail = f"another payout under its reference: {report.outcome} {report.amount}"
        return _refuse(settlement, report, _Kind.AMOUNT_MISMATCH, detail, now)
    if settlement.provider_id is None and report.provider_id:
        settlement.provider_id = report.provider_id
        settlement.save(update_fields=["provider_id"])
    if report.outcome is Outcome.PENDING:
        return Effect.NOTED
    if settlement.status == report.outcome.value:
        return Effect.REPEATED
    verb = _VERBS[report.outcome]
    try:
        DONATION_SETTLEMENT.row(settlement.status, verb, BANK)
    except UnknownTransition:
        return _contradicted(settlement, report, now)
    move(settlement, verb=verb, actor=BANK, actor_id=settlement.provider, reason=report.reason, now=now)
    return Effect.APPLIED


def _contradicted(settlement: DonationSettlement, report: PayoutReport, now: datetime) -> Effect:
    if settlement.status == _S.PAID:
        return _refuse(settlement, report, _Kind.FAILED_AFTER_PAID, report.reason, now)
    was_paid = _paid_posting(settlement, settlement.round) is not None
    if report.outcome is Outcome.PAID and not was_paid:
        return _refuse(settlement, report, _Kind.PAID_AFTER_FAILED, report.reason, now)
    return Effect.LATE  # it came back, which we know


def _apply_to_former_round(settlement: DonationSettlement, report: PayoutReport, now: datetime) -> Effect:
    number = report.reference.rpartition("R")[2]
    known = number.isdecimal() and int(number) < settlement.round
    if not known:
        return Effect.UNKNOWN
    if report.outcome is Outcome.PAID and _paid_posting(settlement, int(number)) is None:
        # It failed, was sent again since, and now the first payment is said to have worked.
        return _refuse(settlement, report, _Kind.PAID_AFTER_FAILED, report.reason, now)
    return Effect.LATE


def _refuse(
    settlement: DonationSettlement,
    report: PayoutReport,
    kind: DonationSettlementCase.Kind,
    detail: str,
    now: datetime,
) -> Effect:
    open_case(settlement, kind, detail, now=now, reference=report.reference)
    return Effect.REFUSED


def open_case(
    settlement: DonationSettlement,
    kind: DonationSettlementCase.Kind,
    detail: str,
    *,
    now: datetime,
    reference: str | None = None,
) -> None:
    """Have a person look at it, once for each round and kind. The caller holds the settlement's lock."""
    _, is_new = DonationSettlementCase.objects.get_or_create(
        reference=reference or settlement.reference,
        kind=kind,
        defaults={"settlement_id": settlement.id, "detail": detail[:200], "opened_at": now},
    )
    if is_new:
        transaction.on_commit(metrics.DONATION_SETTLEMENT_CASES.labels(kind.value).inc)
        logger.error("donation_settlement_case_opened", settlement_id=settlement.id, kind=kind.value)
