"""Parcels that a worker has had labelled."""

from __future__ import annotations

from datetime import datetime

from orders.models import Order, Parcel
from orders.services.carrier_calls import advance_parcel
from tests.factories.money import NOON
from tests.factories.parcels import ask_for_label


def labelled_parcel(order: Order, *, leg: str = "outbound", now: datetime = NOON) -> Parcel:
    """A parcel with its label: the one that the order has asked for, or else another."""
    asked = Parcel.objects.filter(order_id=order.id, leg=leg, is_open=True).first()
    parcel_id = ask_for_label(order, leg=leg, now=now) if asked is None else asked.id
    advance_parcel(parcel_id=parcel_id, now=now)
    return Parcel.objects.get(id=parcel_id)
