"""Advancing the clock: where to is written down first, then somebody takes it there, stop by stop.

At each stop whatever is due is done before time goes on, so a reminder comes before its deadline, and what
a deadline brings about has its own deadlines in turn. Whoever asked takes it there, and the worker's task
does if that takes too long or the process dies: one at a time, by a lease in real time.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from django.db.models import Q, QuerySet

from foundation import clock, metrics
from foundation.db import atomic_retry
from foundation.errors import FieldProblem
from foundation.ids import new_id
from foundation.models import CLOCK_FURTHEST, SandboxClock
from foundation.sandbox.errors import SandboxClockRefused
from foundation.sandbox.sweepers import Sweeper, first_stop, registered

logger = structlog.get_logger(__name__)

FURTHEST_AT_ONCE = timedelta(days=366)
# Stops are as far apart as the rings of beat: what falls due in between is done together, as it would be.
BETWEEN_STOPS = timedelta(seconds=10)
# Longer than one sweep takes; afterwards somebody else goes on.
LEASE = timedelta(seconds=150)
# A sweeper that always finds something to do must not stop the clock for good.
MOST_PASSES = 100


@dataclass(frozen=True, slots=True)
class ClockFacts:
    """`advancing_to`: None when it stands. `done` and `failed`: by sweepers, while it was last advanced."""

    now: datetime
    ahead: timedelta
    advancing_to: datetime | None
    done: dict[str, int]
    failed: tuple[str, ...]


def get_clock() -> ClockFacts:
    """What the clock shows, and what it is doing."""
    row = SandboxClock.objects.first()
    real_now = clock.real_now()
    if row is None:
        return ClockFacts(real_now, timedelta(0), None, {}, ())
    return ClockFacts(
        now=real_now + clock.learn(row.ahead),
        ahead=row.ahead,
        advancing_to=None if row.is_settled else real_now + row.target,
        done=dict(sorted(row.done.items())),
        failed=tuple(sorted(row.failed)),
    )


@atomic_retry
def set_target(*, by: timedelta | None = None, to: datetime | None = None, asked_by: str) -> None:
    """Write down that the clock shall go on by a duration, or to an instant. Raises SandboxClockRefused.

    While it is being advanced already, it goes as far as the furthest target.
    """
    real_now = clock.real_now()
    SandboxClock.objects.get_or_create(id=1, defaults={"advanced_at": real_now})
    row = SandboxClock.objects.select_for_update().get(id=1)
    target = row.ahead + by if by is not None else (to or real_now) - real_now
    _require_possible(row.ahead, target, pointer="/to" if by is None else "/by")
    if row.is_settled:
        row.done, row.failed = {}, []
    row.target, row.is_settled = max(row.target, target), False
    row.save(update_fields=["target", "is_settled", "done", "failed"])
    logger.info("sandbox_clock_target_set", member_id=asked_by, ahead_s=row.target.total_seconds())


def _require_possible(ahead: timedelta, target: timedelta, *, pointer: str) -> None:
    if target <= ahead:
        problem = FieldProblem(pointer, "goes_only_forward", "The clock shows a later time already.")
    elif target - ahead > FURTHEST_AT_ONCE:
        problem = FieldProblem(pointer, "too_far_at_once", f"At most {FURTHEST_AT_ONCE.days} days.")
    elif target > CLOCK_FURTHEST:
        problem = FieldProblem(
            pointer, "too_far_in_all", f"At most {CLOCK_FURTHEST.days} days ahead of real time."
        )
    else:
        return
    raise SandboxClockRefused(errors=[problem])


def advance(*, seconds: float) -> None:
    """Take the clock towards its target for about so long. Returns at once when somebody else does."""
    owner, until = new_id(), time.monotonic() + seconds
    mine = SandboxClock.objects.filter(id=1, owner=owner)
    if not _claim(owner):
        return
    try:
        while time.monotonic() < until and _sweep_everything(mine, until=until) and not _arrive(mine):
            if not _go_on(mine):
                break
    finally:
        mine.update(owner="", lease_until=None)


def _claim(owner: str) -> bool:
    real_now = clock.real_now()
    free = Q(owner="") | Q(lease_until__lt=real_now)
    rows = SandboxClock.objects.filter(free, id=1, is_settled=False)
    return bool(rows.update(owner=owner, lease_until=real_now + LEASE))


def _arrive(mine: QuerySet[SandboxClock]) -> bool:
    """Whether the clock is where it was to go, and nothing is left to do there."""
    row = mine.filter(is_settled=False).first()
    if row is None or row.ahead < row.target:
        return False
    # Compared once more: somebody may have set a further target in between.
    arrived = mine.filter(ahead=row.target, target=row.target).update(is_settled=True)
    if arrived:
        logger.info("sandbox_clock_advanced", ahead_s=row.ahead.total_seconds(), done=row.done)
    return bool(arrived)


def _go_on(mine: QuerySet[SandboxClock]) -> bool:
    """Move to the next stop. False when somebody else has taken over."""
    row = mine.first()
    if row is None:
        return False
    real_now = clock.real_now()
    here = real_now + row.ahead
    due = first_stop(after=here)
    stop = real_now + row.target if due is None else max(due, here + BETWEEN_STOPS)
    ahead = max(row.ahead, min(stop - real_now, row.target))
    moved = mine.filter(ahead=row.ahead).update(
        ahead=ahead, advanced_at=real_now, lease_until=real_now + LEASE
    )
    if moved:
        clock.learn(ahead)
    return bool(moved)


def _sweep_everything(mine: QuerySet[SandboxClock], *, until: float) -> bool:
    """Do what is due now, and what that brings about. False when the time was up before."""
    # One instant for all passes: who has done everything until then has nothing left to do.
    now = clock.now()
    done: dict[str, int] = {}
    failed: set[str] = set()
    is_whole = False
    for _ in range(MOST_PASSES):
        found = 0
        for sweeper in registered():
            if time.monotonic() > until:
                break
            found += _sweep(sweeper, done, failed, now=now)
        else:
            if found:
                continue
            is_whole = True
        break
    else:
        logger.error("sandbox_sweepers_restless", sweepers=sorted(done))
        is_whole = True
    _report(mine, done, failed)
    return is_whole


def _sweep(sweeper: Sweeper, done: dict[str, int], failed: set[str], *, now: datetime) -> int:
    try:
        found = sweeper.sweep(now=now)
    except Exception as error:  # as beat's tasks: one that fails holds up no other
        logger.exception("sandbox_sweep_failed", sweeper=sweeper.name, error=type(error).__name__)
        metrics.SANDBOX_SWEEPS_FAILED.labels(sweeper.name).inc()
        failed.add(sweeper.name)
        return 0
    if found:
        metrics.SANDBOX_SWEPT.labels(sweeper.name).inc(found)
        done[sweeper.name] = done.get(sweeper.name, 0) + found
    return found


@atomic_retry
def _report(mine: QuerySet[SandboxClock], done: dict[str, int], failed: set[str]) -> None:
    if not done and not failed:
        return
    row = mine.select_for_update().first()
    if row is None:
        return
    row.done = {name: row.done.get(name, 0) + done.get(name, 0) for name in {**row.done, **done}}
    row.failed = sorted({*row.failed, *failed})
    row.save(update_fields=["done", "failed"])
