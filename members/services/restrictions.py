"""What a member may not do for a while. Set from above (moderation, dac7), where alone is known why."""

from __future__ import annotations

import datetime as dt
import re

import structlog

from foundation.db import atomic_retry
from foundation.errors import FieldProblem
from members import metrics
from members.errors import InvalidRestriction, MemberNotFound, RestrictionNotFound
from members.models import Member, Restriction
from members.services.notices import notify

logger = structlog.get_logger(__name__)

_REASON = re.compile(r"[a-z][a-z0-9_]{1,39}")
_SOURCE = re.compile(r"[a-z0-9_]{1,20}:[\x21-\x7e]{1,59}")


@atomic_retry
def restrict(
    *,
    member_id: str,
    capability: str,
    reason: str,
    source: str,
    now: dt.datetime,
    until: dt.datetime | None = None,
) -> str:
    """Set a restriction from `now`, return its id.

    Per member, capability and source at most one stands: said again, the standing one gets the new
    reason and end, so the call is safe to repeat. `reason` is a code such as
    "tax_details_missing", `source` an opaque reference such as "dac7:2026" or "staff:<id>".
    Raises MemberNotFound, InvalidRestriction.
    """
    problems = []
    if capability not in Restriction.Capability.values:
        problems.append(FieldProblem("/capability", "unknown_capability", "sell, buy or withdraw."))
    if not _REASON.fullmatch(reason):
        problems.append(FieldProblem("/reason", "not_a_code", "Lower case, digits and _, at most 40."))
    if not _SOURCE.fullmatch(source):
        problems.append(FieldProblem("/source", "not_a_reference", "who:what, ascii, at most 80 characters."))
    if until is not None and until <= now:
        problems.append(FieldProblem("/until", "ends_before_start", "Must lie in the future."))
    if problems:
        raise InvalidRestriction(errors=problems)

    def start() -> Restriction:
        standing = Restriction.objects.create(
            member_id=member_id,
            capability=capability,
            reason=reason,
            source=source,
            since_at=now,
            until_at=until,
        )
        _tell_restricted(standing, now=now)
        return standing

    # The lock orders two sources that act at once, and is the fence for the unique constraint.
    if not Member.objects.select_for_update().filter(id=member_id).exists():
        raise MemberNotFound
    standing = Restriction.objects.filter(
        member_id=member_id, capability=capability, source=source, is_standing=True
    ).first()
    if standing is None:
        standing = start()
    elif standing.until_at is not None and standing.until_at <= now:
        # It ran out by itself: keep it as history and start a new one.
        _end(standing, at=standing.until_at, by="clock")
        standing = start()
    else:
        Restriction.objects.filter(id=standing.id).update(reason=reason, until_at=until)
    metrics.RESTRICTIONS.labels(capability, "set").inc()
    logger.info("member_restricted", member_id=member_id, capability=capability, reason=reason, source=source)
    return str(standing.id)


@atomic_retry
def lift(*, restriction_id: str, lifted_by: str, now: dt.datetime) -> bool:
    """Lift a restriction; False when it was lifted before. `lifted_by` is a reference like `source`.

    Raises RestrictionNotFound, InvalidRestriction.
    """
    if not _SOURCE.fullmatch(lifted_by):
        raise InvalidRestriction(
            errors=[FieldProblem("/lifted_by", "not_a_reference", "who:what, ascii, at most 80 characters.")]
        )
    restriction = Restriction.objects.filter(id=restriction_id).first()
    if restriction is None:
        raise RestrictionNotFound
    if not _end(restriction, at=now, by=lifted_by):
        return False
    notify(
        member_id=restriction.member_id,
        kind="account.restriction_lifted",
        params={"capability": restriction.capability},
        subject=f"restriction:{restriction.id}",
        key=f"restriction:{restriction.id}:lifted",
        now=now,
    )
    metrics.RESTRICTIONS.labels(restriction.capability, "lifted").inc()
    logger.info("restriction_lifted", restriction_id=restriction_id, lifted_by=lifted_by)
    return True


def _tell_restricted(restriction: Restriction, *, now: dt.datetime) -> None:
    """Once, at the start: a changed reason or end is shown where the restriction is."""
    params: dict[str, object] = {"capability": restriction.capability}
    if restriction.until_at is not None:
        params["until"] = restriction.until_at
    notify(
        member_id=restriction.member_id,
        kind="account.restricted" if restriction.until_at is None else "account.restricted_until",
        params=params,
        subject=f"restriction:{restriction.id}",
        key=f"restriction:{restriction.id}:set",
        now=now,
    )


def _end(restriction: Restriction, *, at: dt.datetime, by: str) -> bool:
    # Compare-and-set: of two who lift it at once one is recorded.
    return bool(
        Restriction.objects.filter(id=restriction.id, is_standing=True).update(
            is_standing=None, lifted_at=at, lifted_by=by
        )
    )
