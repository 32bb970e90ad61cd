"""Money set aside for one purpose: place, then capture or release, or else the clock gives it back.

The row of the hold is locked before the accounts, so of a capture, a release and the clock one wins, and the
others find the hold ended. All of it may run inside the caller's transaction.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

import structlog
from django.db import transaction

from balance import events, metrics
from balance.chart import MAX_MINOR, Account, AccountKind, Event, of_member
from balance.errors import HoldNotActive, HoldNotFound, InvalidAmount, PostingKeyReused
from balance.events import NewPosting, Posted, Share
from balance.lifecycle import CALLER, HOLD, HoldStatus
from balance.models import Hold
from balance.queries.holds import HoldFacts, find_hold, hold_facts
from balance.services.blocks import require_may_spend
from balance.services.posting import post, post_many
from foundation.db import atomic_retry
from foundation.errors import DomainError
from foundation.ids import new_id
from foundation.lifecycle import CLOCK, UnknownTransition
from foundation.money import Money

logger = structlog.get_logger(__name__)

BATCH = 100
MOST_BATCHES = 50  # of one sweep; a worker's task is not to run for ever


@atomic_retry
def place_hold(
    *,
    key: str,
    member_id: str,
    amount: Money,
    reference: str,
    now: datetime,
    expires_at: datetime | None = None,
) -> HoldFacts:
    """Set aside part of what is available, until ``expires_at`` (default: the lifecycle's 15 minutes).

    ``key`` names the purpose: placing it again changes nothing and answers the hold as it is now. Raises
    InsufficientFunds (also for a debt), InvalidAmount, PostingKeyReused when the key was used for another
    amount, member or reference, MemberRestricted and AccountFrozen. ``expires_at`` must be after ``now``.
    """
    until = expires_at or HOLD.due_at(HoldStatus.ACTIVE, now)
    if until is None or until <= now:
        raise ValueError("a hold ends after it starts")
    if not 0 < amount.amount_minor <= MAX_MINOR:
        raise InvalidAmount(f"{amount.amount_minor} is no amount to set aside.")
    if (known := find_hold(key)) is not None:
        if (known.member_id, known.amount, known.reference) != (member_id, amount, reference):
            raise PostingKeyReused(f"{key} was set aside with another content.")
        return known
    require_may_spend(member_id=member_id, currency=amount.currency, now=now)
    posted = post(
        NewPosting(
            key=f"hold:{key}:placed",
            event=Event.HOLD_PLACED,
            lines=events.hold_placed(Share(member_id, amount)),
            reference=reference,
            actor=f"member:{member_id}",
        ),
        now=now,
    )
    if posted.replayed:
        # Another request placed it since we looked; its transaction is over, so the row is there.
        return hold_facts(Hold.objects.get(key=key))
    hold = Hold.objects.create(
        id=new_id(),
        member_id=member_id,
        key=key,
        currency=amount.currency,
        amount_minor=amount.amount_minor,
        reference=reference,
        status=HoldStatus.ACTIVE.value,
        placed_at=now,
        expires_at=until,
        due_at=until,
    )
    _say("placed", hold)
    return hold_facts(hold)


@atomic_retry
def capture_hold(*, key: str, posting: NewPosting, now: datetime) -> Posted:
    """Record ``posting``, whose lines take from the member's held account what was set aside, or a part.

    What is left of it becomes available again in the same posting. The same capture again changes nothing.
    Raises HoldNotFound, HoldNotActive, and what ``post`` raises; ValueError when the lines take nothing from
    the held account, or more than this hold: the rest of that account belongs to other purposes.
    """
    hold = _locked(key)
    held = _held(hold)
    taken = sum(line.amount.amount_minor for line in posting.lines if line.debit == held)
    if not 0 < taken <= hold.amount_minor:
        raise ValueError(f"{posting.key} takes {taken} of the {hold.amount_minor} held under {key}")
    rest = Money(hold.amount_minor - taken, hold.currency)
    whole = replace(posting, lines=(*posting.lines, *events.hold_released(Share(hold.member_id, rest))))
    if hold.status == HoldStatus.CAPTURED and hold.ended_by == posting.key:
        return post(whole, now=now)
    target = _target(hold, "capture", CALLER)
    posted = post(whole, now=now)
    _end(hold, target, posting.key, now=now, captured_minor=taken)
    return posted


@atomic_retry
def release_hold(*, key: str, actor: str, now: datetime, reason: str = "") -> HoldFacts:
    """Give all of it back. Released or expired already: nothing to do. Raises HoldNotFound, HoldNotActive."""
    hold = _locked(key)
    if hold.status in (HoldStatus.RELEASED, HoldStatus.EXPIRED):
        return hold_facts(hold)
    target = _target(hold, "release", CALLER)
    posting = replace(_release(hold), actor=actor, reason=reason)
    post(posting, now=now)
    _end(hold, target, posting.key, now=now)
    return hold_facts(hold)


def expire_holds(*, now: datetime) -> int:
    """Give back what is due, in batches that several workers may do at once; returns how many.

    A hold whose batch fails is tried by itself; one that fails again is logged, counted and left for the
    next sweep, so that it holds up nobody else.
    """
    expired, stuck = 0, list[str]()
    for _ in range(MOST_BATCHES):
        before = expired + len(stuck)
        try:
            expired += _expire_due(now=now, without=stuck, limit=BATCH)
        except DomainError:
            for hold_id in _due_ids(now=now, without=stuck):
                try:
                    expired += _expire_due(now=now, only=hold_id, limit=1)
                except DomainError as error:
                    stuck.append(hold_id)
                    metrics.HOLDS_STUCK.inc()
                    logger.error("hold_not_expired", hold_id=hold_id, code=error.code)
        if expired + len(stuck) == before:
            break
    return expired


def _due_ids(*, now: datetime, without: Sequence[str]) -> list[str]:
    due = Hold.objects.filter(due_at__lte=now).exclude(id__in=without).order_by("due_at", "id")
    return list(due.values_list("id", flat=True)[:BATCH])


@atomic_retry
def _expire_due(*, now: datetime, limit: int, without: Sequence[str] = (), only: str | None = None) -> int:
    due = Hold.objects.filter(due_at__lte=now).exclude(id__in=without).order_by("due_at", "id")
    if only is not None:
        due = due.filter(id=only)
    # What another worker, or a capture, has in hand is left to it.
    holds = list(due.select_for_update(skip_locked=True)[:limit])
    if not holds:
        return 0
    post_many([_release(hold) for hold in holds], now=now)
    for hold in holds:
        _end(hold, _target(hold, "expire", CLOCK), _release(hold).key, now=now)
    return len(holds)


def _locked(key: str) -> Hold:
    hold = Hold.objects.select_for_update().filter(key=key).first()
    if hold is None:
        raise HoldNotFound(f"Nothing is set aside under {key}.")
    return hold


def _held(hold: Hold) -> Account:
    return of_member(hold.member_id, AccountKind.HELD, hold.currency)


def _target(hold: Hold, verb: str, actor: str) -> str:
    try:
        return HOLD.row(hold.status, verb, actor).target
    except UnknownTransition:
        raise HoldNotActive(f"It is {hold.status}.", extra={"status": hold.status}) from None


def _release(hold: Hold) -> NewPosting:
    """One key for release and expiry: money goes back once, whoever asks for it."""
    return NewPosting(
        key=f"hold:{hold.key}:released",
        event=Event.HOLD_RELEASED,
        lines=events.hold_released(Share(hold.member_id, Money(hold.amount_minor, hold.currency))),
        reference=hold.reference,
        actor="system",
    )


def _end(hold: Hold, target: str, ended_by: str, *, now: datetime, captured_minor: int = 0) -> None:
    hold.status, hold.ended_by, hold.ended_at, hold.due_at = target, ended_by, now, None
    hold.captured_minor = captured_minor
    hold.save(update_fields=["status", "ended_by", "ended_at", "due_at", "captured_minor"])
    _say(target, hold)


def _say(outcome: str, hold: Hold) -> None:
    def committed() -> None:
        metrics.HOLDS.labels(outcome).inc()
        logger.info(
            "hold_changed",
            outcome=outcome,
            hold_id=hold.id,
            member_id=hold.member_id,
            reference=hold.reference,
        )

    transaction.on_commit(committed)
