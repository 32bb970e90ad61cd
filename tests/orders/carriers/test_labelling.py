"""Labels: asked for in the order's transaction, fetched by a worker, called off at any moment."""

from __future__ import annotations

import io
from datetime import timedelta
from typing import Any

import pytest
from django.core.files.storage import storages
from django.db import IntegrityError, transaction
from pypdf import PdfReader

from members.models import Member
from orders.models import Order, Parcel, SandboxParcel
from orders.parcel_errors import LabelNotFound, LabelNotReady
from orders.providers.carriers import sandbox
from orders.providers.carriers.contract import ShipmentOrder
from orders.providers.carriers.sandbox import SandboxCarrier
from orders.queries.parcels import due_parcel_ids, get_label
from orders.services.carrier_calls import (
    advance_parcel,
    call_carriers,
    pause_after,
    shipment_order,
    sweep_parcels,
)
from orders.services.labelling import cancel_label
from tests.factories.labelled_parcels import labelled_parcel
from tests.factories.money import NOON
from tests.factories.parcels import JONAS, ONA, POINT, ask_for_label, make_paid_order

LATER = NOON + timedelta(hours=2)


@pytest.fixture
def order(seller: Member, buyer: Member) -> Order:
    return make_paid_order(seller.id, buyer.id)


def facts(parcel_id: str) -> Parcel:
    return Parcel.objects.get(id=parcel_id)


def go(parcel_id: str, now: Any = NOON) -> Parcel:
    advance_parcel(parcel_id=parcel_id, now=now)
    return facts(parcel_id)


class TestRequestLabel:
    def test_is_only_work_until_a_worker_calls(self, order: Order) -> None:
        parcel = facts(ask_for_label(order, pickup_point=POINT))
        assert (parcel.status, parcel.due_at, parcel.attempts) == ("requested", NOON, 0)
        assert not SandboxParcel.objects.exists()
        asked = shipment_order(parcel)
        assert (asked.sender, asked.recipient, asked.pickup_point) == (ONA, JONAS, POINT)
        assert (asked.reference, asked.weight_g) == (parcel.id, 2000)

    def test_keeps_addresses_sealed(self, order: Order) -> None:
        parcel = facts(ask_for_label(order))
        for column in (parcel.sender, parcel.recipient):
            assert column is not None
            assert not any(name in column.envelope for name in (b"Ona", b"Jonas"))
        assert "Ona" not in repr(parcel.__dict__)

    def test_is_one_per_leg_while_it_is_open(self, order: Order) -> None:
        ask_for_label(order)
        ask_for_label(order, leg="return")
        with pytest.raises(IntegrityError), transaction.atomic():
            ask_for_label(order)
        assert cancel_label(order_id=order.id, leg="outbound", now=NOON)
        ask_for_label(order)


