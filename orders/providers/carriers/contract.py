"""What orders ask of whoever carries parcels, and what they are told. Plain data;
tests/contracts/carrier_suite.py holds every provider to it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from foundation.incoming import Verifier
from orders.lifecycle.parcels import ParcelCode


@dataclass(frozen=True, slots=True)
class Address:
    """A person's postal address: personal data, encrypted wherever it is stored."""

    name: str = field(repr=False)
    street: str = field(repr=False)
    postal_code: str = field(repr=False)
    city: str = field(repr=False)
    country: str
    street_2: str = field(default="", repr=False)
    email: str = field(default="", repr=False)
    phone: str = field(default="", repr=False)

    @property
    def is_full(self) -> bool:
        """Whether a parcel could be brought there."""
        return bool(self.name and self.street and self.postal_code and self.city)


@dataclass(frozen=True, slots=True)
class OpeningHours:
    """One stretch on one day: 0 is Monday; local times as HH:MM."""

    weekday: int
    opens: str
    closes: str


@dataclass(frozen=True, slots=True)
class PickupPoint:
    """A shop or locker where parcels are collected. `id` is the provider's."""

    id: str
    carrier: str
    name: str
    street: str
    postal_code: str
    city: str
    country: str
    latitude: str
    longitude: str
    opening_hours: tuple[OpeningHours, ...]


@dataclass(frozen=True, slots=True)
class ShipmentOrder:
    """Carry this from there to there. `reference` is ours: the same one is carried once, with one label."""

    reference: str
    service: str
    weight_g: int
    sender: Address
    recipient: Address
    pickup_point: PickupPoint | None = None


@dataclass(frozen=True, slots=True)
class Shipment:
    """What the carrier made of an order. `label` is a PDF."""

    reference: str
    provider_id: str
    tracking_number: str
    tracking_url: str
    label: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Callback:
    """A message that a carrier sent and signed. `event_id` is unique per provider; repeats carry it again.

    `reference` is ours, of the parcel. `code` is None for a message about something else, which is left
    alone; `raw` is what was sent.
    """

    event_id: str
    reference: str
    occurred_at: datetime
    code: ParcelCode | None
    raw: str = field(repr=False)


class OutcomeUnknown(Exception):
    """Nobody knows what the carrier has done: no answer, a broken one, or an error of its own."""


class ShipmentRefused(Exception):
    """The carrier surely does not carry it. The text is its code for why, in ASCII."""


class CallbackUnreadable(ValueError):
    """The provider's signature is on it, but it is none of its known messages."""


class Carrier(Protocol):
    """Whoever carries parcels. Called outside transactions; every call may be repeated."""

    @property
    def name(self) -> str:
        """As in CARRIER_PROVIDER."""
        ...

    @property
    def needs_addresses(self) -> bool:
        """Whether it makes no label without the sender's and the recipient's full address."""
        ...

    @property
    def verifier(self) -> Verifier:
        """Whether a callback is from this provider."""
        ...

    def create_shipment(self, order: ShipmentOrder, *, now: datetime) -> Shipment:
        """Have it carried, once per reference. Raises ShipmentRefused or OutcomeUnknown."""
        ...

    def find_shipment(self, reference: str, *, now: datetime) -> Shipment | None:
        """What it made of this reference; None when it surely has none. Raises OutcomeUnknown."""
        ...

    def cancel_shipment(self, provider_id: str, *, now: datetime) -> bool:
        """Void the label. False: too late, or the carrier never does. Raises OutcomeUnknown."""
        ...

    def pickup_points(
        self, *, country: str, postal_code: str = "", place: str = "", carrier: str = "", limit: int
    ) -> tuple[PickupPoint, ...]:
        """Those near a postal code or else a place, of one carrier or all. Raises OutcomeUnknown."""
        ...

    def find_pickup_point(self, *, country: str, point_id: str) -> PickupPoint | None:
        """The point of this id, if it is open for parcels. Raises OutcomeUnknown."""
        ...

    def read_callback(self, body: bytes) -> Callback:
        """A signed message. Raises CallbackUnreadable."""
        ...
