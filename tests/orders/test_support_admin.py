"""What support does in the admin: each action once, for a reason, by who may."""

from __future__ import annotations

from datetime import timedelta
from io import BytesIO

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission
from django.test import Client
from PIL import Image
from prometheus_client import REGISTRY

from balance.chart import AccountKind as K
from foundation import clock
from listings.lifecycle import Status
from listings.models import Listing
from members.models import Member
from orders.lifecycle import OrderStatus as S
from orders.models import Case, Issue, IssueEvidence, Order, OrderEvent, OrderItem, Payment, Refund, Strike
from orders.services.cases import measure_cases, open_case
from orders.services.completing import confirm
from orders.services.issues import Terms, add_evidence, escalate, propose, receive_return, report_issue
from orders.services.selling import record_chargeback
from tests.factories.listings import NOW
from tests.factories.members import make_member
from tests.factories.money import euros
from tests.factories.orders import on_offer
from tests.factories.purchases import (
    buy,
    carry,
    check_out,
    deliver,
    held_by,
    of_ours,
    pay_for,
    refunded_to_card,
)

pytestmark = pytest.mark.django_db

ORDERS, CASES, ISSUES = "/admin/orders/order/", "/admin/orders/case/", "/admin/orders/issue/"
VIEW = ("view_order", "view_case", "view_issue", "view_strike", "view_proposal", "view_issueevidence")
STREET = "Gedimino pr. 1"
DELIVERED = NOW + timedelta(days=3)


def client_of(*permissions: str) -> Client:
    member = make_member("Agent", is_staff=True)
    member.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    client = Client()
    client.force_login(member)
    return client


@pytest.fixture
def agent(world: None) -> Client:
    return client_of(*VIEW, "change_order", "change_case", "change_issue")


@pytest.fixture
def onlooker(world: None) -> Client:
    return client_of(*VIEW)


def step_url(order: Order, step: str) -> str:
    return f"{ORDERS}{order.id}/{Order.objects.get(id=order.id).version}/{step}/"


def take(client: Client, order: Order, step: str, **data: object) -> str:
    """The page that follows."""
    given = {"reason": "asked by phone", **data}
    answer = client.post(step_url(order, step), given, follow=True)
    assert answer.status_code == 200
    return answer.content.decode()


def status_of(order: Order) -> str:
    return str(Order.objects.get(id=order.id).status)


def page(client: Client, url: str) -> str:
    answer = client.get(url)
    assert answer.status_code == 200, url
    return answer.content.decode()


def photo() -> bytes:
    file = BytesIO()
    Image.new("RGB", (700, 700), "navy").save(file, "JPEG")
    return file.getvalue()


def disputed(seller: Member, buyer: Member, *, kind: str = "damaged") -> tuple[Order, Issue]:
    """Delivered, and the buyer is not content."""
    order = deliver(buy(seller.id, buyer.id))
    report_issue(buyer_id=buyer.id, order_id=order.id, kind=kind, text="A hole in the sleeve", now=DELIVERED)
    return order, Issue.objects.get(order_id=order.id)


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
        record_chargeback(
            order_id=order.id,
            payment_id=order.payment_id or "",
            dispute_id="d1",
            provider="sandbox",
            amount=euros(2470),
            fee=euros(1500),
            now=DELIVERED,
        )
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


class TestEvidence:
    @pytest.fixture
    def issue(self, seller: Member, buyer: Member) -> Issue:
        _, issue = disputed(seller, buyer)
        add_evidence(
            member_id=buyer.id,
            issue_id=issue.id,
            content=photo(),
            declared_type="image/jpeg",
            file_name="hole.jpg",
            now=DELIVERED,
        )
        return issue

    def test_is_shown_for_a_reason(self, agent: Client, issue: Issue) -> None:
        assert "A hole" not in page(agent, f"{ISSUES}{issue.id}/change/")
        url = f"{ISSUES}{issue.id}/evidence/"
        assert "A hole" not in agent.post(url, {"reason": ""}).content.decode()
        answer = agent.post(url, {"reason": "case 7"})
        assert "A hole in the sleeve" in answer.content.decode()
        assert LogEntry.objects.get().change_message == "Words and photos shown. case 7"
        [(_, source)] = answer.context["photos"]
        shown = agent.get(source)
        assert Image.open(BytesIO(shown.content)).size == (700, 700)
        assert "no-store" in shown["Cache-Control"]

    def test_only_to_who_gave_it(self, agent: Client, onlooker: Client, issue: Issue) -> None:
        url = f"{ISSUES}{issue.id}/evidence/"
        [(_, source)] = agent.post(url, {"reason": "case 7"}).context["photos"]
        colleague = client_of(*VIEW, "change_issue")
        for client, wanted in (
            (colleague, source),
            (onlooker, source),
            (agent, source.partition("?")[0]),
            (agent, f"{source}x"),
        ):
            assert client.get(wanted).status_code == 403
        assert onlooker.post(url, {"reason": "x"}).status_code == 403
        gone = source.replace(IssueEvidence.objects.get().id, "nothing")
        assert agent.get(gone).status_code == 404
        assert agent.get(f"{ISSUES}nobody/evidence/").status_code == 404