class TestAdvanceParcel:
    def test_brings_number_and_label(self, order: Order) -> None:
        parcel = go(ask_for_label(order))
        assert (parcel.status, parcel.due_at, parcel.labelled_at) == ("labelled", None, NOON)
        known = SandboxParcel.objects.get()
        assert (parcel.tracking_number, parcel.provider_id) == (known.tracking_number, known.provider_id)
        label = get_label(member_id=order.seller_id, order_id=order.id)
        assert parcel.tracking_number in PdfReader(io.BytesIO(label.pdf)).pages[0].extract_text()

    def test_keeps_the_label_sealed_in_the_storage(self, order: Order) -> None:
        parcel = go(ask_for_label(order))
        with storages["documents"].open(parcel.label_name) as file:
            content = file.read()
        assert b"%PDF" not in content
        assert not storages["default"].exists(parcel.label_name)

    def test_calls_once_however_often_it_is_rung(self, order: Order) -> None:
        parcel_id = ask_for_label(order)
        for _ in range(3):
            go(parcel_id)
        assert SandboxParcel.objects.get().calls == 1

    @pytest.mark.parametrize("answer", ["time_out", "unavailable"])
    def test_asks_again_under_the_same_reference(self, order: Order, answer: str) -> None:
        parcel_id = ask_for_label(order)
        sandbox.script(parcel_id, answer=answer, times=2)
        parcel = go(parcel_id)
        assert (parcel.status, parcel.due_at) == ("requested", NOON + pause_after(1))
        go(parcel_id)  # too early
        assert SandboxParcel.objects.get().calls == 1
        go(parcel_id, NOON + timedelta(minutes=5))
        assert go(parcel_id, LATER).status == "labelled"
        assert SandboxParcel.objects.get().calls == 3

    def test_ends_with_a_refusal(self, order: Order) -> None:
        parcel_id = ask_for_label(order)
        sandbox.script(parcel_id, answer="refuse", times=1)
        parcel = go(parcel_id)
        assert (parcel.status, parcel.reason, parcel.due_at) == ("refused", "address_not_served", None)
        assert (parcel.is_open, parcel.ended_at) == (None, NOON)
        ask_for_label(order)  # another may be asked for

    def test_a_worker_that_died_before_writing_it_down_is_made_up_for(
        self, order: Order, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        parcel_id = ask_for_label(order)

        class Died(BaseException):
            pass

        def die(*args: Any, **kwargs: Any) -> None:
            raise Died

        with monkeypatch.context() as patch:
            patch.setattr("orders.services.carrier_calls._record_label", die)
            with pytest.raises(Died):
                go(parcel_id)
        assert facts(parcel_id).status == "requested"
        assert go(parcel_id, LATER).status == "labelled"
        assert get_label(member_id=order.seller_id, order_id=order.id).pdf.startswith(b"%PDF")
        assert SandboxParcel.objects.filter(provider_id__isnull=False).count() == 1


class TestCancelLabel:
    def test_before_the_first_call_tells_nobody(self, order: Order) -> None:
        parcel_id = ask_for_label(order)
        assert cancel_label(order_id=order.id, leg="outbound", now=NOON)
        parcel = go(parcel_id)
        assert (parcel.status, parcel.due_at) == ("cancelled", None)
        assert not SandboxParcel.objects.exists()

    def test_has_a_label_voided(self, order: Order) -> None:
        parcel = labelled_parcel(order)
        assert cancel_label(order_id=order.id, leg="outbound", now=LATER)
        assert facts(parcel.id).due_at == LATER
        assert SandboxParcel.objects.get().cancelled_at is None
        assert go(parcel.id, LATER).due_at is None
        assert SandboxParcel.objects.get().cancelled_at == LATER

    def test_finds_out_what_the_carrier_made_when_its_answer_was_lost(self, order: Order) -> None:
        parcel_id = ask_for_label(order)
        sandbox.script(parcel_id, answer="time_out", times=1)
        go(parcel_id)
        assert cancel_label(order_id=order.id, leg="outbound", now=LATER)
        assert (go(parcel_id, LATER).due_at, SandboxParcel.objects.get().cancelled_at) == (None, LATER)

    def test_in_the_middle_of_the_call_voids_what_comes_of_it(
        self, order: Order, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        parcel_id = ask_for_label(order)
        real = SandboxCarrier.create_shipment

        def called_off_meanwhile(carrier: SandboxCarrier, asked: ShipmentOrder, *, now: Any) -> Any:
            cancel_label(order_id=order.id, leg="outbound", now=NOON)
            go(parcel_id)  # another worker: the carrier has nothing yet
            return real(carrier, asked, now=now)

        with monkeypatch.context() as patch:
            patch.setattr(SandboxCarrier, "create_shipment", called_off_meanwhile)
            parcel = go(parcel_id)
        assert (parcel.status, parcel.due_at) == ("cancelled", NOON)
        go(parcel_id)
        assert SandboxParcel.objects.get().cancelled_at == NOON

    def test_waits_for_a_carrier_that_is_down(self, order: Order) -> None:
        parcel_id = ask_for_label(order)
        sandbox.script(parcel_id, answer="unavailable", times=5)
        go(parcel_id)
        cancel_label(order_id=order.id, leg="outbound", now=NOON)
        assert go(parcel_id).due_at == NOON + pause_after(1)

    def test_is_too_late_after_the_first_scan(self, order: Order) -> None:
        parcel = labelled_parcel(order)
        Parcel.objects.filter(id=parcel.id).update(status="shipped", rank=20)
        assert not cancel_label(order_id=order.id, leg="outbound", now=LATER)
        assert facts(parcel.id).status == "shipped"

    def test_writes_down_that_a_carrier_would_not_void_it(self, order: Order) -> None:
        parcel = labelled_parcel(order)
        SandboxParcel.objects.update(scanned_at=NOON)
        assert cancel_label(order_id=order.id, leg="outbound", now=LATER)
        assert (go(parcel.id, LATER).status, facts(parcel.id).reason) == ("cancelled", "not_voided")

    def test_of_nothing_is_done(self, order: Order) -> None:
        assert cancel_label(order_id=order.id, leg="return", now=NOON)


class TestGetLabel:
    def test_is_the_senders(self, order: Order, outsider: Member) -> None:
        labelled_parcel(order)
        for member_id in (order.buyer_id, outsider.id):
            with pytest.raises(LabelNotFound):
                get_label(member_id=member_id, order_id=order.id)
        back = labelled_parcel(order, leg="return")
        assert get_label(member_id=order.buyer_id, order_id=order.id).parcel_id == back.id
        assert get_label(member_id=order.seller_id, order_id=order.id).parcel_id != back.id

    @pytest.mark.parametrize("leg", ["from_hub", "hub_return"])
    def test_from_the_hub_is_nobodys(self, order: Order, leg: str) -> None:
        labelled_parcel(order, leg=leg)
        for member_id in (order.buyer_id, order.seller_id):
            with pytest.raises(LabelNotFound):
                get_label(member_id=member_id, order_id=order.id)

    def test_is_not_there_before_and_not_to_be_used_after(self, order: Order) -> None:
        ask_for_label(order)
        with pytest.raises(LabelNotReady) as refused:
            get_label(member_id=order.seller_id, order_id=order.id)
        assert refused.value.extra == {"parcel_status": "requested", "reason": ""}
        labelled = go(due_parcel_ids(now=NOON, limit=1)[0])
        assert cancel_label(order_id=labelled.order_id, leg="outbound", now=NOON)
        with pytest.raises(LabelNotReady):
            get_label(member_id=order.seller_id, order_id=order.id)


class TestSweep:
    def test_rings_for_what_is_due_only(self, order: Order) -> None:
        assert sweep_parcels(now=NOON) == 0
        parcel_id = ask_for_label(order)
        assert sweep_parcels(now=NOON - timedelta(seconds=1)) == 0
        assert sweep_parcels(now=NOON) == 1
        go(parcel_id)
        assert sweep_parcels(now=LATER) == 0

    def test_with_a_sandbox_clock_makes_the_calls_itself(self, order: Order) -> None:
        parcel_id = ask_for_label(order)
        assert call_carriers(now=NOON - timedelta(seconds=1)) == 0
        assert call_carriers(now=NOON) == 1
        assert facts(parcel_id).status == "labelled"
        assert call_carriers(now=LATER) == 0

    def test_pauses_grow_to_an_hour(self) -> None:
        assert [pause_after(n).total_seconds() for n in (1, 2, 3, 50)] == [30, 60, 120, 3600]
