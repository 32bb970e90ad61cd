"""Support's queue: what a person has to decide or look after, and by when."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import structlog
from django.db import transaction

from foundation.db import atomic_retry
from foundation.ids import new_id
from orders import metrics
from orders.errors import CaseNotFound, InvalidTransition
from orders.models import Case
from orders.queries.cases import count_open_cases

logger = structlog.get_logger(__name__)

ANSWER_WITHIN = {
    Case.Kind.ISSUE: timedelta(days=5),
    Case.Kind.VERIFICATION: timedelta(days=3),
    Case.Kind.PAYMENT_MISMATCH: timedelta(days=1),
    Case.Kind.REFUND_FAILED: timedelta(days=1),
    Case.Kind.CHARGEBACK: timedelta(days=5),
    Case.Kind.LABEL_FAILED: timedelta(days=1),
    Case.Kind.PARCEL_LOST: timedelta(days=3),
}
"""How long each kind may wait for a person; ours."""


@atomic_retry
def open_case(*, kind: str, key: str, order_id: str, now: datetime, note: str = "") -> None:
    """Ask for a person. `key` names the matter: asking again changes nothing. No personal data in `note`."""
    case = Case(
        id=new_id(),
        key=key,
        kind=kind,
        order_id=order_id,
        note=note,
        opened_at=now,
        due_at=now + ANSWER_WITHIN[Case.Kind(kind)],
    )
    if Case.objects.filter(key=key).exists():
        return
    Case.objects.bulk_create([case], ignore_conflicts=True)
    transaction.on_commit(metrics.CASES.labels(kind, "open").inc)
    logger.warning("case_opened", case_id=case.id, kind=kind, order_id=order_id)


@atomic_retry
def resolve_case(*, case_id: str, staff_id: str, resolution: str, now: datetime) -> None:
    """A person has dealt with it and says how. Raises CaseNotFound, InvalidTransition when it was done."""
    case = Case.objects.select_for_update().filter(id=case_id).first()
    if case is None:
        raise CaseNotFound
    if case.resolved_at is not None:
        raise InvalidTransition("It has been resolved.")
    _resolve(case, staff_id, resolution, now=now)


@atomic_retry
def resolve_by_key(*, key: str, staff_id: str | None, resolution: str, now: datetime) -> None:
    """What the matter was about has been decided; nothing when there is no open case of that key."""
    case = Case.objects.select_for_update().filter(key=key, resolved_at__isnull=True).first()
    if case is not None:
        _resolve(case, staff_id, resolution, now=now)


@atomic_retry
def resolve_of_order(
    *, order_id: str, kinds: Sequence[str], staff_id: str, resolution: str, now: datetime
) -> None:
    """What has been decided about an order settles its open cases of these kinds."""
    rows = Case.objects.select_for_update().filter(
        order_id=order_id, kind__in=kinds, resolved_at__isnull=True
    )
    for case in rows.order_by("id"):
        _resolve(case, staff_id, resolution, now=now)


def measure_cases(*, now: datetime) -> None:
    """How many wait for a person, and how many of them longer than they should."""
    for kind, (waiting, overdue) in count_open_cases(now=now).items():
        metrics.CASES_OPEN.labels(kind).set(waiting)
        metrics.CASES_OVERDUE.labels(kind).set(overdue)


def _resolve(case: Case, staff_id: str | None, resolution: str, *, now: datetime) -> None:
    case.resolved_at, case.resolved_by, case.resolution = now, staff_id, resolution
    case.save(force_update=True)
    transaction.on_commit(metrics.CASES.labels(case.kind, "resolve").inc)
    logger.info("case_resolved", case_id=case.id, kind=case.kind, order_id=case.order_id)
