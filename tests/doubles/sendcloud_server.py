"""An HTTP server that speaks Sendcloud's API (v3), for tests of the carrier adapter.

It is as strict as the documentation says: Basic authentication, the fields of an announcement, one shipment
per external_reference_id (409 with the first one for a second), labels as base64 in the answer and as PDF at
their own address, service points by exactly one carrier scope and one way to name a place, callbacks signed
with HMAC-SHA256 over the body. What it is asked for comes from the API's published description; nothing here
was recorded from Sendcloud.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import threading
import time
from collections import deque
from dataclasses import dataclass, field
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

PUBLIC_KEY, SECRET_KEY, SIGNATURE_KEY = "test-public", "test-secret", "test-signature"
BASE = "/api/v3"
LABEL = b"%PDF-1.4\n%double\n%%EOF\n"
FAULTS = {
    "internal_error": "answer 500 and do nothing",
    "internal_error_after": "do it, and answer 500",
    "hang": "do nothing and let the client wait",
    "hang_after": "do it, and let the client wait",
    "cut": "do it, and close the connection without an answer",
    "garbage": "do it, and answer what is no JSON",
    "array": "do it, and answer a list",
    "unauthorised": "answer 401",
    "too_many": "answer 429",
    "not_served": "refuse: no such shipping option for the addresses",
    "not_announced": "make it, but the carrier refuses the announcement",
}
STATUSES = {
    1000: "Ready to send",
    22: "Shipment picked up by driver",
    91: "Parcel en route",
    12: "Awaiting customer pickup",
    11: "Delivered",
    93: "Shipment collected by customer",
    62992: "Returned to sender",
    62996: "Exception",
}
POINT = {
    "id": 1000001,
    "name": "Stadhuisplein Parcel Shop",
    "carrier": {"code": "postnl", "name": "PostNL"},
    "carrier_service_point_id": "NL-00001",
    "general_shop_type": "servicepoint",
    "address": {
        "street": "Stadhuisplein",
        "house_number": "1",
        "postal_code": "5611 EM",
        "city": "Eindhoven",
        "country_code": "NL",
    },
    "position": {"latitude": 51.438022, "longitude": 5.478543},
    "opening_times": {
        "monday": [
            {"start_time": "09:00", "end_time": "12:00"},
            {"start_time": "13:00", "end_time": "17:00"},
        ],
        "saturday": None,
        "sunday": None,
    },
    "distance": 85,
}


@dataclass
class Double:
    """What the server knows, and how it shall misbehave next: a queue of names of ``FAULTS``."""

    shipments: dict[str, dict[str, Any]] = field(default_factory=dict)
    requests: list[dict[str, Any]] = field(default_factory=list)
    faults: deque[str] = field(default_factory=deque)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def webhook(self, reference: str, status: int, at: datetime) -> tuple[bytes, dict[str, str]]:
        """The callback that a parcel has this status since then: raw body and headers."""
        shipment = self.shipments[reference]
        moment = int(at.timestamp() * 1000)
        body = json.dumps(
            {
                "action": "parcel_status_changed",
                "timestamp": moment + 2000,
                "carrier_status_change_timestamp": moment,
                "parcel": {
                    "id": shipment["parcels"][0]["id"],
                    "name": shipment["to_address"]["name"],
                    "tracking_number": shipment["parcels"][0]["tracking_number"],
                    "status": {"id": status, "message": STATUSES[status]},
                    "order_number": shipment["order_number"],
                    "shipment_uuid": shipment["id"],
                },
            }
        ).encode()
        return body, signed(body)


def signed(body: bytes, key: str = SIGNATURE_KEY) -> dict[str, str]:
    """Sendcloud's header of a callback."""
    return {"Sendcloud-Signature": hmac.digest(key.encode(), body, hashlib.sha256).hex()}


