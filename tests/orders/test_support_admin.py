"""What support does to an order in the admin: each action once, for a reason, by who may."""

from __future__ import annotations

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client

from balance.chart import AccountKind as K
from listings.lifecycle import Status
from listings.models import Listing
from members.models import Member
from orders.lifecycle import OrderStatus as S
from orders.models import Case, Issue, OrderEvent, OrderItem, Strike
from orders.providers.payments.contract import DisputeOutcome
from orders.services.completing import confirm
from orders.services.issues import Terms, escalate, propose, receive_return
from tests.factories.members import make_member
from tests.factories.orders import on_offer
from tests.factories.payments import bank_says
from tests.factories.purchases import (
    buy,
    carry,
    check_out,
    deliver,
    held_by,
    of_ours,
    refunded_to_card,
)
from tests.orders.support_desk import (
    DELIVERED,
    ISSUES,
    ORDERS,
    STREET,
    VIEW,
    client_of,
    disputed,
    page,
    status_of,
    step_url,
    take,
)

pytestmark = pytest.mark.any_database


@pytest.fixture
def agent(world: None) -> Client:
    return client_of(*VIEW, "change_order", "change_case", "change_issue")


@pytest.fixture
def onlooker(world: None) -> Client:
    return client_of(*VIEW)


class TestOrderPage:
    def test_shows_all_but_the_address(self, agent: Client, seller: Member, buyer: Member) -> None:
        order = deliver(buy(seller.id, buyer.id))
        shown = page(agent, f"{ORDERS}{order.id}/change/")
        for words in ("24.70 EUR", "Captured", "deliver", "Goodwill", "in_transit"):
            assert words in shown
        assert STREET not in shown
        assert 'name="_save"' not in shown
        for wanted in (order.id, seller.id, buyer.id, order.payment_id):
            assert order.id in page(agent, f"{ORDERS}?q={wanted}")

    def test_shows_the_address_once_it_is_logged(
        self, agent: Client, onlooker: Client, seller: Member, buyer: Member
    ) -> None:
        order = buy(seller.id, buyer.id)
        url = f"{ORDERS}{order.id}/address/"
        assert STREET not in agent.post(url, {"reason": " "}).content.decode()
        assert not LogEntry.objects.exists()
        answer = agent.post(url, {"reason": "the carrier asks"})
        assert STREET in answer.content.decode()
        assert "no-store" in answer["Cache-Control"]
        assert LogEntry.objects.get().change_message == "Address shown. the carrier asks"
        assert onlooker.post(url, {"reason": "x"}).status_code == 403


class TestSteps:
    def test_cancel_once_with_a_reason(self, agent: Client, seller: Member, buyer: Member) -> None:
        order = buy(seller.id, buyer.id)
        url = step_url(order, "cancel")
        assert agent.post(url, {"reason": ""}).status_code == 200
        assert status_of(order) == S.PAID
        for _ in range(2):
            agent.post(url, {"reason": "both agree"})
        assert status_of(order) == S.CANCELLED
        assert refunded_to_card(order) == 2470
        assert LogEntry.objects.get().change_message == "Cancel. both agree"
        event = OrderEvent.objects.get(order=order, verb="cancel")
        assert (event.actor, event.reason) == ("support", "both agree")

    @pytest.mark.parametrize("step", ["cancel", "goodwill", "refund-part", "address"])
    def test_take_a_right_of_their_own(
        self, step: str, onlooker: Client, seller: Member, buyer: Member
    ) -> None:
        order = buy(seller.id, buyer.id)
        url = f"{ORDERS}{order.id}/address/" if step == "address" else step_url(order, step)
        assert onlooker.post(url, {"reason": "x", "amount": "1", "to": buyer.id}).status_code == 403
        assert "/cancel/" not in page(onlooker, f"{ORDERS}{order.id}/change/")
        assert status_of(order) == S.PAID
        assert held_by(buyer.id) == 0

    def test_form_that_is_sent_twice_acts_once(self, agent: Client, seller: Member, buyer: Member) -> None:
        order = deliver(buy(seller.id, buyer.id))
        url = step_url(order, "refund-part")
        agent.post(url, {"reason": "a stain", "amount": "5"})
        second = agent.post(url, {"reason": "a stain", "amount": "5"})
        assert "has changed" in second.content.decode()
        assert refunded_to_card(order) == 500
        assert LogEntry.objects.count() == 1

    @pytest.mark.parametrize(
        "amount", ["", "0", "-1", "0.001", "NaN", "Infinity", "1e999999", "9" * 30, "20.01"]
    )
    def test_bad_amount_moves_nothing(
        self, amount: str, agent: Client, seller: Member, buyer: Member
    ) -> None:
        order = deliver(buy(seller.id, buyer.id))
        assert "errorlist" in take(agent, order, "refund-part", amount=amount)
        assert refunded_to_card(order) == 0
        assert not LogEntry.objects.exists()

    def test_refund_of_what_is_left_after_completion(
        self, agent: Client, seller: Member, buyer: Member
    ) -> None:
        order = deliver(buy(seller.id, buyer.id))
        confirm(buyer_id=buyer.id, order_id=order.id, now=DELIVERED)
        take(agent, order, "refund-part", amount="5.00")
        take(agent, order, "refund-whole")
        assert status_of(order) == S.REFUNDED
        assert refunded_to_card(order) == 2470
        assert held_by(seller.id) == 0

    def test_goodwill_to_either_once_it_is_paid(self, agent: Client, seller: Member, buyer: Member) -> None:
        order = buy(seller.id, buyer.id)
        take(agent, order, "goodwill", to=buyer.id, amount="2.50")
        take(agent, order, "goodwill", to=seller.id, amount="1")
        assert (held_by(buyer.id), held_by(seller.id)) == (250, 100)
        assert "errorlist" in take(agent, order, "goodwill", to=make_member().id, amount="1")
        assert "At most" in take(agent, order, "goodwill", to=buyer.id, amount="24.71")
        unpaid = check_out(buyer.id, [on_offer(seller.id).id])
        assert "Nothing was paid" in take(agent, unpaid, "goodwill", to=buyer.id, amount="1")
        assert of_ours(K.GOODWILL) == 350

    @pytest.mark.parametrize("is_counterfeit", [False, True])
    def test_item_at_the_hub_is_rejected(
        self, is_counterfeit: bool, agent: Client, seller: Member, buyer: Member
    ) -> None:
        order = buy(seller.id, buyer.id, 15000, verification=True)
        carry(order, "first_scan", "at_verification", leg="to_hub")
        assert status_of(order) == S.AT_VERIFICATION
        take(agent, order, "reject", **({"is_counterfeit": "on"} if is_counterfeit else {}))
        assert status_of(order) == S.REJECTED
        assert Case.objects.get(kind="verification").resolution == "rejected"
        assert Strike.objects.filter(member_id=seller.id).exists() == is_counterfeit
        listing = Listing.objects.get(id=OrderItem.objects.get(order=order).listing_id)
        assert (listing.status == Status.REMOVED) == is_counterfeit

    def test_item_at_the_hub_goes_on(self, agent: Client, seller: Member, buyer: Member) -> None:
        order = buy(seller.id, buyer.id, 15000, verification=True)
        carry(order, "first_scan", "at_verification", leg="to_hub")
        take(agent, order, "verify")
        assert status_of(order) == S.VERIFIED
        assert OrderEvent.objects.get(order=order, verb="verify").reason == "asked by phone"

    def test_nobody_else_has_a_page(self, agent: Client, seller: Member, buyer: Member) -> None:
        order = buy(seller.id, buyer.id)
        assert agent.get(step_url(order, "delete")).status_code == 404
        assert agent.get(f"{ORDERS}nobody/1/cancel/").status_code == 404
        assert Client().get(step_url(order, "cancel")).status_code == 302
        assert "cannot verify" in take(agent, order, "verify")