class TestQueue:
    def test_by_deadline_overdue_marked(self, agent: Client, seller: Member, buyer: Member) -> None:
        order, now = buy(seller.id, buyer.id), clock.now()
        for key, kind, opened in (("b", "chargeback", now), ("a", "label_failed", now - timedelta(days=3))):
            open_case(kind=kind, key=key, order_id=order.id, note=f"note-{key}", now=opened)
        queue = page(agent, CASES)
        assert queue.index("note-a") < queue.index("note-b")
        assert queue.count("overdue by 2 d") == 1
        assert "note-b" not in page(agent, f"{CASES}?state=overdue")
        assert "note-a" not in page(agent, f"{CASES}?kind=chargeback")
        assert f"{ORDERS}{order.id}/change/" in queue
        measure_cases(now=now)
        figures = [
            REGISTRY.get_sample_value(f"preloved_orders_cases_{state}", {"kind": kind})
            for state in ("open", "overdue")
            for kind in ("chargeback", "label_failed", "issue")
        ]
        assert figures == [1, 1, 0, 0, 1, 0]

    def test_resolved_once_with_a_note(
        self, agent: Client, onlooker: Client, seller: Member, buyer: Member
    ) -> None:
        order = buy(seller.id, buyer.id)
        open_case(kind="label_failed", key="x", order_id=order.id, now=NOW)
        case = Case.objects.get()
        form = {"action": "resolve", "_selected_action": case.id, "confirmed": "yes", "note": "sent by hand"}
        onlooker.post(CASES, form)
        agent.post(CASES, {**form, "note": ""})
        assert Case.objects.filter(resolved_at__isnull=True).exists()
        agent.post(CASES, form)
        again = agent.post(f"{CASES}?state=all", {**form, "note": "twice"}, follow=True)
        assert "It has been resolved." in again.content.decode()
        assert Case.objects.get().resolution == "sent by hand"
        assert LogEntry.objects.get().change_message == "Resolved. sent by hand"
        assert case.id not in page(agent, CASES)
        assert case.id in page(agent, f"{CASES}?state=resolved")

    def test_money_of_another_amount_goes_back_once(
        self, agent: Client, seller: Member, buyer: Member
    ) -> None:
        order = pay_for(check_out(buyer.id, [on_offer(seller.id).id]), method="pm_captures_less")
        case = Case.objects.get(kind="payment_mismatch")
        assert (status_of(order), of_ours(K.SUSPENSE)) == (S.PENDING_PAYMENT, 2469)
        assert "Return the money" in page(agent, f"{CASES}{case.id}/change/")
        form = {
            "action": "give_back",
            "_selected_action": case.id,
            "confirmed": "yes",
            "note": "a cent short",
        }
        client_of(*VIEW, "change_case").post(f"{CASES}?state=all", form)
        assert not Refund.objects.exists()
        agent.post(f"{CASES}?state=all", form)
        again = agent.post(f"{CASES}?state=all", form, follow=True)
        assert "It has gone back." in again.content.decode()
        assert Refund.objects.get().amount_minor == 2469
        assert Payment.objects.get().refunded_minor == 2469
        assert of_ours(K.SUSPENSE) == 0
        assert Case.objects.get().resolution == "a cent short"

    def test_every_list_opens(self, agent: Client, seller: Member, buyer: Member) -> None:
        order = buy(seller.id, buyer.id, 15000, verification=True)
        carry(order, "first_scan", "at_verification", leg="to_hub")
        take(agent, order, "reject", is_counterfeit="on")
        assert seller.id in page(agent, f"/admin/orders/strike/?q={seller.id}")
        assert page(agent, f"/admin/orders/strike/{Strike.objects.get().id}/change/")
        assert page(agent, ISSUES)
