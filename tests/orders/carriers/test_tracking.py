"""News of carriers: late, twice and in any order. Whatever the order, the parcel ends alike."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from foundation.incoming.processing import process_event
from foundation.incoming.receiving import receive
from foundation.lifecycle import UnknownTransition
from members.models import Member
from orders.lifecycle.parcels import OPEN, PARCEL, RANKS, STATUS_OF, WITH_CARRIER, ParcelCode, ParcelStatus
from orders.models import Order, Parcel, ParcelEvent
from orders.providers.carriers import sandbox
from orders.providers.carriers.contract import Callback
from orders.queries.parcels import parcels_of
from orders.services.carrier_callbacks import KIND
from orders.services.carrier_calls import advance_parcel
from orders.services.labelling import cancel_label
from orders.services.tracking import record_news
from tests.factories.labelled_parcels import labelled_parcel
from tests.factories.listings import NOW
from tests.factories.parcels import ask_for_label
from tests.factories.purchases import buy

C, S = ParcelCode, ParcelStatus
JOURNEY = (C.LABEL_CREATED, C.FIRST_SCAN, C.IN_TRANSIT, C.EXCEPTION, C.READY_FOR_PICKUP, C.DELIVERED)
LATER = NOW + timedelta(days=3)


@pytest.fixture
def order(seller: Member, buyer: Member) -> Order:
    """Really paid: what news does to the money is done."""
    return buy(seller.id, buyer.id)


def news(parcel: Parcel, code: ParcelCode | None, *, at: datetime = NOW, number: str = "") -> Callback:
    return Callback(f"{parcel.id}:{code}:{at.isoformat()}{number}", parcel.id, at, code, "{}")


def tell(parcel: Parcel, code: ParcelCode | None, *, at: datetime = NOW, number: str = "") -> bool:
    told = news(parcel, code, at=at, number=number)
    return record_news(provider="sandbox", news=told, received_at=LATER, now=LATER)


def status_of(parcel: Parcel) -> str:
    return str(Parcel.objects.get(id=parcel.id).status)


class TestLifecycle:
    def test_each_row_leads_upwards(self) -> None:
        assert all(RANKS[S(row.source)] < RANKS[S(row.target)] for row in PARCEL.transitions)

    def test_news_that_is_no_news_has_no_row(self) -> None:
        for code, target in STATUS_OF.items():
            for source in S:
                if RANKS[source] >= RANKS[target]:
                    with pytest.raises(UnknownTransition):
                        PARCEL.row(source, code.value)

    def test_what_is_with_the_carrier_is_not_called_off(self) -> None:
        for status in WITH_CARRIER:
            with pytest.raises(UnknownTransition):
                PARCEL.row(status, "cancel")
        assert not {S.DELIVERED, S.RETURNED_TO_SENDER, S.CANCELLED} & set(OPEN)

    def test_ranks_tell_statuses_apart(self) -> None:
        """Two of one rank are of different legs, or nobody hears of them from a carrier."""
        told = [RANKS[status] for status in STATUS_OF.values() if status is not S.AT_VERIFICATION]
        assert len(set(told)) == len(told)


class TestRecordNews:
    def test_takes_the_parcel_along(self, order: Order) -> None:
        parcel = labelled_parcel(order, now=NOW)
        seen = []
        for day, code in enumerate(JOURNEY):
            tell(parcel, code, at=NOW + timedelta(hours=day))
            seen.append(status_of(parcel))
        assert seen == ["labelled", "shipped", "in_transit", "in_transit", "ready_for_pickup", "delivered"]
        row = Parcel.objects.get(id=parcel.id)
        assert (row.last_event_at, row.ended_at, row.is_open) == (NOW + timedelta(hours=5), LATER, None)

    def test_keeps_every_piece_of_news_once(self, order: Order) -> None:
        parcel = labelled_parcel(order, now=NOW)
        assert tell(parcel, C.DELIVERED)
        assert not tell(parcel, C.DELIVERED)
        assert not tell(parcel, C.IN_TRANSIT, at=NOW - timedelta(hours=1))
        kept = ParcelEvent.objects.filter(parcel_id=parcel.id).order_by("id")
        assert [(event.code, event.has_moved) for event in kept] == [
            ("delivered", True),
            ("in_transit", False),
        ]
        assert kept[0].raw is not None
        assert kept[0].raw.reveal() == "{}"
        assert kept[0].received_at == LATER

    def test_may_come_before_the_answer_about_the_label(self, order: Order) -> None:
        parcel = Parcel.objects.get()
        assert not tell(parcel, C.LABEL_CREATED)
        assert status_of(parcel) == "requested"
        assert tell(parcel, C.FIRST_SCAN)
        assert status_of(parcel) == "shipped"

    def test_is_not_from_the_future(self, order: Order) -> None:
        parcel = labelled_parcel(order, now=NOW)
        tell(parcel, C.FIRST_SCAN, at=LATER + timedelta(hours=1))
        assert Parcel.objects.get(id=parcel.id).last_event_at == LATER

    def test_delivered_to_the_hub_is_at_verification(self, order: Order) -> None:
        parcel = labelled_parcel(order, leg="to_hub", now=NOW)
        assert tell(parcel, C.DELIVERED)
        assert status_of(parcel) == "at_verification"

    def test_of_parcels_of_others_is_left_alone(self, order: Order) -> None:
        parcel = labelled_parcel(order, now=NOW)
        assert not record_news(
            provider="sendcloud", news=news(parcel, C.DELIVERED), received_at=LATER, now=LATER
        )
        other = Callback("1", "none", NOW, C.DELIVERED, "{}")
        assert not record_news(provider="sandbox", news=other, received_at=LATER, now=LATER)
        assert not tell(parcel, None)
        assert status_of(parcel) == "labelled"
        assert not ParcelEvent.objects.exists()

    def test_a_lost_parcel_may_turn_up(self, order: Order) -> None:
        parcel = labelled_parcel(order, now=NOW)
        tell(parcel, C.LOST)
        assert status_of(parcel) == "lost"
        tell(parcel, C.DELIVERED)
        assert status_of(parcel) == "delivered"

    def test_a_carrier_may_take_what_was_called_off(self, order: Order) -> None:
        parcel = labelled_parcel(order, now=NOW)
        cancel_label(order_id=order.id, leg="outbound", now=NOW)
        ask_for_label(order, now=NOW)
        assert tell(parcel, C.FIRST_SCAN)
        row = Parcel.objects.get(id=parcel.id)
        assert (row.status, row.is_open, row.due_at) == ("shipped", None, None)
        advance_parcel(parcel_id=parcel.id, now=LATER)
        assert status_of(parcel) == "shipped"

    @settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(data=st.data())
    def test_in_any_order_and_number_ends_alike(self, order: Order, data: st.DataObject) -> None:
        known = data.draw(st.lists(st.sampled_from(sorted(C)), min_size=1, max_size=6))
        leg = data.draw(st.sampled_from(["outbound", "to_hub", "from_hub", "return", "hub_return"]))
        feed = data.draw(st.permutations(known + data.draw(st.lists(st.sampled_from(known), max_size=6))))
        Parcel.objects.filter(order_id=order.id).update(is_open=None, ended_at=NOW)
        parcel = labelled_parcel(order, leg=leg, now=NOW)
        seen = [RANKS[S.LABELLED]]
        for code in feed:
            tell(parcel, code)
            seen.append(Parcel.objects.get(id=parcel.id).rank)
        assert all(before <= after for before, after in pairwise(seen))
        reached = max([RANKS[STATUS_OF[code]] for code in known if code in STATUS_OF] + seen[:1])
        assert seen[-1] == reached
        assert ParcelEvent.objects.filter(parcel_id=parcel.id).count() == len(set(known))


class TestCallbacks:
    def told(self, body: bytes, headers: dict[str, str]) -> bool:
        event_id, is_new = receive(kind=KIND, provider="sandbox", body=body, headers=headers, now=NOW)
        process_event(event_id=event_id, now=NOW)
        return is_new

    def test_come_signed_and_move_the_parcel(self, order: Order) -> None:
        parcel = labelled_parcel(order, now=NOW)
        message = sandbox.callback(parcel.id, C.DELIVERED, occurred_at=NOW, now=NOW)
        assert self.told(*message)
        assert not self.told(*message)
        assert status_of(parcel) == "delivered"
        assert ParcelEvent.objects.filter(parcel_id=parcel.id).count() == 1

    def test_are_told_to_the_members_of_the_order(self, order: Order) -> None:
        parcel = labelled_parcel(order, now=NOW)
        for hours, code in ((5, C.DELIVERED), (1, C.FIRST_SCAN)):
            tell(parcel, code, at=NOW + timedelta(hours=hours))
        [facts] = parcels_of(order.id)
        assert [one.code for one in facts.events] == ["first_scan", "delivered"]
        assert (facts.status, facts.tracking_number) == ("delivered", parcel.tracking_number)
