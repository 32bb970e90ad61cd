"""The sandbox's carrier, and Sendcloud's adapter talking over HTTP to a server that speaks its API."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest
from pypdf import PdfReader

from foundation.incoming.errors import WebhookSignatureInvalid
from orders.lifecycle.parcels import ParcelCode
from orders.models import SandboxParcel
from orders.providers.carriers import CARRIERS, carrier_named, sandbox
from orders.providers.carriers.contract import OutcomeUnknown, ShipmentRefused
from orders.providers.carriers.sendcloud import CODES, SendcloudCarrier, SendcloudVerifier
from tests.contracts.carrier_suite import CarrierContract, Signed, Stage
from tests.doubles.sendcloud_server import (
    FAULTS,
    PUBLIC_KEY,
    SECRET_KEY,
    SIGNATURE_KEY,
    SendcloudServer,
    signed,
)
from tests.factories.money import NOON
from tests.factories.parcels import JONAS, ONA, POINT, shipment_order

C = ParcelCode


class TestSandbox(CarrierContract):
    @pytest.fixture
    def stage(self, db: None) -> Stage:
        answers = {"lost_after": "time_out", "refused": "refuse"}

        def misbehave(reference: str, fault: str) -> None:
            sandbox.script(reference, answer=answers.get(fault, "unavailable"), times=1)

        def callback(reference: str, code: ParcelCode, at: datetime) -> Signed:
            return sandbox.callback(reference, code, occurred_at=at, now=NOON)

        return Stage(
            carrier=sandbox.SandboxCarrier(),
            misbehave=misbehave,
            callback=callback,
            scan=lambda reference: _done(callback(reference, C.FIRST_SCAN, NOON)),
            carried=lambda: SandboxParcel.objects.filter(provider_id__isnull=False).count(),
            place=("LT", "01103", "Vilnius"),
        )

    def test_prints_a_label_to_stick_on(self, db: None) -> None:
        shipment = sandbox.SandboxCarrier().create_shipment(shipment_order(point=POINT), now=NOON)
        [page] = PdfReader(io.BytesIO(shipment.label)).pages
        assert [round(float(side) * 25.4 / 72) for side in page.mediabox[2:]] == [105, 148]
        text = page.extract_text()
        for wanted in (ONA.name, JONAS.name, JONAS.street, "10115 Berlin", POINT.name, "max. 2 kg"):
            assert wanted in text
        assert shipment.tracking_number in text

    def test_wraps_what_is_too_long_for_the_label(self, db: None) -> None:
        long = replace(JONAS, name="Anna-Lena " * 12)
        order = replace(shipment_order(), recipient=long)
        label = sandbox.SandboxCarrier().create_shipment(order, now=NOON).label
        text = PdfReader(io.BytesIO(label)).pages[0].extract_text()
        assert text.count("Anna-Lena") == 12


def _done(happened: object) -> None:
    assert happened


@pytest.fixture
def server() -> Iterator[SendcloudServer]:
    with SendcloudServer(hang_s=0.6) as server:
        yield server


def adapter(server: SendcloudServer, **changes: Any) -> SendcloudCarrier:
    facts: dict[str, Any] = {
        "public_key": PUBLIC_KEY,
        "secret_key": SECRET_KEY,
        "signature_key": SIGNATURE_KEY,
        "base_url": server.url,
        "timeout_s": 0.3,
    }
    return SendcloudCarrier(**(facts | changes))


class TestSendcloud(CarrierContract):
    @pytest.fixture
    def stage(self, server: SendcloudServer) -> Stage:
        faults = {"lost": "hang", "lost_after": "hang_after", "down": "internal_error"}
        statuses = {
            C.FIRST_SCAN: 22,
            C.IN_TRANSIT: 91,
            C.READY_FOR_PICKUP: 12,
            C.DELIVERED: 11,
            C.RETURNED_TO_SENDER: 62992,
            C.EXCEPTION: 62996,
        }
        double = server.double

        return Stage(
            carrier=adapter(server),
            misbehave=lambda _, fault: double.faults.append(faults.get(fault, "not_served")),
            callback=lambda reference, code, at: double.webhook(reference, statuses[code], at),
            scan=lambda reference: double.shipments[reference].update(scanned=True),
            carried=lambda: len(double.shipments),
            place=("NL", "5611EM", "Eindhoven"),
        )

    def test_needs_addresses(self, server: SendcloudServer) -> None:
        assert adapter(server).needs_addresses

    def test_asks_in_the_words_of_the_api(self, server: SendcloudServer) -> None:
        adapter(server).create_shipment(shipment_order(point=POINT), now=NOON)
        [request] = server.double.requests
        body = json.loads(request["body"])
        assert body["ship_with"]["properties"] == {"shipping_option_code": "postnl:standard"}
        assert body["to_service_point"] == {"id": POINT.id}
        assert body["parcels"] == [{"weight": {"value": "2.000", "unit": "kg"}}]
        assert (body["external_reference_id"], body["order_number"]) == ("P1", "P1")
        assert body["to_address"]["address_line_2"] == "Hof links"

    @pytest.mark.parametrize("fault", sorted(set(FAULTS) - {"not_served", "not_announced"}))
    def test_knows_nothing_after_any_fault_but_a_refusal(self, server: SendcloudServer, fault: str) -> None:
        carrier = adapter(server)
        calls: list[Any] = [
            lambda: carrier.create_shipment(shipment_order(), now=NOON),
            lambda: carrier.find_shipment("P1", now=NOON),
            lambda: carrier.pickup_points(country="NL", place="Eindhoven", limit=1),
            lambda: carrier.find_pickup_point(country="NL", point_id="1000001"),
        ]
        if "hang" in fault:
            calls = calls[:1]  # each costs the time that it waits
        for call in calls:
            server.double.faults.append(fault)
            with pytest.raises(OutcomeUnknown):
                call()
        assert carrier.create_shipment(shipment_order(), now=NOON).label
        assert len(server.double.shipments) == 1

    def test_a_failed_announcement_is_a_refusal_and_stays_one(self, server: SendcloudServer) -> None:
        server.double.faults.append("not_announced")
        for _ in range(2):
            with pytest.raises(ShipmentRefused, match="announcement_failed"):
                adapter(server).create_shipment(shipment_order(), now=NOON)

    def test_knows_nothing_with_a_wrong_key_or_without_a_server(self, server: SendcloudServer) -> None:
        for carrier in (adapter(server, secret_key="wrong"), adapter(server, base_url="http://127.0.0.1:9")):
            with pytest.raises(OutcomeUnknown):
                carrier.create_shipment(shipment_order(), now=NOON)
            with pytest.raises(OutcomeUnknown):
                carrier.cancel_shipment("shipment-0", now=NOON)

    def test_what_is_not_about_a_parcel_of_ours_is_left_alone(self, server: SendcloudServer) -> None:
        other = b'{"action": "integration_updated", "timestamp": 1525271885993}'
        assert adapter(server).read_callback(other).code is None
        adapter(server).create_shipment(shipment_order(), now=NOON)
        body, _ = server.double.webhook("P1", 11, NOON)
        for number in ("Bestellung 5 für Ülo", None, ""):
            message = json.loads(body)
            message["parcel"]["order_number"] = number
            assert adapter(server).read_callback(json.dumps(message).encode()).reference == "none"

    def test_a_status_that_is_not_in_the_table_is_an_exception(self, server: SendcloudServer) -> None:
        adapter(server).create_shipment(shipment_order(), now=NOON)
        message = json.loads(server.double.webhook("P1", 11, NOON)[0])
        message["parcel"]["status"] = {"id": 777, "message": "Teleported"}
        assert adapter(server).read_callback(json.dumps(message).encode()).code is C.EXCEPTION
        assert {CODES[status] for status in (11, 93)} == {C.DELIVERED}

    def test_without_a_key_nobody_can_sign(self) -> None:
        with pytest.raises(WebhookSignatureInvalid):
            SendcloudVerifier("").verify(b"{}", signed(b"{}", key=""), now=NOON)
        SendcloudVerifier(SIGNATURE_KEY).verify(b"{}", signed(b"{}"), now=NOON)


class TestCarriers:
    def test_are_the_two(self) -> None:
        assert sorted(CARRIERS) == ["sandbox", "sendcloud"]
        assert {carrier_named(name).name for name in CARRIERS} == set(CARRIERS)