class _Problem(Exception):
    def __init__(self, status: int, code: str) -> None:
        self.status, self.code = status, code
        super().__init__(code)


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # named by the base class
        """Quiet."""

    def do_POST(self) -> None:
        self._answer_to(self._post)

    def do_GET(self) -> None:
        self._answer_to(self._get)

    def _answer_to(self, act: Any) -> None:
        double = self.server.double
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        url = urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(url.query).items()}
        double.requests.append({"path": url.path, "query": query, "body": body})
        fault = double.faults.popleft() if double.faults else ""
        try:
            credentials = base64.b64encode(f"{PUBLIC_KEY}:{SECRET_KEY}".encode()).decode()
            if self.headers.get("Authorization") != f"Basic {credentials}" or fault == "unauthorised":
                raise _Problem(401, "unauthorized")
            if fault == "too_many":
                raise _Problem(429, "throttled")
            if fault == "internal_error":
                raise _Problem(500, "error")
            if fault == "hang":
                time.sleep(self.server.hang_s)
                return
            status, content = act(url.path.removeprefix(BASE), query, body, fault)
        except _Problem as problem:
            errors = [{"status": str(problem.status), "code": problem.code, "detail": "Not so."}]
            self._send(problem.status, json.dumps({"errors": errors}).encode())
            return
        if fault == "internal_error_after":
            self._send(500, b"{}")
        elif fault == "hang_after":
            time.sleep(self.server.hang_s)
        elif fault == "cut":
            self.close_connection = True
        elif fault == "garbage":
            self._send(status, b"<html>")
        elif fault == "array":
            self._send(status, b"[]")
        elif isinstance(content, bytes):
            self._send(status, content, "application/pdf")
        else:
            self._send(status, json.dumps({"data": content}).encode())

    def _post(self, path: str, query: dict[str, str], body: bytes, fault: str) -> tuple[int, Any]:
        if path == "/shipments/announce":
            return self._announce(json.loads(body), fault)
        match path.split("/"):
            case ["", "shipments", shipment_id, "cancel"]:
                for shipment in self.server.double.shipments.values():
                    if shipment["id"] == shipment_id:
                        return self._cancel(shipment)
        raise _Problem(404, "not_found")

    def _announce(self, asked: dict[str, Any], fault: str) -> tuple[int, Any]:
        double = self.server.double
        for which in ("from_address", "to_address"):
            wanted = {"name", "address_line_1", "postal_code", "city", "country_code"}
            if not wanted <= set(asked[which]) or len(asked[which]["country_code"]) != 2:
                raise _Problem(400, "invalid")
        if asked["ship_with"]["type"] != "shipping_option_code" or len(asked["parcels"]) != 1:
            raise _Problem(400, "invalid")
        weight = asked["parcels"][0]["weight"]
        if not isinstance(weight["value"], str) or weight["unit"] != "kg":
            raise _Problem(400, "invalid")
        if fault == "not_served":
            raise _Problem(400, "shipping_option_not_available")
        reference = asked["external_reference_id"]
        with double.lock:
            if reference in double.shipments:
                return 409, double.shipments[reference]
            number = len(double.shipments)
            failed = fault == "not_announced"
            parcel = {
                "id": 383707300 + number,
                "status": {
                    "code": "ANNOUNCEMENT_FAILED" if failed else "READY_TO_SEND",
                    "message": "Announcement failed" if failed else "Ready to send",
                },
                "tracking_number": "" if failed else f"3STEST{number:09d}",
                "tracking_url": f"https://tracking.example/3STEST{number:09d}",
                "documents": [{"type": "label", "size": "a6"}],
            }
            shipment = {**asked, "id": f"shipment-{number}", "parcels": [parcel], "scanned": False}
            double.shipments[reference] = shipment
        # Only the answer to the announcement itself holds the label.
        label = base64.b64encode(LABEL).decode()
        return 201, {**shipment, "parcels": [{**parcel, "label_file": label}]}

    def _cancel(self, shipment: dict[str, Any]) -> tuple[int, Any]:
        if shipment["scanned"]:
            raise _Problem(409, "not_cancellable")
        if shipment.get("cancelled"):
            raise _Problem(410, "gone")
        shipment["cancelled"] = True
        return 202, {"status": "queued", "message": "Cancelling"}

    def _get(self, path: str, query: dict[str, str], body: bytes, fault: str) -> tuple[int, Any]:
        double = self.server.double
        match path.split("/"):
            case ["", "shipments"]:
                found = double.shipments.get(query["external_reference_id"])
                return 200, [] if found is None else [found]
            case ["", "parcels", parcel_id, "documents", "label"]:
                known = {str(s["parcels"][0]["id"]) for s in double.shipments.values()}
                if parcel_id not in known or self.headers.get("Accept") != "application/pdf":
                    raise _Problem(404, "not_found")
                return 200, LABEL
            case ["", "service-points"]:
                return 200, {"results": self._points(query)}
            case ["", "service-points", "1000001"]:
                return 200, POINT
        raise _Problem(404, "not_found")

    def _points(self, query: dict[str, str]) -> list[Any]:
        if ("carrier_code" in query) == ("use_integration_carriers" in query):
            raise _Problem(400, "carrier_scope")
        if ("address_postal_code" in query) == ("address_city" in query):
            raise _Problem(400, "reference_point")
        near = query.get("address_postal_code") == "5611EM" or query.get("address_city") == "Eindhoven"
        fits = query.get("carrier_code", "postnl") == "postnl" and query["country_code"] == "NL"
        return [POINT] if near and fits else []

    def _send(self, status: int, content: bytes, media_type: str = "application/json") -> None:
        try:
            self.send_response(status)
            self.send_header("Content-Type", media_type)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)
        except OSError:
            pass  # the client has given up


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, double: Double, hang_s: float) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.double, self.hang_s = double, hang_s


class SendcloudServer:
    """A context manager: ``url`` and ``double`` for its length."""

    def __init__(self, *, hang_s: float = 1.0) -> None:
        self.double = Double()
        self._server = _Server(self.double, hang_s)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)

    @property
    def url(self) -> str:
        """The adapter's base address."""
        return f"http://127.0.0.1:{self._server.server_address[1]}{BASE}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)
