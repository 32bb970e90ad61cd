"""Addresses of invented people, orders that were paid, and their parcels."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from orders.lifecycle import OrderStatus
from orders.models import Order
from orders.providers.carriers.contract import Address, OpeningHours, PickupPoint, ShipmentOrder
from orders.services.labelling import request_label
from tests.factories.money import NOON

ONA = Address("Ona Kazlauskienė", "Gedimino pr. 9-12", "01103", "Vilnius", "LT", email="ona@example.org")
JONAS = Address("Jonas Müller-Lüdenscheidt", "Hauptstraße 5", "10115", "Berlin", "DE", street_2="Hof links")
POINT = PickupPoint(
    "1000001",
    "postnl",
    "Kiosk am Markt",
    "Markt 1",
    "10115",
    "Berlin",
    "DE",
    "52.52",
    "13.40",
    (OpeningHours(0, "08:00", "20:00"),),
)


def shipment_order(reference: str = "P1", *, point: PickupPoint | None = None) -> ShipmentOrder:
    """From Ona to Jonas, at most two kilograms."""
    return ShipmentOrder(reference, "postnl:standard", 2000, ONA, JONAS, point)


def make_paid_order(seller_id: str, buyer_id: str, **facts: Any) -> Order:
    """An order of 24.70 EUR that was paid at NOON, without the listings and postings of a real one."""
    return Order.objects.create(
        **{
            "seller_id": seller_id,
            "buyer_id": buyer_id,
            "status": OrderStatus.PAID.value,
            "seller_country": "LT",
            "buyer_country": "LT",
            "currency": "EUR",
            "terms": {},
            "listed_minor": 2000,
            "item_minor": 2000,
            "fee_minor": 170,
            "fee_vat_minor": 30,
            "shipping_minor": 300,
            "card_minor": 2470,
            "parcel_size": "small",
            "shipping_option": "standard_point",
            "created_at": NOON,
            "updated_at": NOON,
            "paid_at": NOON,
            "ship_by_at": NOON + timedelta(days=7),
            "due_at": NOON + timedelta(days=7),
        }
        | facts
    )


@dataclass(frozen=True)
class Chosen:
    """What the order copied of the option that was bought."""

    provider: str = "sandbox"
    carrier: str = "sandbox_post"
    service: str = "sandbox_post:home"
    size: str = "small"


def ask_for_label(order: Order, *, leg: str = "outbound", now: datetime = NOON, **facts: Any) -> str:
    """The id of the parcel that a worker is to have labelled."""
    known: dict[str, Any] = {"option": Chosen(), "sender": ONA, "recipient": JONAS}
    return request_label(order_id=order.id, leg=leg, now=now, **(known | facts))
