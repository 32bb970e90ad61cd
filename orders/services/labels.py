"""The labels that an order needs: to the buyer or the hub, from the hub, back to the seller."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings

from orders.lifecycle.parcels import Leg
from orders.models import Order
from orders.providers.carriers import carrier_named
from orders.providers.carriers.contract import Address, OpeningHours, PickupPoint
from orders.queries.sender_addresses import sender_address_for
from orders.services.labelling import cancel_label, request_label


@dataclass(frozen=True, slots=True)
class _Carriage:
    """How the order is carried, as it was copied when it was bought."""

    provider: str
    carrier: str
    service: str
    size: str


def request_outbound_label(order: Order, *, now: datetime) -> None:
    """From the seller: to the hub if the item is looked at, else to the buyer."""
    if order.is_verified:
        _request(order, Leg.TO_HUB, _sellers(order), hub(), None, now=now)
    else:
        _request(order, Leg.OUTBOUND, _sellers(order), _buyers(order), _point(order), now=now)


def request_onward_label(order: Order, *, now: datetime) -> None:
    """From the hub to the buyer."""
    _request(order, Leg.FROM_HUB, hub(), _buyers(order), _point(order), now=now)


def request_hub_return_label(order: Order, *, now: datetime) -> None:
    """From the hub back to the seller, at our cost."""
    _request(order, Leg.HUB_RETURN, hub(), _sellers(order), None, now=now)


def request_return_label(order: Order, *, now: datetime) -> None:
    """From the buyer back to the seller; nothing while the parcel of an earlier decision is on its way."""
    if cancel_label(order_id=order.id, leg=Leg.RETURN, now=now):
        _request(order, Leg.RETURN, _buyers(order), _sellers(order), None, now=now)


def hub() -> Address:
    """Where items are looked at."""
    return Address(**settings.VERIFICATION_HUB)


def _request(
    order: Order, leg: Leg, sender: Address, recipient: Address, point: PickupPoint | None, *, now: datetime
) -> None:
    chosen = order.delivery
    carriage = _Carriage(chosen["provider"], chosen["carrier"], chosen["service"], chosen["size"])
    request_label(
        order_id=order.id,
        leg=leg,
        option=carriage,
        sender=sender,
        recipient=recipient,
        pickup_point=point,
        now=now,
    )


def _buyers(order: Order) -> Address:
    if order.address is None:
        raise ValueError(f"order {order.id} was bought without an address")
    return Address(**json.loads(order.address.reveal()))


def _sellers(order: Order) -> Address:
    carrier = carrier_named(order.delivery["provider"])
    return sender_address_for(order.seller_id, order.seller_country, in_full=carrier.needs_addresses)


def _point(order: Order) -> PickupPoint | None:
    stored = order.delivery.get("pickup_point")
    if stored is None:
        return None
    hours = tuple(OpeningHours(**hours) for hours in stored["opening_hours"])
    return PickupPoint(**{**stored, "opening_hours": hours})
