"""The life of a parcel: one table, made from how far each status is.

Carriers tell things late, twice and in any order. A parcel therefore only ever advances: news that ranks no
higher than what is known is kept and moves nothing, so that any order of the same news ends alike.
"""

from __future__ import annotations

from enum import StrEnum

from foundation.lifecycle import Lifecycle, Transition, register
from orders.lifecycle.roles import CARRIER

WORKER, ORDER = "worker", "order"


class Leg(StrEnum):
    """Which way a parcel of an order goes: to the buyer or back. The hub is where items are verified."""

    OUTBOUND = "outbound"
    TO_HUB = "to_hub"
    FROM_HUB = "from_hub"
    RETURN = "return"
    HUB_RETURN = "hub_return"


FROM_SELLER = (Leg.OUTBOUND.value, Leg.TO_HUB.value)
"""What the seller sends; of the other legs the hub or the buyer is the sender."""


class ParcelCode(StrEnum):
    """News of a parcel, whatever words the carrier uses."""

    LABEL_CREATED = "label_created"
    FIRST_SCAN = "first_scan"
    IN_TRANSIT = "in_transit"
    READY_FOR_PICKUP = "ready_for_pickup"
    AT_VERIFICATION = "at_verification"
    DELIVERED = "delivered"
    RETURNED_TO_SENDER = "returned_to_sender"
    LOST = "lost"
    # Something went wrong, or it is none of the above: kept, but it moves nothing.
    EXCEPTION = "exception"


class ParcelStatus(StrEnum):
    """Where a parcel stands."""

    REQUESTED = "requested"
    LABELLED = "labelled"
    REFUSED = "refused"
    CANCELLED = "cancelled"
    SHIPPED = "shipped"
    IN_TRANSIT = "in_transit"
    READY_FOR_PICKUP = "ready_for_pickup"
    LOST = "lost"
    DELIVERED = "delivered"
    AT_VERIFICATION = "at_verification"
    RETURNED_TO_SENDER = "returned_to_sender"


_S = ParcelStatus
# A lost parcel may turn up; one that came back is back, whatever was told of it before.
RANKS = {
    _S.REQUESTED: 0,
    _S.LABELLED: 10,
    _S.REFUSED: 15,
    _S.CANCELLED: 15,
    _S.SHIPPED: 20,
    _S.IN_TRANSIT: 30,
    _S.READY_FOR_PICKUP: 40,
    _S.LOST: 50,
    _S.DELIVERED: 60,
    _S.AT_VERIFICATION: 60,
    _S.RETURNED_TO_SENDER: 70,
}

STATUS_OF = {
    ParcelCode.LABEL_CREATED: _S.LABELLED,
    ParcelCode.FIRST_SCAN: _S.SHIPPED,
    ParcelCode.IN_TRANSIT: _S.IN_TRANSIT,
    ParcelCode.READY_FOR_PICKUP: _S.READY_FOR_PICKUP,
    ParcelCode.LOST: _S.LOST,
    ParcelCode.DELIVERED: _S.DELIVERED,
    ParcelCode.AT_VERIFICATION: _S.AT_VERIFICATION,
    ParcelCode.RETURNED_TO_SENDER: _S.RETURNED_TO_SENDER,
}
"""What each piece of news makes of a parcel; an exception makes nothing of it."""

WITH_CARRIER = tuple(status for status in _S if RANKS[status] >= RANKS[_S.SHIPPED])
"""From the first scan on: nothing can be called off any more."""
OPEN = (_S.REQUESTED, _S.LABELLED, _S.SHIPPED, _S.IN_TRANSIT, _S.READY_FOR_PICKUP, _S.LOST)
"""Still awaited; there is one such parcel per order and leg at most."""


def code_for(code: ParcelCode, leg: str) -> ParcelCode:
    """Carriers know no hub: what they deliver on the way there has arrived for verification."""
    if leg == Leg.TO_HUB and code is ParcelCode.DELIVERED:
        return ParcelCode.AT_VERIFICATION
    return code


def _news() -> list[Transition]:
    return [
        Transition(source, code.value, target, WORKER if code is ParcelCode.LABEL_CREATED else CARRIER)
        for code, target in STATUS_OF.items()
        for source in _S
        if RANKS[source] < RANKS[target]
    ]


PARCEL = register(
    Lifecycle(
        "Parcel",
        statuses=ParcelStatus,
        initial=_S.REQUESTED,
        meanings={
            _S.REQUESTED: "a worker is to ask the carrier for a label",
            _S.LABELLED: "the label is there; the sender has not handed it over",
            _S.REFUSED: "the carrier will not carry it; `reason` is its code",
            _S.CANCELLED: "called off before the first scan; the carrier may take it all the same",
            _S.SHIPPED: "first scan: the carrier has it",
            _S.IN_TRANSIT: "on its way",
            _S.READY_FOR_PICKUP: "waiting at the pick-up point",
            _S.LOST: "the carrier gave it up; it may still turn up",
            _S.DELIVERED: "handed over to the one it is for",
            _S.AT_VERIFICATION: "arrived where items are verified",
            _S.RETURNED_TO_SENDER: "back with the sender",
        },
        transitions=[
            *_news(),
            Transition(_S.REQUESTED, "refuse", _S.REFUSED, WORKER, note="the carrier said no"),
            Transition(_S.REQUESTED, "cancel", _S.CANCELLED, ORDER),
            Transition(_S.LABELLED, "cancel", _S.CANCELLED, ORDER),
        ],
    )
)
