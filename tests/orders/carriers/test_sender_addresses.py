"""Carriers that ask where a seller sends from: the parcel waits, and goes on once they know."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from rest_framework.test import APIClient

from members.models import Member, Notice
from orders.lifecycle import OrderStatus as S
from orders.models import Case, Order, Parcel, SandboxParcel, SenderAddress
from orders.parcel_errors import SenderAddressStale
from orders.providers.carriers.contract import Address
from orders.queries.parcels import measure_due_parcels
from orders.services.cancelling import cancel
from orders.services.carrier_calls import advance_parcel
from orders.services.issues import Terms, decide, escalate, receive_return, report_issue
from orders.services.order_deadlines import sweep_orders
from orders.services.sender_addresses import set_sender_address
from tests.factories.banking import activate
from tests.factories.listings import NOW
from tests.factories.purchases import buy, deliver
from tests.orders.support_desk import client_of

pytestmark = pytest.mark.django_db

URL = "/api/v1/me/sender-address"
HERE = {
    "name": "Ona Onaitė",
    "street": "Pilies g. 5",
    "postal_code": "01123",
    "city": "Vilnius",
    "country": "LT",
}
STAFF = "01J0000000000000000000STAF"


@pytest.fixture(autouse=True)
def strict(settings: Any) -> None:
    """The carrier makes no label without addresses."""
    settings.SANDBOX_CARRIER_NEEDS_ADDRESSES = True


@pytest.fixture
def order(seller: Member, buyer: Member) -> Order:
    return buy(seller.id, buyer.id)


def put(client: APIClient, **changes: str) -> Any:
    return client.put(URL, HERE | changes, headers={"If-Match": client.get(URL)["ETag"]})


def only_parcel() -> Parcel:
    return Parcel.objects.get()


def give(member: Member) -> None:
    set_sender_address(member_id=member.id, address=Address(**HERE), expected_version=0, now=NOW)


def may_give(client: APIClient, order: Order) -> bool:
    seen = client.get(f"/api/v1/orders/{order.id}").json()
    return "give_sender_address" in seen["allowed_actions"]


class TestPut:
    def test_says_where_one_sends_from(self, as_seller: APIClient) -> None:
        nothing = as_seller.get(URL)
        assert nothing.json() == {"address": None, "changed_at": None}
        answer = put(as_seller)
        assert answer.status_code == 200
        assert answer.json()["address"] == HERE | {"street_2": "", "phone": ""}
        assert as_seller.get(URL).json() == answer.json()
        assert as_seller.get(URL, headers={"If-None-Match": answer["ETag"]}).status_code == 304
        assert put(as_seller, street="Pilies g. 6").json()["address"]["street"] == "Pilies g. 6"
        assert HERE["street"] not in str(SenderAddress.objects.values().get())

    def test_is_in_the_sellers_market(self, as_seller: APIClient) -> None:
        answer = put(as_seller, country="DE")
        assert (answer.status_code, answer.json()["code"]) == (422, "sender_address_abroad")

    def test_needs_the_version_that_was_read(self, as_seller: APIClient, seller: Member) -> None:
        assert as_seller.put(URL, HERE).status_code == 428
        old = as_seller.get(URL)["ETag"]
        put(as_seller)
        assert as_seller.put(URL, HERE, headers={"If-Match": old}).json()["code"] == "stale_etag"
        with pytest.raises(SenderAddressStale) as refused:
            give(seller)
        assert refused.value.code == "sender_address_stale"


class TestParcel:
    def test_waits_and_the_seller_is_asked(
        self, order: Order, as_seller: APIClient, as_buyer: APIClient, seller: Member
    ) -> None:
        label = as_seller.get(f"/api/v1/orders/{order.id}/label")
        assert (label.status_code, label.json()["code"]) == (409, "label_not_ready")
        assert label.json()["parcel_status"] == "requested"
        assert label.json()["reason"] == "seller_address_missing"
        for client, may_give in ((as_seller, True), (as_buyer, False)):
            seen = client.get(f"/api/v1/orders/{order.id}").json()
            assert seen["parcels"][0]["waits_for"] == "sender_address"
            assert ("give_sender_address" in seen["allowed_actions"]) is may_give
        notice = Notice.objects.get(kind="order.address_needed")
        assert (notice.member_id, notice.params["order_id"]) == (seller.id, order.id)
        assert not Case.objects.exists()
        # It is not the carrier who is late.
        assert measure_due_parcels()[0]["requested"] == 0

    def test_goes_on_with_the_address(self, order: Order, as_seller: APIClient) -> None:
        advance_parcel(parcel_id=only_parcel().id, now=NOW)
        assert not SandboxParcel.objects.exists()
        assert put(as_seller).status_code == 200
        parcel = only_parcel()
        assert parcel.due_at is not None
        advance_parcel(parcel_id=parcel.id, now=parcel.due_at)
        parcel = only_parcel()
        assert (parcel.status, parcel.reason, parcel.attempts) == ("labelled", "", 1)
        assert json.loads(parcel.sender.reveal() if parcel.sender else "{}")["street"] == HERE["street"]
        seen = as_seller.get(f"/api/v1/orders/{order.id}").json()
        assert seen["parcels"][0]["waits_for"] is None
        assert "give_sender_address" not in seen["allowed_actions"]

    def test_looks_again_every_hour(self, order: Order, seller: Member) -> None:
        """What the seller gives for payouts does as well, and rings for no parcel."""
        advance_parcel(parcel_id=only_parcel().id, now=NOW + timedelta(hours=1))
        assert (only_parcel().attempts, only_parcel().due_at) == (0, NOW + timedelta(hours=2))
        activate(seller.id, now=NOW)
        advance_parcel(parcel_id=only_parcel().id, now=NOW + timedelta(hours=2))
        assert only_parcel().status == "labelled"

    def test_needs_no_asking_once_it_is_known(self, seller: Member, buyer: Member) -> None:
        give(seller)
        buy(seller.id, buyer.id)
        assert (only_parcel().reason, only_parcel().due_at) == ("", NOW)
        assert not Notice.objects.filter(kind="order.address_needed").exists()

    def test_is_called_off_without_the_carrier(self, order: Order, seller: Member) -> None:
        cancel(member_id=seller.id, order_id=order.id, now=NOW)
        assert (only_parcel().status, only_parcel().due_at) == ("cancelled", None)

    def test_stops_no_clock(self, order: Order) -> None:
        assert order.due_at is not None
        assert sweep_orders(now=order.due_at) == 1
        assert Order.objects.get().status == S.CANCELLED


class TestReturn:
    def test_that_has_nowhere_to_go_is_a_case_too(self, order: Order, seller: Member, buyer: Member) -> None:
        deliver(order)
        issue_id = report_issue(buyer_id=buyer.id, order_id=order.id, kind="damaged", text="torn", now=NOW)
        escalate(member_id=buyer.id, issue_id=issue_id, now=NOW)
        terms = Terms("return", postage_by="platform")
        decide(staff_id=STAFF, order_id=order.id, terms=terms, reason="torn", now=NOW)
        case = Case.objects.get(kind="label_failed")
        parcel = Parcel.objects.get(leg="return")
        assert (case.key, case.resolved_at) == (f"address:{parcel.id}", None)
        give(seller)
        advance_parcel(parcel_id=parcel.id, now=NOW)
        parcel.refresh_from_db()
        case.refresh_from_db()
        assert (parcel.status, case.resolved_at) == ("labelled", NOW)
        assert json.loads(parcel.recipient.reveal() if parcel.recipient else "{}")["city"] == "Vilnius"


@pytest.fixture
def sent_by_buyer(order: Order, buyer: Member) -> str:
    """The issue of a return without a label of ours."""
    deliver(order)
    issue_id = report_issue(buyer_id=buyer.id, order_id=order.id, kind="damaged", text="torn", now=NOW)
    escalate(member_id=buyer.id, issue_id=issue_id, now=NOW)
    terms = Terms("return", postage_by="buyer")
    decide(staff_id=STAFF, order_id=order.id, terms=terms, reason="torn", now=NOW)
    return issue_id


class TestReturnByTheBuyer:
    def test_asks_the_seller_where_to(
        self, order: Order, sent_by_buyer: str, as_buyer: APIClient, as_seller: APIClient, seller: Member
    ) -> None:
        url = f"/api/v1/issues/{sent_by_buyer}"
        before = as_buyer.get(url)
        assert before.json()["return_to"] is None
        Parcel.objects.update(reason="")
        assert (may_give(as_seller, order), may_give(as_buyer, order)) == (True, False)
        assert (
            "give_sender_address" not in as_buyer.get(f"/api/v1/orders/{order.id}").json()["allowed_actions"]
        )
        assert Notice.objects.filter(kind="order.return_address_needed", member_id=seller.id).exists()
        case = Case.objects.get(key=f"return_address:{order.id}")
        put(as_seller)
        after = as_buyer.get(url)
        assert after.json()["return_to"]["street"] == HERE["street"]
        assert after["ETag"] != before["ETag"]
        assert as_seller.get(url).json()["return_to"] is None
        case.refresh_from_db()
        assert case.resolution == "the seller gave an address"
        assert (
            "give_sender_address" not in as_seller.get(f"/api/v1/orders/{order.id}").json()["allowed_actions"]
        )

    def test_shows_it_no_longer_than_needed(
        self, sent_by_buyer: str, as_buyer: APIClient, seller: Member
    ) -> None:
        give(seller)
        assert as_buyer.get(f"/api/v1/issues/{sent_by_buyer}").json()["return_to"]["city"] == "Vilnius"
        receive_return(seller_id=seller.id, issue_id=sent_by_buyer, now=NOW)
        assert as_buyer.get(f"/api/v1/issues/{sent_by_buyer}").json()["return_to"] is None


class TestAdmin:
    def test_shows_that_there_is_one_and_not_where(self, seller: Member) -> None:
        give(seller)
        desk: Client = client_of("view_senderaddress")
        row = SenderAddress.objects.get()
        for page in ("", f"{row.id}/change/"):
            shown = desk.get(f"/admin/orders/senderaddress/{page}").content.decode()
            assert row.id in shown
            assert HERE["street"] not in shown
