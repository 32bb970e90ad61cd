"""What every carrier has to do. A subclass gives ``stage``: a provider and the hand on its carrier."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import pytest

from foundation.incoming.errors import WebhookSignatureInvalid
from orders.lifecycle.parcels import ParcelCode
from orders.providers.carriers.contract import (
    Callback,
    CallbackUnreadable,
    Carrier,
    OutcomeUnknown,
    Shipment,
    ShipmentRefused,
)
from tests.factories.money import NOON
from tests.factories.parcels import ONA, POINT, shipment_order

Signed = tuple[bytes, dict[str, str]]
C = ParcelCode


@dataclass(frozen=True)
class Stage:
    """A provider, and what drives whoever is behind it.

    ``misbehave`` names what happens to the next call: lost (nothing done, no answer), lost_after (done, no
    answer), down, refused. ``callback`` is the signed message about news; ``scan`` takes the parcel along.
    ``place`` is (country, postal code, place name) of a place with pick-up points.
    """

    carrier: Carrier
    misbehave: Callable[[str, str], None]
    callback: Callable[[str, ParcelCode, datetime], Signed]
    scan: Callable[[str], None]
    carried: Callable[[], int]
    place: tuple[str, str, str]


class CarrierContract:
    @pytest.fixture
    def stage(self) -> Stage:
        raise NotImplementedError

    def create(self, stage: Stage, reference: str = "P1") -> Shipment:
        return stage.carrier.create_shipment(shipment_order(reference), now=NOON)

    def told(self, stage: Stage, code: ParcelCode, at: datetime = NOON) -> Callback:
        body, headers = stage.callback("P1", code, at)
        stage.carrier.verifier.verify(body, headers, now=NOON)
        return stage.carrier.read_callback(body)

    def test_gives_a_number_and_a_label(self, stage: Stage) -> None:
        shipment = self.create(stage)
        assert shipment.reference == "P1"
        assert shipment.provider_id
        assert shipment.tracking_number.isascii()
        assert shipment.label.startswith(b"%PDF-")

    def test_carries_a_reference_once(self, stage: Stage) -> None:
        assert self.create(stage) == self.create(stage)
        assert stage.carried() == 1

    def test_carries_two_references_twice(self, stage: Stage) -> None:
        first, second = self.create(stage), self.create(stage, "P2")
        assert first.tracking_number != second.tracking_number
        assert first.provider_id != second.provider_id

    def test_takes_a_pickup_point(self, stage: Stage) -> None:
        assert stage.carrier.create_shipment(shipment_order(point=POINT), now=NOON).tracking_number

    @pytest.mark.parametrize("fault", ["lost", "down"])
    def test_does_not_know_when_there_is_no_answer(self, stage: Stage, fault: str) -> None:
        stage.misbehave("P1", fault)
        with pytest.raises(OutcomeUnknown):
            self.create(stage)
        assert stage.carrier.find_shipment("P1", now=NOON) is None
        assert self.create(stage).label
        assert stage.carried() == 1

    def test_finds_what_was_made_when_only_the_answer_was_lost(self, stage: Stage) -> None:
        stage.misbehave("P1", "lost_after")
        with pytest.raises(OutcomeUnknown):
            self.create(stage)
        found = stage.carrier.find_shipment("P1", now=NOON)
        assert found == self.create(stage)
        assert stage.carried() == 1

    def test_says_when_it_surely_does_not_carry_it(self, stage: Stage) -> None:
        stage.misbehave("P1", "refused")
        with pytest.raises(ShipmentRefused, match=r"^[ -~]+$"):
            self.create(stage)
        assert stage.carried() == 0

    def test_voids_a_label_as_often_as_it_is_told(self, stage: Stage) -> None:
        shipment = self.create(stage)
        assert stage.carrier.cancel_shipment(shipment.provider_id, now=NOON)
        assert stage.carrier.cancel_shipment(shipment.provider_id, now=NOON)

    def test_voids_nothing_that_it_has_taken_or_never_saw(self, stage: Stage) -> None:
        shipment = self.create(stage)
        stage.scan("P1")
        assert not stage.carrier.cancel_shipment(shipment.provider_id, now=NOON)
        assert not stage.carrier.cancel_shipment("nothing", now=NOON)

    @pytest.mark.parametrize(
        "code",
        [C.FIRST_SCAN, C.IN_TRANSIT, C.READY_FOR_PICKUP, C.DELIVERED, C.RETURNED_TO_SENDER, C.EXCEPTION],
    )
    def test_tells_by_signed_callbacks(self, stage: Stage, code: ParcelCode) -> None:
        self.create(stage)
        news = self.told(stage, code, NOON - timedelta(minutes=3))
        assert (news.reference, news.code) == ("P1", code)
        assert news.occurred_at == NOON - timedelta(minutes=3)
        assert news.raw

    def test_numbers_its_callbacks(self, stage: Stage) -> None:
        self.create(stage)
        first = self.told(stage, C.IN_TRANSIT)
        assert self.told(stage, C.IN_TRANSIT).event_id == first.event_id
        later = self.told(stage, C.IN_TRANSIT, NOON + timedelta(hours=1))
        assert len({first.event_id, later.event_id, self.told(stage, C.DELIVERED).event_id}) == 3

    def test_signs_the_very_body(self, stage: Stage) -> None:
        self.create(stage)
        body, headers = stage.callback("P1", C.DELIVERED, NOON)
        for changed, with_headers in (
            (body + b" ", headers),
            (body, {}),
            (body, dict.fromkeys(headers, "")),
            (body, dict.fromkeys(headers, "ä")),
        ):
            with pytest.raises(WebhookSignatureInvalid):
                stage.carrier.verifier.verify(changed, with_headers, now=NOON)

    @pytest.mark.parametrize(
        "body", [b"", b"[]", b"{}", b"\xff", b'{"parcel": null}', b'{"event_id": 1}', b'{"timestamp": 1e99}']
    )
    def test_refuses_to_guess_what_a_message_means(self, stage: Stage, body: bytes) -> None:
        with pytest.raises(CallbackUnreadable):
            stage.carrier.read_callback(body)

    def test_knows_pickup_points_by_postal_code_and_by_place(self, stage: Stage) -> None:
        country, postal_code, place = stage.place
        around = stage.carrier.pickup_points(country=country, postal_code=postal_code, limit=3)
        assert 1 <= len(around) <= 3
        assert stage.carrier.pickup_points(country=country, place=place, limit=1)
        point = around[0]
        assert point.country == country
        assert any(hours.opens < hours.closes for hours in point.opening_hours)
        assert float(point.latitude)
        assert stage.carrier.pickup_points(country=country, postal_code=postal_code, limit=3) == around
        assert stage.carrier.find_pickup_point(country=country, point_id=point.id) == point

    def test_knows_no_points_of_others(self, stage: Stage) -> None:
        country, postal_code, _ = stage.place
        carrier = stage.carrier
        [point, *_] = carrier.pickup_points(country=country, postal_code=postal_code, limit=1)
        mine = carrier.pickup_points(country=country, postal_code=postal_code, carrier=point.carrier, limit=1)
        assert mine == (point,)
        assert carrier.pickup_points(country=country, postal_code=postal_code, carrier="owls", limit=1) == ()
        assert carrier.find_pickup_point(country="PT", point_id=point.id) is None
        assert carrier.find_pickup_point(country=country, point_id="nowhere") is None

    def test_keeps_addresses_out_of_what_is_printed(self) -> None:
        assert ONA.name not in repr(shipment_order())
        assert ONA.street not in repr(shipment_order())
