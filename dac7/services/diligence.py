"""Asking sellers for what is missing: request, two reminders, withholding, closing, and letting go.

The row of the request is locked before anything else of it, so of an answer and the clock one comes first; an
answer after withholding lifts it in the same transaction.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Protocol

import structlog
from django.conf import settings
from django.db import connection, transaction

from dac7 import metrics
from dac7.errors.diligence import InformationRequestMoved, InformationRequestNotFound
from dac7.lifecycle.diligence import MEMBER, OPEN, REQUEST, STAFF, RequestStatus, due_at, withheld_from
from dac7.models import ClosedAccount, DiligenceEvent, InformationRequest
from dac7.quarters import local_date
from dac7.queries.diligence import count_open_requests
from dac7.queries.profiles import list_tax_subjects
from dac7.states import rules_of
from foundation.db import atomic_retry
from foundation.ids import new_id
from foundation.lifecycle import CLOCK, UnknownTransition
from members.models import Member
from members.queries import list_restrictions
from members.services.notices import notify
from members.services.restrictions import lift, restrict

logger = structlog.get_logger(__name__)

BATCH = 100
MOST_BATCHES = 50  # of one sweep; a worker's task is not to run for ever
REASON = "tax_information_required"

_NOTICES = {
    RequestStatus.REQUESTED: "tax.information_requested",
    RequestStatus.REMINDED: "tax.information_reminded",
    RequestStatus.REMINDED_AGAIN: "tax.information_reminded_again",
    RequestStatus.WITHHELD: "tax.withdrawals_held",
    RequestStatus.BARRED: "tax.selling_stopped",
    RequestStatus.CLOSED: "tax.account_closed",
    RequestStatus.ANSWERED: "tax.information_complete",
}
_WITH_DAY = (RequestStatus.REQUESTED, RequestStatus.REMINDED, RequestStatus.REMINDED_AGAIN)


class Decide(Protocol):
    """What staff may do with a request."""

    def __call__(self, *, request_id: str, staff_id: str, note: str, now: datetime) -> None: ...


def is_missing(member_id: str) -> bool:
    """Whether the seller still owes information."""
    subject = list_tax_subjects([member_id]).get(member_id)
    return subject is None or not subject.is_complete


@atomic_retry
def request_information(*, member_id: str, year: int, actor: str, now: datetime) -> str | None:
    """Ask for what is missing; gives the request's id, or None when nothing is missing.

    An open request stays as it is. One that staff dropped is not asked again for the same year by the clock.
    """
    # The lock orders two that ask at once.
    Member.objects.select_for_update().get(id=member_id)
    known = InformationRequest.objects.filter(member_id=member_id, is_open=True).first()
    if known is not None:
        return str(known.id)
    dropped = InformationRequest.objects.filter(member_id=member_id, year=year, status=RequestStatus.DROPPED)
    if not is_missing(member_id) or (actor == CLOCK and dropped.exists()):
        return None
    request = InformationRequest(
        id=new_id(), member_id=member_id, year=year, status=RequestStatus.REQUESTED.value, requested_at=now
    )
    request.due_at = due_at(RequestStatus.REQUESTED, requested_at=now, now=now, time_zone=time_zone_of(year))
    request.save(force_insert=True)
    _write(request, verb="request", source="", actor=actor, now=now, note="")
    return str(request.id)


@atomic_retry
def information_given(*, member_id: str, now: datetime) -> bool:
    """Called when nothing is missing any more: lets go at once. False when nothing had been asked."""
    request = InformationRequest.objects.select_for_update().filter(member_id=member_id, is_open=True).first()
    if request is None:
        return False
    _move(request, "answer", MEMBER, actor_reference=f"member:{member_id}", now=now)
    return True


@atomic_retry
def bar_selling(*, request_id: str, staff_id: str, note: str, now: datetime) -> None:
    """Stop selling as well. Raises InformationRequestNotFound, InformationRequestMoved."""
    _move(_locked(request_id), "bar", STAFF, actor_reference=f"staff:{staff_id}", now=now, note=note)


@atomic_retry
def close_account(*, request_id: str, staff_id: str, note: str, now: datetime) -> None:
    """Close the account until the answer; other accounts of the person are found by ``closing``.

    Raises InformationRequestNotFound, InformationRequestMoved.
    """
    _move(_locked(request_id), "close", STAFF, actor_reference=f"staff:{staff_id}", now=now, note=note)


@atomic_retry
def close_another(*, request_id: str, member_id: str, found_by: str, now: datetime) -> bool:
    """Close another account of the person as well; False when it is, or the request was answered."""
    request = _locked(request_id)
    if request.status != RequestStatus.CLOSED:
        return False
    if not _close(request, member_id, ClosedAccount.FoundBy(found_by), now):
        return False
    record(
        member_id=member_id,
        year=request.year,
        verb="close",
        actor=CLOCK,
        now=now,
        notice="tax.account_closed",
        params={},
        key=f"tax:{request.id}:closed",
        request=request,
        note=f"Found by {found_by}",
    )
    return True


@atomic_retry
def drop_request(*, request_id: str, staff_id: str, note: str, now: datetime) -> None:
    """Nothing had to be asked. Raises InformationRequestNotFound, InformationRequestMoved."""
    _move(_locked(request_id), "drop", STAFF, actor_reference=f"staff:{staff_id}", now=now, note=note)


def sweep_requests(*, now: datetime) -> int:
    """Remind and withhold what is due, in batches that several workers may do at once; returns how many."""
    moved = 0
    for _ in range(MOST_BATCHES):
        done = _move_due(now=now)
        moved += done
        if done < BATCH:
            break
    for status, number in count_open_requests().items():
        metrics.REQUESTS_OPEN.labels(status).set(number)
    return moved


@atomic_retry
def _move_due(*, now: datetime) -> int:
    skips = connection.features.has_select_for_update_skip_locked
    due = InformationRequest.objects.filter(due_at__lte=now).order_by("due_at", "id")
    # What another worker, or an answer, has in hand is left to it.
    requests = list(due.select_for_update(skip_locked=skips)[:BATCH])
    subjects = list_tax_subjects([request.member_id for request in requests])
    for request in requests:
        subject = subjects.get(request.member_id)
        if subject is not None and subject.is_complete:
            # Answered, but nobody rang: a seller is never held for what was given.
            _move(request, "answer", MEMBER, actor_reference=CLOCK, now=now)
            continue
        row = REQUEST.clock_row(request.status)
        if row is not None:
            _move(request, row.verb, CLOCK, actor_reference=CLOCK, now=now)
    return len(requests)


def _locked(request_id: str) -> InformationRequest:
    request = InformationRequest.objects.select_for_update().filter(id=request_id).first()
    if request is None:
        raise InformationRequestNotFound(f"There is no request {request_id}.")
    return request


def _move(
    request: InformationRequest, verb: str, actor: str, *, actor_reference: str, now: datetime, note: str = ""
) -> None:
    source = request.status
    try:
        target = RequestStatus(REQUEST.row(source, verb, actor).target)
    except UnknownTransition as fault:
        raise InformationRequestMoved(f"It is {source}.", extra={"status": source}) from fault
    request.status = target.value
    request.due_at = due_at(
        target, requested_at=request.requested_at, now=now, time_zone=time_zone_of(request.year)
    )
    if target not in OPEN:
        request.is_open, request.ended_at = None, now
    _restrict(request, target, now)
    request.save(
        update_fields=["status", "due_at", "is_open", "ended_at", "withdrawals_held_by", "selling_stopped_by"]
    )
    _write(request, verb=verb, source=source, actor=actor_reference, now=now, note=note)


def _restrict(request: InformationRequest, target: RequestStatus, now: datetime) -> None:
    if target is RequestStatus.WITHHELD:
        request.withdrawals_held_by = _hold(request, request.member_id, "withdraw", now)
    elif target is RequestStatus.BARRED:
        request.selling_stopped_by = _hold(request, request.member_id, "sell", now)
    elif target is RequestStatus.CLOSED:
        _close(request, request.member_id, ClosedAccount.FoundBy.ASKED, now)
    elif target not in OPEN:
        _let_go(request, now)


def _hold(request: InformationRequest, member_id: str, capability: str, now: datetime) -> str:
    return restrict(
        member_id=member_id, capability=capability, reason=REASON, source=f"dac7:{request.id}", now=now
    )


def _close(
    request: InformationRequest, member_id: str, found_by: ClosedAccount.FoundBy, now: datetime
) -> bool:
    _, is_new = ClosedAccount.objects.get_or_create(
        request=request, member_id=member_id, defaults={"found_by": found_by, "closed_at": now}
    )
    if is_new:
        for capability in ("withdraw", "sell", "buy"):
            _hold(request, member_id, capability, now)
    return is_new


def _let_go(request: InformationRequest, now: datetime) -> None:
    """Everything that this request holds, of every account."""
    source = f"dac7:{request.id}"
    held = {request.withdrawals_held_by, request.selling_stopped_by} - {None}
    closed = ClosedAccount.objects.filter(request=request, opened_at__isnull=True)
    for member_id in closed.values_list("member_id", flat=True):
        held |= {one.id for one in list_restrictions(member_id, now=now) if one.source == source}
    for restriction_id in sorted(filter(None, held)):
        lift(restriction_id=restriction_id, lifted_by=source, now=now)
    closed.update(opened_at=now)


def _write(
    request: InformationRequest, *, verb: str, source: str, actor: str, now: datetime, note: str
) -> None:
    status = RequestStatus(request.status)
    notice, params = _NOTICES.get(status, ""), dict[str, Any]()
    if status in _WITH_DAY:
        time_zone = time_zone_of(request.year)
        first = request.due_at if status is RequestStatus.REMINDED_AGAIN else None
        params["day"] = local_date(first or withheld_from(request.requested_at, time_zone), time_zone)
    record(
        member_id=request.member_id,
        year=request.year,
        verb=verb,
        actor=actor,
        now=now,
        notice=notice,
        params=params,
        key=f"tax:{request.id}:{status.value}",
        request=request,
        source=source,
        note=note,
    )


def record(
    *,
    member_id: str,
    year: int,
    verb: str,
    actor: str,
    now: datetime,
    notice: str,
    params: Mapping[str, Any],
    key: str,
    request: InformationRequest | None = None,
    source: str = "",
    note: str = "",
) -> None:
    """One line of the log, and the notice that it tells of (``notice`` empty: none). Inside a transaction."""
    if notice:
        subject = f"tax:{year}" if request is None else f"tax:{request.id}"
        notify(member_id=member_id, kind=notice, params=params, subject=subject, key=key, now=now)
    DiligenceEvent.objects.create(
        member_id=member_id,
        request=request,
        year=year,
        verb=verb,
        source=source,
        target="" if request is None else request.status,
        actor=actor,
        happened_at=now,
        notice=notice,
        notice_params={name: str(value) for name, value in params.items()},
        note=note,
    )

    def tell() -> None:
        metrics.REQUEST_MOVES.labels(verb, actor.partition(":")[0]).inc()
        logger.info("tax_diligence", verb=verb, member_id=member_id, year=year, actor=actor, notice=notice)

    transaction.on_commit(tell)


def time_zone_of(year: int) -> str:
    """The operator's."""
    return rules_of(settings.DAC7_OPERATOR_STATE, year).time_zone
