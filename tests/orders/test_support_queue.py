"""Support's queue, and what is opened for a reason."""

from __future__ import annotations

from datetime import timedelta
from io import BytesIO

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client
from PIL import Image
from prometheus_client import REGISTRY

from balance.chart import AccountKind as K
from foundation import clock
from members.models import Member
from orders.lifecycle import OrderStatus as S
from orders.models import Case, Issue, IssueEvidence, Payment, Refund, Strike
from orders.services.cases import measure_cases, open_case
from orders.services.issues import add_evidence
from tests.factories.listings import NOW
from tests.factories.orders import on_offer
from tests.factories.purchases import (
    buy,
    carry,
    check_out,
    of_ours,
    pay_for,
)
from tests.orders.support_desk import (
    CASES,
    DELIVERED,
    ISSUES,
    ORDERS,
    VIEW,
    client_of,
    disputed,
    page,
    photo,
    status_of,
    take,
)

pytestmark = pytest.mark.any_database


@pytest.fixture
def agent(world: None) -> Client:
    return client_of(*VIEW, "change_order", "change_case", "change_issue")


@pytest.fixture
def onlooker(world: None) -> Client:
    return client_of(*VIEW)


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