class TestDecisions:
    @pytest.mark.parametrize(
        ("data", "status", "to_card", "to_seller"),
        [
            ({"decision": "uphold"}, S.COMPLETED, 0, 2000),
            ({"decision": "refund"}, S.REFUNDED, 2470, 0),
            ({"decision": "part", "amount": "7.50"}, S.COMPLETED, 750, 1250),
            ({"decision": "return", "postage_by": "platform"}, S.RETURN_PENDING, 0, 0),
        ],
    )
    def test_end_the_issue_and_resolve_its_case(
        self,
        data: dict[str, str],
        status: str,
        to_card: int,
        to_seller: int,
        agent: Client,
        seller: Member,
        buyer: Member,
    ) -> None:
        order, issue = disputed(seller, buyer)
        propose(member_id=buyer.id, issue_id=issue.id, terms=Terms("refund"), now=DELIVERED)
        escalate(member_id=buyer.id, issue_id=issue.id, now=DELIVERED)
        take(agent, order, "decide", reason="The photos show it", **data)
        assert (status_of(order), refunded_to_card(order), held_by(seller.id)) == (status, to_card, to_seller)
        case = Case.objects.get()
        assert (case.resolution, case.resolved_at is not None) == ("The photos show it", True)
        assert Issue.objects.get().decision == "The photos show it"
        assert "ended" in page(agent, f"{ISSUES}{issue.id}/change/")

    @pytest.mark.parametrize(
        "data",
        [
            {},
            {"decision": "burn"},
            {"decision": "part"},
            {"decision": "part", "amount": "20.01"},
            {"decision": "return"},
            {"decision": "refund", "amount": "1"},
            {"decision": "uphold", "postage_by": "buyer"},
        ],
    )
    def test_need_what_goes_with_them(
        self, data: dict[str, str], agent: Client, seller: Member, buyer: Member
    ) -> None:
        order, _ = disputed(seller, buyer)
        assert "errorlist" in take(agent, order, "decide", **data)
        assert status_of(order) == S.ISSUE_OPEN

    def test_chargeback_without_an_issue(self, agent: Client, seller: Member, buyer: Member) -> None:
        order = deliver(buy(seller.id, buyer.id))
        bank_says(order, DisputeOutcome.OPENED, now=DELIVERED)
        assert "reported no issue" in take(agent, order, "decide", decision="return", postage_by="buyer")
        take(agent, order, "decide", decision="uphold")
        assert status_of(order) == S.COMPLETED
        assert Case.objects.get(kind="chargeback").resolved_at is not None

    def test_second_review_is_a_second_case(self, agent: Client, seller: Member, buyer: Member) -> None:
        order, issue = disputed(seller, buyer)
        escalate(member_id=buyer.id, issue_id=issue.id, now=DELIVERED)
        take(agent, order, "decide", decision="return", postage_by="platform")
        carry(order, "first_scan", "lost", leg="return")
        assert status_of(order) == S.UNDER_REVIEW
        assert Case.objects.filter(kind="issue", resolved_at__isnull=True).count() == 1
        with pytest.raises(Exception, match="cannot receive"):
            receive_return(seller_id=seller.id, issue_id=issue.id, now=DELIVERED)
