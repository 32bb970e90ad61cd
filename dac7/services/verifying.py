"""Asking registries, again and again; and what a person decides where something does not fit.

A registry is called outside any transaction. One that does not answer changes nothing but the time of the
next call: silence never reads as "not registered".
"""

from __future__ import annotations

from datetime import datetime, timedelta

import structlog

from dac7 import metrics
from dac7.errors.profiles import ReasonRequired
from dac7.lifecycle.profiles import CLOCK, REGISTRY, STAFF, CheckStatus
from dac7.models import ProfileCheck
from dac7.quarters import local_date
from dac7.queries.profiles import count_pending_checks, due_check_ids
from dac7.registries import vat_registry
from dac7.registries.contract import RegistryUnavailable, VatRegistry
from dac7.services.check_moves import lock_check, move
from dac7.services.diligence import request_information, time_zone_of
from dac7.services.ringing import ring_for_check
from foundation.db import atomic_retry

logger = structlog.get_logger(__name__)

BATCH = 200
FIRST_PAUSE, LONGEST_PAUSE = timedelta(minutes=1), timedelta(hours=12)


def pause_after(attempts: int) -> timedelta:
    """The pause before the next call: doubled each time, twelve hours at most."""
    return min(FIRST_PAUSE * (1 << min(attempts - 1, 20)), LONGEST_PAUSE)


def ask_registry(*, check_id: str, now: datetime, registry: VatRegistry | None = None) -> None:
    """Look up what a due check is about. Safe to call twice, and at the same time."""
    registry = registry or vat_registry()
    number = _begin_call(check_id, now=now)
    if number is None:
        return
    try:
        answer = registry.look_up(number)
    except RegistryUnavailable as error:
        metrics.REGISTRY_CALLS.labels(registry.name, "unavailable").inc()
        logger.warning("registry_unavailable", check_id=check_id, registry=registry.name, why=error.reason)
        return
    outcome = "registered" if answer.is_registered else "unknown"
    metrics.REGISTRY_CALLS.labels(registry.name, outcome).inc()
    _record_answer(check_id, number, answer.is_registered, registry.name, now=now)


@atomic_retry
def _begin_call(check_id: str, *, now: datetime) -> str | None:
    """Claim a due check: the next call is due only after a pause. None when there is nothing to ask."""
    check = ProfileCheck.objects.select_for_update().filter(id=check_id).first()
    if check is None or check.due_at is None or check.due_at > now:
        return None
    if check.status == CheckStatus.PASSED:
        move(check, verb="expire", actor=CLOCK, now=now)
    number = check.profile.vat_number
    if check.kind != ProfileCheck.Kind.VAT or number is None:
        check.due_at = None
        check.save(update_fields=["due_at"])
        return None
    check.attempts += 1
    check.due_at = now + pause_after(check.attempts)
    check.save(update_fields=["attempts", "due_at"])
    return number.reveal()


@atomic_retry
def _record_answer(check_id: str, number: str, is_registered: bool, by: str, *, now: datetime) -> None:
    check = ProfileCheck.objects.select_for_update().filter(id=check_id).first()
    if check is None or check.status != CheckStatus.WAITING:
        return  # answered by a second worker, or replaced meanwhile
    asked_about = check.profile.vat_number
    if asked_about is None or asked_about.reveal() != number:
        return
    check.checked_by = by
    if is_registered:
        move(check, verb="confirm", actor=REGISTRY, now=now)
    else:
        move(check, verb="doubt", actor=REGISTRY, reason="not_registered", now=now)


def sweep_checks(*, now: datetime) -> int:
    """Ring for the checks that are due; how many."""
    due = due_check_ids(now=now, limit=BATCH)
    for check_id in due:
        ring_for_check(check_id)
    metrics.CHECKS_PENDING.set(count_pending_checks())
    return len(due)


def ask_registries(*, now: datetime) -> int:
    """Ask about the checks that are due, here and now; how many. Each is due later after that."""
    due = due_check_ids(now=now, limit=BATCH)
    for check_id in due:
        ask_registry(check_id=check_id, now=now)
    return len(due)


@atomic_retry
def approve_check(*, check_id: str, staff_id: str, note: str, now: datetime) -> None:
    """A person looked and takes it as it is. Raises CheckNotFound, CheckStatusConflict, ReasonRequired."""
    _decide(check_id, "approve", staff_id, note, now)


@atomic_retry
def refuse_check(*, check_id: str, staff_id: str, note: str, now: datetime) -> None:
    """A person looked and it is wrong: the seller owes it again, and is asked. Raises as approve_check."""
    check = _decide(check_id, "refuse", staff_id, note, now)
    year = local_date(now, time_zone_of(now.year)).year
    request_information(member_id=check.profile.member_id, year=year, actor=f"staff:{staff_id}", now=now)


def _decide(check_id: str, verb: str, staff_id: str, note: str, now: datetime) -> ProfileCheck:
    if not note.strip():
        raise ReasonRequired
    check = lock_check(check_id)
    move(check, verb=verb, actor=STAFF, actor_id=staff_id, note=note.strip(), now=now)
    return check
