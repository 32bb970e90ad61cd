"""A carrier that carries nothing: the embedded default, and the stage of tests and demos.

What it knows is in a table, so that it outlives the process and every process sees the same carrier. It is
driven through ``script`` and ``callback`` (the API under /sandbox/parcels, while SANDBOX is on). Its labels
are real PDFs, its callbacks are signed like a real one's, and every place has the same pick-up points.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from datetime import datetime

from django.conf import settings
from django.db import IntegrityError, transaction

from foundation.db import atomic_retry
from foundation.incoming import HmacVerifier, sign
from foundation.incoming.signatures import HEADER
from orders.lifecycle.parcels import ParcelCode
from orders.models import SandboxParcel
from orders.providers.carriers.contract import (
    Callback,
    CallbackUnreadable,
    OpeningHours,
    OutcomeUnknown,
    PickupPoint,
    Shipment,
    ShipmentOrder,
    ShipmentRefused,
)
from orders.providers.carriers.labels import render_label

CARRIER = "sandbox_post"
POINTS_PER_PLACE = 6
_Answer = SandboxParcel.Answer
_POINT_ID = re.compile(r"([A-Z]{2})-([0-9A-Z]{2,10})-([1-9])")
_KINDS = ("Locker", "Kiosk", "Bookshop", "Station", "Supermarket", "Pharmacy")
_STREETS = ("Station Street", "Market Square", "Mill Lane", "School Road", "Park Avenue", "Church Walk")
"""Invented: names of real shops would suggest that they take parcels."""
_WEEKDAYS = tuple(OpeningHours(day, "08:00", "20:00") for day in range(5))
_SHOP_HOURS = (*_WEEKDAYS, OpeningHours(5, "09:00", "15:00"))
_LOCKER_HOURS = tuple(OpeningHours(day, "00:00", "24:00") for day in range(7))


class SandboxCarrier:
    """The embedded provider."""

    name = "sandbox"
    verifier = HmacVerifier(lambda: [_secret()])

    @property
    def needs_addresses(self) -> bool:
        """As SANDBOX_CARRIER_NEEDS_ADDRESSES says; its own labels do with a name."""
        return bool(settings.SANDBOX_CARRIER_NEEDS_ADDRESSES)

    def create_shipment(self, order: ShipmentOrder, *, now: datetime) -> Shipment:
        """Takes it at once, unless a script says otherwise."""
        answer, row = self._take(order, now)
        if answer == _Answer.UNAVAILABLE:
            raise OutcomeUnknown("the carrier is down")
        if answer == _Answer.TIME_OUT:
            raise OutcomeUnknown("the answer got lost")
        if answer == _Answer.REFUSE:
            raise ShipmentRefused("address_not_served")
        return _shipment(row)

    @atomic_retry
    def _take(self, order: ShipmentOrder, now: datetime) -> tuple[str, SandboxParcel]:
        row = _row_of(order.reference)
        answer = str(row.answer) if row.answers_left else _Answer.ACCEPT.value
        row.answers_left = max(0, row.answers_left - 1)
        row.calls += 1
        if answer in (_Answer.ACCEPT, _Answer.TIME_OUT) and row.provider_id is None:
            row.provider_id = f"sandbox-{row.id}"
            row.tracking_number = f"PL{_digits(order.reference)}{order.sender.country}"
            row.label = render_label(order, tracking_number=row.tracking_number, carrier="Sandbox Post")
            row.taken_at = now
        row.save(force_update=True)
        return answer, row

    def find_shipment(self, reference: str, *, now: datetime) -> Shipment | None:
        """What it took, even when the answer got lost; a script may have it down for this, too."""
        row = SandboxParcel.objects.filter(reference=reference).first()
        if row is not None and row.answers_left and row.answer == _Answer.UNAVAILABLE:
            raise OutcomeUnknown("the carrier is down")
        return None if row is None or row.provider_id is None else _shipment(row)

    @atomic_retry
    def cancel_shipment(self, provider_id: str, *, now: datetime) -> bool:
        """Until the first scan."""
        row = SandboxParcel.objects.select_for_update().filter(provider_id=provider_id).first()
        if row is None or row.scanned_at is not None:
            return False
        row.cancelled_at = row.cancelled_at or now
        row.save(update_fields=["cancelled_at"])
        return True

    def pickup_points(
        self, *, country: str, postal_code: str = "", place: str = "", carrier: str = "", limit: int
    ) -> tuple[PickupPoint, ...]:
        """The same six for the same postal code, or for the same place by its name."""
        area = re.sub(r"[^0-9A-Z]", "", postal_code.upper())[:10] or _area_of(place)
        if carrier not in ("", CARRIER) or len(area) < 2:
            return ()
        return tuple(_point(country, area, number) for number in range(1, POINTS_PER_PLACE + 1))[:limit]

    def find_pickup_point(self, *, country: str, point_id: str) -> PickupPoint | None:
        """Any that ``pickup_points`` may have named."""
        match = _POINT_ID.fullmatch(point_id)
        if match is None or match[1] != country or int(match[3]) > POINTS_PER_PLACE:
            return None
        return _point(country, match[2], int(match[3]))

    def read_callback(self, body: bytes) -> Callback:
        """As ``callback`` wrote it."""
        try:
            told = json.loads(body)
            return Callback(
                event_id=told["event_id"],
                reference=told["reference"],
                occurred_at=datetime.fromisoformat(told["occurred_at"]),
                code=ParcelCode(told["code"]),
                raw=body.decode(),
            )
        except (ValueError, KeyError, TypeError) as error:
            raise CallbackUnreadable(type(error).__name__) from None


@atomic_retry
def script(reference: str, *, answer: str, times: int) -> None:
    """How the carrier shall answer the next ``times`` requests for this label; then it accepts."""
    row = _row_of(reference)
    row.answer, row.answers_left = answer, times
    row.save(update_fields=["answer", "answers_left"])


def callback(
    reference: str, code: ParcelCode, *, occurred_at: datetime, now: datetime
) -> tuple[bytes, dict[str, str]]:
    """The message that this happened then, as the carrier sends it: body and headers.

    The same news of the same moment has the same event id. Raises SandboxParcel.DoesNotExist.
    """
    row = SandboxParcel.objects.get(reference=reference, provider_id__isnull=False)
    if code not in (ParcelCode.LABEL_CREATED, ParcelCode.EXCEPTION):
        SandboxParcel.objects.filter(id=row.id, scanned_at__isnull=True).update(scanned_at=now)
    body = json.dumps(
        {
            "event_id": f"{row.provider_id}:{code.value}:{occurred_at.isoformat()}",
            "occurred_at": occurred_at.isoformat(),
            "reference": reference,
            "tracking_number": row.tracking_number,
            "code": code.value,
        }
    ).encode()
    return body, signed_headers(body, now)


def signed_headers(body: bytes, now: datetime) -> dict[str, str]:
    """The headers that make a body the sandbox carrier's."""
    return {HEADER: sign(body, secret=_secret(), at=now)}


