"""Parcels through Sendcloud's API, version 3, over HTTP (docs/adr/0010).

https://sendcloud.dev/api/v3/shipments, /service-points and, for callbacks, /webhooks. One call announces a
shipment and brings its label; `external_reference_id` makes it one per reference: a second one is answered
409 with the first. Never run against Sendcloud itself: the contract suite runs it against a server of ours
that speaks this API (tests/doubles/sendcloud_server.py).
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import httpx2
import structlog
from anyascii import anyascii
from django.conf import settings

from foundation.connections import AnswerTooLarge, EncodedAnswer, LimitedTransport, limited_to
from foundation.incoming.errors import WebhookSignatureInvalid
from orders.lifecycle.parcels import ParcelCode
from orders.providers.carriers.contract import (
    Address,
    Callback,
    CallbackUnreadable,
    OpeningHours,
    OutcomeUnknown,
    PickupPoint,
    Shipment,
    ShipmentOrder,
    ShipmentRefused,
)

logger = structlog.get_logger(__name__)

BASE_URL = "https://panel.sendcloud.sc/api/v3"
# For a whole call, and for its answer: a label of some carriers is a scan.
TIMEOUT_S = 20.0
ANSWER_BYTES = 4_000_000
_REFERENCE = re.compile(r"[!-~]{1,60}")
DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
# Sendcloud's statuses (https://sendcloud.dev/docs/tracking/tracking-statuses) by their ids. It has none for a
# lost parcel: that is inside 62996, together with others, and for a person to find out.
_C = ParcelCode
CODES = {
    1: _C.LABEL_CREATED,
    1000: _C.LABEL_CREATED,
    1001: _C.LABEL_CREATED,
    13: _C.LABEL_CREATED,  # announced: not collected
    22: _C.FIRST_SCAN,  # picked up by the driver
    3: _C.IN_TRANSIT,
    4: _C.IN_TRANSIT,  # delayed
    5: _C.IN_TRANSIT,
    6: _C.IN_TRANSIT,
    7: _C.IN_TRANSIT,
    91: _C.IN_TRANSIT,
    92: _C.IN_TRANSIT,
    62989: _C.IN_TRANSIT,  # at customs
    62990: _C.IN_TRANSIT,
    12: _C.READY_FOR_PICKUP,
    11: _C.DELIVERED,
    93: _C.DELIVERED,  # collected by the customer
    62992: _C.RETURNED_TO_SENDER,
}


@dataclass(frozen=True, slots=True)
class SendcloudVerifier:
    """Sendcloud-Signature is over the raw body. No time is signed: a repeat is known by its event id."""

    key: str = field(repr=False)

    def verify(self, body: bytes, headers: Mapping[str, str], *, now: datetime) -> None:
        """Raises WebhookSignatureInvalid."""
        given = next((value for name, value in headers.items() if name.lower() == "sendcloud-signature"), "")
        expected = hmac.digest(self.key.encode(), body, hashlib.sha256).hex()
        # Without a key anybody could sign.
        if not (self.key and given.isascii() and hmac.compare_digest(expected, given.lower())):
            raise WebhookSignatureInvalid


class SendcloudCarrier:
    """`base_url` replaces Sendcloud's address, for a server of ours."""

    name = "sendcloud"
    # `from_address` has no part that may be left out.
    needs_addresses = True

    def __init__(
        self,
        *,
        public_key: str,
        secret_key: str,
        signature_key: str,
        base_url: str = BASE_URL,
        timeout_s: float = TIMEOUT_S,
    ) -> None:
        self._auth = (public_key, secret_key)
        self._base_url, self._timeout_s = base_url, timeout_s
        self.verifier = SendcloudVerifier(signature_key)

    def create_shipment(self, order: ShipmentOrder, *, now: datetime) -> Shipment:
        """POST /shipments/announce."""
        body: dict[str, Any] = {
            "label_details": {"mime_type": "application/pdf", "dpi": 72},
            "from_address": _address(order.sender),
            "to_address": _address(order.recipient),
            "ship_with": {
                "type": "shipping_option_code",
                "properties": {"shipping_option_code": order.service},
            },
            # Both: the former makes it one, the latter comes back in callbacks.
            "external_reference_id": order.reference,
            "order_number": order.reference,
            "parcels": [{"weight": {"value": f"{order.weight_g / 1000:.3f}", "unit": "kg"}}],
        }
        if order.pickup_point is not None:
            body["to_service_point"] = {"id": order.pickup_point.id}
        answer = self._call("POST", "/shipments/announce", json=body)
        if answer.status_code in (200, 201, 409):
            return self._shipment(order.reference, _data(answer))
        # Understood, and not done. Nothing else says so: 401 to 404 are about our account or address.
        if answer.status_code in (400, 422):
            raise ShipmentRefused(_reason(answer))
        raise OutcomeUnknown(f"answered {answer.status_code}")

    def find_shipment(self, reference: str, *, now: datetime) -> Shipment | None:
        """GET /shipments by the reference."""
        answer = self._get("/shipments", params={"external_reference_id": reference})
        found = _data(answer)
        if not isinstance(found, list):
            raise OutcomeUnknown("no list")
        for shipment in found:
            if isinstance(shipment, dict) and shipment.get("external_reference_id") == reference:
                return self._shipment(reference, shipment)
        return None

    def cancel_shipment(self, provider_id: str, *, now: datetime) -> bool:
        """POST /shipments/{id}/cancel."""
        answer = self._call("POST", f"/shipments/{provider_id}/cancel")
        if answer.status_code in (200, 202, 410):  # done, accepted, done before
            return True
        if answer.status_code in (400, 404, 409, 422):
            return False
        raise OutcomeUnknown(f"answered {answer.status_code}")

    def pickup_points(
        self, *, country: str, postal_code: str = "", place: str = "", carrier: str = "", limit: int
    ) -> tuple[PickupPoint, ...]:
        """GET /service-points around the postal code, or else the place."""
        params: dict[str, str] = {"country_code": country, "limit": str(limit)}
        params |= {"carrier_code": carrier} if carrier else {"use_integration_carriers": "true"}
        params |= {"address_postal_code": postal_code} if postal_code else {"address_city": place}
        found = _data(self._get("/service-points", params=params))
        try:
            return tuple(_point(one) for one in found["results"])[:limit]
        except (KeyError, TypeError, AttributeError) as error:
            raise OutcomeUnknown(f"points without {error}") from None

    def find_pickup_point(self, *, country: str, point_id: str) -> PickupPoint | None:
        """GET /service-points/{id}."""
        if not point_id.isdigit():
            return None
        answer = self._call("GET", f"/service-points/{point_id}")
        if answer.status_code == 404:
            return None
        if answer.status_code != 200:
            raise OutcomeUnknown(f"answered {answer.status_code}")
        try:
            point = _point(_data(answer))
        except (KeyError, TypeError, AttributeError) as error:
            raise OutcomeUnknown(f"a point without {error}") from None
        return point if point.country == country else None

    def read_callback(self, body: bytes) -> Callback:
        """parcel_status_changed; others are about something else."""
        try:
            message = json.loads(body)
            parcel = message.get("parcel") or {}
            moment = message.get("carrier_status_change_timestamp") or message["timestamp"]
            is_ours = message["action"] == "parcel_status_changed"
            status = parcel["status"]["id"] if is_ours else message["action"]
            return Callback(
                event_id=f"{parcel.get('id', 'integration')}:{status}:{moment}",
                reference=_reference(parcel.get("order_number")),
                occurred_at=datetime.fromtimestamp(moment / 1000, UTC),
                code=CODES.get(status, _C.EXCEPTION) if is_ours else None,
                raw=body.decode(),
            )
        except (ValueError, KeyError, TypeError, AttributeError, OverflowError, OSError) as error:
            raise CallbackUnreadable(type(error).__name__) from None

    def _shipment(self, reference: str, found: Any) -> Shipment:
        try:
            parcel = found["parcels"][0]
            if parcel["status"]["code"].upper() == "ANNOUNCEMENT_FAILED":
                raise ShipmentRefused("announcement_failed")
            label = parcel.get("label_file")
            return Shipment(
                reference=reference,
                provider_id=str(found["id"]),
                tracking_number=_ascii(parcel["tracking_number"]),
                tracking_url=_url(parcel.get("tracking_url")),
                label=base64.b64decode(label) if label else self._label(parcel["id"]),
            )
        except (KeyError, IndexError, TypeError, AttributeError, binascii.Error) as error:
            raise OutcomeUnknown(f"a shipment without {type(error).__name__}") from None

    def _label(self, parcel_id: int) -> bytes:
        answer = self._get(
            f"/parcels/{parcel_id}/documents/label",
            params={"paper_size": "A6"},
            headers={"Accept": "application/pdf"},
        )
        if not answer.content.startswith(b"%PDF"):
            raise OutcomeUnknown("a label that is no PDF")
        return answer.content

    def _get(self, path: str, **request: Any) -> httpx2.Response:
        answer = self._call("GET", path, **request)
        if answer.status_code != 200:
            raise OutcomeUnknown(f"answered {answer.status_code}")
        return answer

    def _call(self, method: str, path: str, **request: Any) -> httpx2.Response:
        """Raises OutcomeUnknown without the text of the failure, which may hold an address."""
        try:
            with (
                httpx2.Client(
                    base_url=self._base_url,
                    auth=self._auth,
                    headers={"Accept-Encoding": "identity"},
                    transport=LimitedTransport(),
                ) as client,
                limited_to(seconds=self._timeout_s, answer_bytes=ANSWER_BYTES),
            ):
                answer = client.request(method, path, **request)
        except (httpx2.HTTPError, AnswerTooLarge, EncodedAnswer) as error:
            logger.warning("sendcloud_call_failed", error=type(error).__name__)
            raise OutcomeUnknown(type(error).__name__) from None
        if answer.status_code >= 400:
            logger.warning("sendcloud_answered", status=answer.status_code, path=path.split("?")[0])
        return answer


