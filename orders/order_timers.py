"""When the clock acts on an order, and when somebody is reminded. Pure."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

from orders.calendars import end_of_working_day
from orders.lifecycle import OrderStatus

_S = OrderStatus
GRACE_WORKING_DAYS = 2
"""For the carrier's first scan, once the seller says that the parcel is handed over."""
RETURN_TRAVELS_FOR = dt.timedelta(days=14)
SEND_AFTER_REFUSAL = dt.timedelta(hours=24)
"""The least that is left to send after a refused cancellation: the seller did not ask to wait."""

REMINDERS: Mapping[str, tuple[dt.timedelta, ...]] = {
    _S.PAID: (dt.timedelta(hours=48), dt.timedelta(hours=24)),
    _S.CANCEL_REQUESTED: (dt.timedelta(hours=24),),
    _S.DELIVERED: (dt.timedelta(hours=24),),
    _S.ISSUE_OPEN: (dt.timedelta(days=3), dt.timedelta(days=1)),
    _S.RETURN_PENDING: (dt.timedelta(hours=48), dt.timedelta(hours=24)),
}
"""How long before the deadline of a status somebody is reminded of it."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where working days are counted."""

    country: str
    time_zone: str


def due_after(
    status: str,
    *,
    timers: Mapping[str, int],
    now: dt.datetime,
    ship_by_at: dt.datetime | None,
    buyer_place: Place | None = None,
) -> dt.datetime | None:
    """When the clock acts on an order that enters `status` now; None where it does not.

    `buyer_place` is needed for a return, which the buyer has to send.
    """
    match status:
        case _S.PENDING_PAYMENT:
            return now + dt.timedelta(minutes=timers["checkout_minutes"])
        case _S.PAID:
            return ship_by_at
        case _S.CANCEL_REQUESTED:
            return now + dt.timedelta(hours=timers["cancel_silence_hours"])
        case _S.SHIPPED | _S.IN_TRANSIT | _S.READY_FOR_PICKUP | _S.VERIFIED:
            return now + dt.timedelta(days=timers["silent_carrier_days"])
        case _S.DELIVERED:
            return now + dt.timedelta(hours=timers["complete_after_hours"])
        case _S.ISSUE_OPEN:
            return now + dt.timedelta(days=timers["issue_review_days"])
        case _S.RETURN_PENDING:
            if buyer_place is None:
                raise ValueError("a return is due by working days of the buyer's market")
            return working_days(now, timers["ship_back_working_days"], buyer_place)
        case _S.RETURNING:
            return now + RETURN_TRAVELS_FOR
    return None


def working_days(start_at: dt.datetime, days: int, place: Place) -> dt.datetime:
    """End of the working day there."""
    return end_of_working_day(start_at, days=days, country=place.country, time_zone=place.time_zone)


def next_reminder(status: str, due_at: dt.datetime | None, *, now: dt.datetime) -> dt.datetime | None:
    """The first reminder that is still to come."""
    if due_at is None:
        return None
    return min((at for ahead in REMINDERS.get(status, ()) if (at := due_at - ahead) > now), default=None)