def _secret() -> str:
    # Derived from our own: nobody else has to know it.
    return hmac.digest(settings.SECRET_KEY.encode(), b"orders.providers.carriers.sandbox", "sha256").hex()


def _row_of(reference: str) -> SandboxParcel:
    """The locked row of a reference, made if it is the first."""
    locked = SandboxParcel.objects.select_for_update()
    row = locked.filter(reference=reference).first()
    if row is None:
        try:
            with transaction.atomic():
                SandboxParcel.objects.create(reference=reference)
        except IntegrityError:
            pass  # made by another at the same moment
        row = locked.get(reference=reference)
    return row


def _shipment(row: SandboxParcel) -> Shipment:
    if row.provider_id is None or row.label is None:
        raise OutcomeUnknown("a script, no shipment")
    return Shipment(
        reference=row.reference,
        provider_id=row.provider_id,
        tracking_number=row.tracking_number,
        tracking_url=f"{settings.PUBLIC_URL}/sandbox/tracking/{row.tracking_number}",
        label=row.label.reveal(),
    )


def _digits(text: str) -> str:
    return f"{int.from_bytes(hashlib.sha256(text.encode()).digest()[:6]) % 10**12:012d}"


def _area_of(place: str) -> str:
    name = " ".join(place.casefold().split())
    return _digits(name)[:5] if name else ""


def _point(country: str, area: str, number: int) -> PickupPoint:
    seed = hashlib.sha256(f"{country}-{area}-{number}".encode()).digest()
    around = hashlib.sha256(area.encode()).digest()
    kind = _KINDS[number - 1]
    return PickupPoint(
        id=f"{country}-{area}-{number}",
        carrier=CARRIER,
        name=f"{kind} {area}/{number}",
        street=f"{_STREETS[seed[0] % len(_STREETS)]} {1 + seed[1]}",
        postal_code=area,
        city=f"Sandbox {area}",
        country=country,
        # Somewhere in Europe, the points of an area beside each other.
        latitude=f"{48 + around[0] / 64 + number / 1000:.5f}",
        longitude=f"{8 + around[1] / 32 + number / 1000:.5f}",
        opening_hours=_LOCKER_HOURS if kind == "Locker" else _SHOP_HOURS,
    )
