"""What the news of a carrier does to an order. Monotonic: what an order is past changes nothing."""

from __future__ import annotations

from datetime import datetime, timedelta

import structlog

from balance import events
from balance.chart import Event
from balance.events import NewPosting, Share
from balance.services.posting import post
from foundation.db import atomic_retry
from foundation.money import Money
from orders import metrics
from orders.lifecycle import CARRIER, OrderStatus
from orders.lifecycle.parcels import Leg
from orders.models import Case, Order
from orders.order_timers import next_reminder
from orders.services.cancelling import undo
from orders.services.cases import open_case
from orders.services.issues import charge_return_postage, open_review
from orders.services.order_moves import find_row, lock_order, move, touch
from orders.services.settling import reference_of, remaining

logger = structlog.get_logger(__name__)

# What a piece of news is to the order, by the leg of the parcel that it is about.
_VERBS: dict[tuple[str, str], str] = {
    (Leg.OUTBOUND, "first_scan"): "scan",
    (Leg.OUTBOUND, "in_transit"): "transit",
    (Leg.OUTBOUND, "ready_for_pickup"): "arrive",
    (Leg.OUTBOUND, "delivered"): "deliver",
    (Leg.OUTBOUND, "returned_to_sender"): "return_to_sender",
    (Leg.OUTBOUND, "lost"): "lose",
    (Leg.TO_HUB, "first_scan"): "scan",
    (Leg.TO_HUB, "in_transit"): "transit",
    (Leg.TO_HUB, "at_verification"): "reach_hub",
    (Leg.TO_HUB, "returned_to_sender"): "return_to_sender",
    (Leg.TO_HUB, "lost"): "lose",
    (Leg.FROM_HUB, "ready_for_pickup"): "arrive",
    (Leg.FROM_HUB, "delivered"): "deliver",
    (Leg.FROM_HUB, "returned_to_sender"): "return_to_sender",
    (Leg.FROM_HUB, "lost"): "lose",
    (Leg.RETURN, "first_scan"): "send_back",
    (Leg.RETURN, "in_transit"): "send_back",
    (Leg.RETURN, "delivered"): "receive",
    (Leg.RETURN, "lost"): "escalate",
}
_CARRIED = ("first_scan", "in_transit", "delivered")
_CANNOT_BE_LABELLED = "label_refused"
_STILL_MOVING = (
    OrderStatus.SHIPPED,
    OrderStatus.IN_TRANSIT,
    OrderStatus.READY_FOR_PICKUP,
    OrderStatus.VERIFIED,
)


@atomic_retry
def record_parcel_event(
    *, order_id: str, parcel_id: str, leg: str, code: str, occurred_at: datetime, now: datetime
) -> None:
    """Take the order along, if the news is ahead of it. T0 is when the buyer is told, which is now."""
    order = lock_order(order_id)
    if code == _CANNOT_BE_LABELLED:
        note = f"parcel {parcel_id}, {leg}"
        open_case(
            kind=Case.Kind.LABEL_FAILED, key=f"label:{parcel_id}", order_id=order.id, note=note, now=now
        )
        return
    if leg == Leg.RETURN and code in _CARRIED:
        # Whatever the two have said of it meanwhile.
        charge_return_postage(order, now=now)
    verb = _VERBS.get((leg, code))
    row = find_row(order, verb, CARRIER) if verb else None
    if row is None:
        metrics.LATE_PARCEL_EVENTS.labels(code).inc()
        logger.info("parcel_event_overtaken", order_id=order.id, parcel_id=parcel_id, leg=leg, code=code)
        _hear(order, now=now)
        return
    if leg != Leg.RETURN:
        # The first scan may be what was skipped.
        order.shipped_at = order.shipped_at or now
    match row.verb:
        case "return_to_sender":
            undo(order, row, now=now, actor=CARRIER, reason="not collected")
        case "lose":
            _lose(order, parcel_id, now=now)
            undo(order, row, now=now, actor=CARRIER, reason="lost")
        case "receive":
            undo(order, row, now=now, actor=CARRIER, reason="returned")
        case "escalate":
            open_review(order, now=now)
            move(order, row, now=now)
        case _:
            if row.verb == "reach_hub":
                key = f"verification:{order.id}"
                open_case(kind=Case.Kind.VERIFICATION, key=key, order_id=order.id, now=now)
            move(order, row, now=now)


def _hear(order: Order, *, now: datetime) -> None:
    """Any news of a parcel on its way puts off the day on which it would be presumed lost."""
    if order.status in _STILL_MOVING and order.due_at is not None:
        due_at = now + timedelta(days=order.terms["silent_carrier_days"])
        if due_at > order.due_at:
            touch(order, now=now, due_at=due_at, remind_at=next_reminder(order.status, due_at, now=now))


def _lose(order: Order, parcel_id: str, *, now: datetime) -> None:
    """The buyer gets everything back, and the seller, who has sent it, what the item was sold for."""
    left = Money(remaining(order).item, order.currency)
    if left.amount_minor:
        post(
            NewPosting(
                key=f"order:{order.id}:compensated",
                event=Event.COMPENSATION_PAID,
                lines=events.compensation_paid(Share(order.seller_id, left)),
                reference=reference_of(order.id),
                actor="system",
                reason="lost parcel",
            ),
            now=now,
        )
    key = f"lost:{parcel_id}"
    open_case(
        kind=Case.Kind.PARCEL_LOST, key=key, order_id=order.id, note="claim it from the carrier", now=now
    )
