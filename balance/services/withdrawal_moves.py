"""The one place that changes a withdrawal's status: a row of the lifecycle, the posting, the record of it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import structlog
from django.db import connection, transaction

from balance import events, metrics
from balance.chart import Event
from balance.errors import WithdrawalNotFound, WithdrawalStatusConflict
from balance.events import Line, NewPosting, Share
from balance.lifecycle import MEMBER, OPEN, WITHDRAWAL, WithdrawalStatus
from balance.models import Withdrawal, WithdrawalEvent
from balance.services.posting import post_many
from foundation.lifecycle import UnknownTransition
from foundation.money import Money
from members.services.notices import notify

logger = structlog.get_logger(__name__)

_S = WithdrawalStatus
Fact = tuple[str, Event, Callable[[Share], tuple[Line, ...]]]
_PAID: Fact = ("paid", Event.WITHDRAWAL_PAID, events.withdrawal_paid)
_FAILED: Fact = ("failed", Event.WITHDRAWAL_FAILED, events.withdrawal_failed)
_RETURNED: Fact = ("returned", Event.WITHDRAWAL_RETURNED, events.withdrawal_returned)
_FACTS: dict[tuple[str, str], tuple[Fact, ...]] = {
    (_S.SENT, _S.PAID): (_PAID,),
    (_S.SENT, _S.FAILED): (_FAILED,),
    # What came back must have gone.
    (_S.SENT, _S.RETURNED): (_PAID, _RETURNED),
    (_S.PAID, _S.RETURNED): (_RETURNED,),
    (_S.IN_REVIEW, _S.FAILED): (_FAILED,),
    (_S.IN_REVIEW, _S.CANCELLED): (_FAILED,),
    (_S.REQUESTED, _S.CANCELLED): (_FAILED,),
}
"""What is posted when a withdrawal goes from one status to another; the rest moves no money."""

_NOTICES: dict[str, str] = {
    _S.PAID: "withdrawal.paid",
    _S.FAILED: "withdrawal.failed",
    _S.RETURNED: "withdrawal.returned",
}
"""What the member is told once a withdrawal is there; the rest they did themselves, or is under way."""


def lock_withdrawal(withdrawal_id: str, *, waits: bool = True) -> Withdrawal | None:
    """The row, locked until the transaction ends; with ``waits=False`` None when another holds the lock."""
    skips = not waits and connection.features.has_select_for_update_skip_locked
    return Withdrawal.objects.select_for_update(skip_locked=skips).filter(id=withdrawal_id).first()


def lock_known_withdrawal(withdrawal_id: str) -> Withdrawal:
    """As lock_withdrawal. Raises WithdrawalNotFound."""
    withdrawal = lock_withdrawal(withdrawal_id)
    if withdrawal is None:
        raise WithdrawalNotFound
    return withdrawal


def move(
    withdrawal: Withdrawal,
    *,
    verb: str,
    actor: str,
    now: datetime,
    actor_id: str = "",
    reason: str = "",
    note: str = "",
) -> None:
    """Change the status of a locked withdrawal and post what that means. Raises WithdrawalStatusConflict."""
    try:
        row = WITHDRAWAL.row(withdrawal.status, verb, actor)
    except UnknownTransition:
        raise WithdrawalStatusConflict(
            f"{verb} is not possible while the withdrawal is {withdrawal.status}.",
            extra={"allowed_actions": list(WITHDRAWAL.verbs(withdrawal.status, MEMBER))},
        ) from None
    source = withdrawal.status
    by = f"{actor}:{actor_id}" if actor_id else "system"
    facts = _FACTS.get((source, row.target), ())
    if facts:
        post_many([_posting(withdrawal, fact, by, note or reason) for fact in facts], now=now)
    withdrawal.status = row.target
    withdrawal.reason = reason
    if row.target not in (_S.REQUESTED, _S.SENT):
        withdrawal.next_call_at = None
    elif row.target == _S.REQUESTED:
        withdrawal.next_call_at = now
    if row.target == _S.SENT:
        withdrawal.sent_at = now
    if row.target not in OPEN:
        withdrawal.ended_at = now
    withdrawal.save(force_update=True)
    record(withdrawal, verb, source, actor, now=now, actor_id=actor_id, reason=reason, note=note)


def record(
    withdrawal: Withdrawal,
    verb: str,
    source: str,
    actor: str,
    *,
    now: datetime,
    actor_id: str = "",
    reason: str = "",
    note: str = "",
) -> None:
    """Write down what happened, count it, log it and tell the member of its end."""
    WithdrawalEvent.objects.create(
        withdrawal_id=withdrawal.id,
        verb=verb,
        source=source,
        target=withdrawal.status,
        actor=actor,
        actor_id=actor_id,
        reason=reason,
        note=note,
        happened_at=now,
    )
    if kind := _NOTICES.get(withdrawal.status):
        notify(
            member_id=withdrawal.member_id,
            kind=kind,
            params={
                "withdrawal_id": withdrawal.id,
                "amount": Money(withdrawal.amount_minor, withdrawal.currency),
            },
            subject=f"withdrawal:{withdrawal.id}",
            key=f"withdrawal:{withdrawal.id}:{withdrawal.status}",
            now=now,
        )
    transaction.on_commit(metrics.WITHDRAWAL_MOVES.labels(verb, actor).inc)
    logger.info(
        "withdrawal_moved",
        withdrawal_id=withdrawal.id,
        verb=verb,
        actor=actor,
        source=source,
        target=withdrawal.status,
        reason=reason,
    )


def _posting(withdrawal: Withdrawal, fact: Fact, by: str, reason: str) -> NewPosting:
    name, event, lines_of = fact
    amount = Money(withdrawal.amount_minor, withdrawal.currency)
    return NewPosting(
        key=f"withdrawal:{withdrawal.id}:{name}",
        event=event,
        lines=lines_of(Share(withdrawal.member_id, amount)),
        reference=f"withdrawal:{withdrawal.id}",
        actor=by,
        reason=reason,
    )