def _address(address: Address) -> dict[str, str]:
    facts = {
        "name": address.name,
        "address_line_1": address.street,
        "address_line_2": address.street_2,
        "postal_code": address.postal_code,
        "city": address.city,
        "country_code": address.country,
        "email": address.email,
        "phone_number": address.phone,
    }
    return {name: value for name, value in facts.items() if value}


def _data(answer: httpx2.Response) -> Any:
    try:
        return answer.json()["data"]
    except (ValueError, KeyError, TypeError):
        raise OutcomeUnknown("no JSON object with data") from None


def _reason(answer: httpx2.Response) -> str:
    """Codes of errors, never their texts: those quote the address."""
    try:
        return _ascii(str(answer.json()["errors"][0]["code"])) or "refused"
    except (ValueError, KeyError, IndexError, TypeError):
        return "refused"


def _point(found: Any) -> PickupPoint:
    place, hours = found["address"], found.get("opening_times") or {}
    return PickupPoint(
        id=str(found["id"]),
        carrier=found["carrier"]["code"],
        name=found["name"],
        street=f"{place['street']} {place.get('house_number') or ''}".strip(),
        postal_code=place["postal_code"],
        city=place["city"],
        country=place["country_code"],
        latitude=str(found["position"]["latitude"]),
        longitude=str(found["position"]["longitude"]),
        opening_hours=tuple(
            OpeningHours(weekday, stretch["start_time"], stretch["end_time"])
            for weekday, day in enumerate(DAYS)
            for stretch in hours.get(day) or ()
        ),
    )


def _reference(order_number: Any) -> str:
    # What was announced by hand in Sendcloud's own pages has any number or none.
    return order_number if isinstance(order_number, str) and _REFERENCE.fullmatch(order_number) else "none"


def _url(text: Any) -> str:
    return text if isinstance(text, str) and text.isascii() and len(text) <= 500 else ""


def _ascii(code: str) -> str:
    return anyascii(code).strip()[:60]


def from_settings() -> SendcloudCarrier:
    """As the variables SENDCLOUD_… say."""
    known: dict[str, str] = settings.SENDCLOUD
    return SendcloudCarrier(
        public_key=known["public_key"],
        secret_key=known["secret_key"],
        signature_key=known["signature_key"],
    )
