"""The one place that changes a check's status: a row of the lifecycle, and the record of it."""

from __future__ import annotations

from datetime import datetime

import structlog

from dac7 import metrics
from dac7.errors.profiles import CheckNotFound, CheckStatusConflict
from dac7.lifecycle.profiles import CHECK, STAFF, CheckStatus
from dac7.models import CheckEvent, ProfileCheck, TaxProfile
from foundation.lifecycle import UnknownTransition

logger = structlog.get_logger(__name__)


def lock_check(check_id: str) -> ProfileCheck:
    """The row, locked until the transaction ends. Raises CheckNotFound."""
    check = ProfileCheck.objects.select_for_update().filter(id=check_id).first()
    if check is None:
        raise CheckNotFound
    return check


def open_check(
    profile: TaxProfile,
    kind: str,
    *,
    status: CheckStatus,
    now: datetime,
    about: str = "",
    reason: str = "",
    by: str = "preloved",
) -> ProfileCheck:
    """A new check of a locked profile, in the place of the one that stood."""
    check = ProfileCheck.objects.create(
        profile=profile,
        kind=kind,
        about=about,
        status=status,
        reason=reason,
        checked_by=by,
        due_at=now if status == CheckStatus.WAITING else None,
        opened_at=now,
        changed_at=now,
    )
    _record(check, verb="open", source="", actor="system", now=now, reason=reason)
    return check


def move(
    check: ProfileCheck,
    *,
    verb: str,
    actor: str,
    now: datetime,
    actor_id: str = "",
    reason: str = "",
    note: str = "",
) -> None:
    """Change the status of a locked check. Raises CheckStatusConflict."""
    source = check.status
    try:
        row = CHECK.row(source, verb, actor)
    except UnknownTransition:
        raise CheckStatusConflict(
            f"{verb} is not possible while the check is {source}.",
            extra={"allowed_actions": list(CHECK.verbs(source, STAFF))},
        ) from None
    check.status, check.changed_at = row.target, now
    check.reason = reason or check.reason
    check.note = note
    if check.status == CheckStatus.PASSED:
        check.due_at, check.attempts, check.reason = CHECK.due_at(check.status, now), 0, ""
    elif check.status == CheckStatus.WAITING:
        check.due_at = now
    else:
        check.due_at = None
    if check.status == CheckStatus.REPLACED:
        check.is_standing = None
    if actor == STAFF:
        check.checked_by = f"staff:{actor_id}"
    check.save()
    _record(
        check, verb=verb, source=source, actor=actor, actor_id=actor_id, now=now, reason=reason, note=note
    )


def _record(
    check: ProfileCheck,
    *,
    verb: str,
    source: str,
    actor: str,
    now: datetime,
    actor_id: str = "",
    reason: str = "",
    note: str = "",
) -> None:
    CheckEvent.objects.create(
        profile_check=check,
        verb=verb,
        source=source,
        target=check.status,
        actor=actor,
        actor_id=actor_id,
        reason=reason,
        note=note,
        happened_at=now,
    )
    metrics.CHECK_MOVES.labels(check.kind, verb).inc()
    logger.info("tax_check_moved", check_id=check.id, kind=check.kind, verb=verb, status=check.status)
