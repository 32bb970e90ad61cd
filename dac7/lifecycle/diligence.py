"""The life of a request for tax information, from the first letter to the answer.

Annex V, IV.A.2 [R]: after two reminders, but not before 60 days have passed, the operator closes the account
or withholds the consideration. Days between letters are our policy (docs/dac7.md).
"""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from foundation.lifecycle import CLOCK, Lifecycle, Transition, register

MEMBER = "member"
STAFF = "staff"

WAIT = timedelta(days=60)
REMIND_AFTER = timedelta(days=14)
REMIND_AGAIN_AFTER = timedelta(days=17)
WITHHOLD_AFTER = timedelta(days=14)


class RequestStatus(StrEnum):
    """How far a request is."""

    REQUESTED = "requested"
    REMINDED = "reminded"
    REMINDED_AGAIN = "reminded_again"
    WITHHELD = "withheld"
    BARRED = "barred"
    CLOSED = "closed"
    ANSWERED = "answered"
    DROPPED = "dropped"


_S = RequestStatus
OPEN = (_S.REQUESTED, _S.REMINDED, _S.REMINDED_AGAIN, _S.WITHHELD, _S.BARRED, _S.CLOSED)

REQUEST = register(
    Lifecycle(
        "InformationRequest",
        statuses=RequestStatus,
        initial=_S.REQUESTED,
        meanings={
            _S.REQUESTED: "the seller was asked for what is missing",
            _S.REMINDED: "asked again",
            _S.REMINDED_AGAIN: "asked for the last time, with the day from which withdrawals are held",
            _S.WITHHELD: "the seller cannot withdraw until the answer",
            _S.BARRED: "the seller can neither withdraw nor sell until the answer; nothing is on offer",
            _S.CLOSED: "the account is closed until the answer: no selling, buying or withdrawing, also not "
            "by another account of the same person",
            _S.ANSWERED: "nothing is missing; whatever was held was let go in the same moment",
            _S.DROPPED: "staff found that nothing had to be asked; whatever was held was let go",
        },
        transitions=(
            Transition(_S.REQUESTED, "remind", _S.REMINDED, CLOCK, REMIND_AFTER),
            Transition(_S.REMINDED, "remind", _S.REMINDED_AGAIN, CLOCK, REMIND_AGAIN_AFTER),
            Transition(
                _S.REMINDED_AGAIN,
                "withhold",
                _S.WITHHELD,
                CLOCK,
                WITHHOLD_AFTER,
                note="and not before 60 days from the request are over, in local days",
            ),
            Transition(_S.WITHHELD, "bar", _S.BARRED, STAFF, note="selling stops as well; with a reason"),
            Transition(_S.WITHHELD, "close", _S.CLOSED, STAFF, note="with a reason"),
            Transition(_S.BARRED, "close", _S.CLOSED, STAFF, note="with a reason"),
            *(Transition(status, "answer", _S.ANSWERED, MEMBER) for status in OPEN),
            *(Transition(status, "drop", _S.DROPPED, STAFF, note="with a reason") for status in OPEN),
        ),
    )
)


def not_before(requested_at: datetime, time_zone: str) -> datetime:
    """The first instant at which 60 days from the request are over: asked on 1 March, held from 1 May."""
    zone = ZoneInfo(time_zone)
    day = requested_at.astimezone(zone).date() + WAIT + timedelta(days=1)
    return datetime.combine(day, time.min, tzinfo=zone).astimezone(UTC)


def due_at(
    status: RequestStatus, *, requested_at: datetime, now: datetime, time_zone: str
) -> datetime | None:
    """When the clock acts on a request that enters ``status`` at ``now``."""
    due = REQUEST.due_at(status, now)
    if due is not None and status is _S.REMINDED_AGAIN:
        return max(due, not_before(requested_at, time_zone))
    return due


def withheld_from(requested_at: datetime, time_zone: str) -> datetime:
    """The earliest instant at which withdrawals may be held, with letters sent on time."""
    on_time = requested_at + REMIND_AFTER + REMIND_AGAIN_AFTER + WITHHOLD_AFTER
    return max(on_time, not_before(requested_at, time_zone))
