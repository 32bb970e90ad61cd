"""Rare turns of an order's life: its money stays right, and somebody looks after what is left over."""

from __future__ import annotations

from datetime import timedelta

import pytest

from balance.chart import AccountKind as K
from foundation.errors import DomainError
from foundation.ids import new_id
from members.models import Member
from members.queries import list_restrictions
from orders.errors import RefundExceedsRemaining
from orders.models import Case, Issue, Order, Parcel, Strike
from orders.providers.payments.contract import DisputeOutcome
from orders.services import issues
from orders.services.cases import open_case, resolve_case
from orders.services.completing import confirm
from orders.services.issues import Terms
from orders.services.order_deadlines import sweep_orders
from orders.services.supporting import give_goodwill, refund_part, refund_whole
from tests.factories.listings import NOW
from tests.factories.money import euros
from tests.factories.payments import bank_says
from tests.factories.purchases import buy, carry, deliver, held_by, of_ours, refunded_to_card

STAFF = "01J0000000000000000000STAF"
LATER = NOW + timedelta(days=3)


def charge_back(order: Order) -> None:
    """The bank takes all of it back, for a fee of 15.00."""
    bank_says(order, DisputeOutcome.OPENED, now=LATER)


def win(order: Order) -> None:
    bank_says(order, DisputeOutcome.WON, now=LATER)


def decide(order: Order, kind: str | None, postage_by: str = "") -> None:
    terms = None if kind is None else Terms(kind, postage_by=postage_by)
    issues.decide(staff_id=STAFF, order_id=order.id, terms=terms, reason="seen", now=LATER)


def disputed_return(order: Order, *, postage_by: str = "buyer") -> Issue:
    """Delivered, objected to, and to be sent back."""
    deliver(order)
    issue_id = issues.report_issue(
        buyer_id=order.buyer_id, order_id=order.id, kind="damaged", text="Torn", now=LATER
    )
    decide(order, "return", postage_by)
    return Issue.objects.get(id=issue_id)


@pytest.fixture
def order(seller: Member, buyer: Member) -> Order:
    """24.70 by card, of which 20.00 for the item."""
    return buy(seller.id, buyer.id)


@pytest.fixture
def completed(order: Order) -> Order:
    deliver(order)
    confirm(buyer_id=order.buyer_id, order_id=order.id, now=LATER)
    return Order.objects.get(id=order.id)


def read(order: Order) -> Order:
    return Order.objects.get(id=order.id)


class TestChargeback:
    def test_after_completion_the_seller_answers_for_the_item(self, completed: Order) -> None:
        charge_back(completed)
        assert held_by(completed.seller_id) == 0
        assert of_ours(K.CHARGEBACK_LOSSES) == 470 + 1500
        win(completed)
        assert (held_by(completed.seller_id), of_ours(K.CHARGEBACK_LOSSES)) == (2000, 1500)
        assert read(completed).charged_back_minor == 0

    def test_is_not_paid_back_once_more(self, completed: Order) -> None:
        charge_back(completed)
        with pytest.raises(RefundExceedsRemaining):
            refund_whole(staff_id=STAFF, order_id=completed.id, reason="again", now=LATER)
        assert (read(completed).status, refunded_to_card(completed)) == ("completed", 0)

    def test_before_completion_a_refund_makes_up_for_it(self, order: Order) -> None:
        charge_back(order)
        decide(order, "refund")
        assert (read(order).status, refunded_to_card(order)) == ("refunded", 0)
        assert held_by(order.seller_id, K.PENDING) == 0
        assert of_ours(K.CHARGEBACK_LOSSES) == 1500

    def test_won_after_such_a_refund_goes_to_the_card(self, order: Order) -> None:
        charge_back(order)
        decide(order, "refund")
        win(order)
        win(order)
        assert (refunded_to_card(order), of_ours(K.CHARGEBACK_LOSSES)) == (2470, 1500)

    def test_of_an_unsent_order_that_nobody_sends_back_completes(self, order: Order) -> None:
        charge_back(order)
        decide(order, "return", "buyer")
        due_at = read(order).due_at
        assert due_at is not None
        assert sweep_orders(now=due_at) == 1
        assert (read(order).status, read(order).delivered_at) == ("completed", due_at)


class TestPostage:
    @pytest.mark.parametrize("code", ["returned_to_sender", "lost"])
    def test_is_used_up_even_if_that_is_the_first_that_is_heard(self, order: Order, code: str) -> None:
        carry(order, code)
        assert refunded_to_card(order) == 2470
        assert (of_ours(K.CARRIER_PAYABLE), of_ours(K.CARRIER_COSTS)) == (300, 300)

    def test_of_a_return_is_charged_once_however_it_is_heard_of(self, order: Order) -> None:
        issue = disputed_return(order, postage_by="seller")
        issues.receive_return(seller_id=order.seller_id, issue_id=issue.id, now=LATER)
        for code in ("first_scan", "delivered", "delivered"):
            carry(order, code, leg="return", now=LATER)
        assert read(order).status == "refunded"
        assert held_by(order.seller_id) == -300

    def test_of_a_return_that_the_buyer_sends_is_nothing_of_ours(self, order: Order) -> None:
        issue = disputed_return(order)
        issues.receive_return(seller_id=order.seller_id, issue_id=issue.id, now=LATER)
        assert held_by(order.seller_id) == 0
        assert not Parcel.objects.filter(order_id=order.id, leg="return").exists()


class TestReview:
    def test_a_return_that_goes_wrong_is_looked_at_again(self, order: Order) -> None:
        issue = disputed_return(order, postage_by="platform")
        carry(order, "first_scan", leg="return", now=LATER)
        issues.escalate(member_id=order.seller_id, issue_id=issue.id, now=LATER)
        [case] = Case.objects.filter(kind="issue", resolved_at=None)
        assert case.order_id == order.id
        decide(order, "return", "platform")
        case.refresh_from_db()
        assert (case.resolved_by, case.resolution) == (STAFF, "seen")
        carry(order, "lost", leg="return", now=LATER)
        assert Case.objects.filter(kind="issue", resolved_at=None).count() == 1
        decide(order, None)
        assert held_by(order.seller_id) == 2000


class TestSupport:
    def test_gives_a_part_back_before_completion(self, order: Order) -> None:
        deliver(order)
        refund_part(staff_id=STAFF, order_id=order.id, item=euros(500), reason="stain", now=LATER)
        confirm(buyer_id=order.buyer_id, order_id=order.id, now=LATER)
        assert (refunded_to_card(order), held_by(order.seller_id)) == (500, 1500)

    def test_gives_goodwill_up_to_what_was_paid(self, order: Order) -> None:
        def give(minor: int) -> None:
            give_goodwill(
                staff_id=STAFF,
                order_id=order.id,
                member_id=order.buyer_id,
                amount=euros(minor),
                reason="late",
                now=LATER,
            )

        give(2470)
        assert (held_by(order.buyer_id), of_ours(K.GOODWILL)) == (2470, 2470)
        for minor in (2471, 0):
            with pytest.raises(RefundExceedsRemaining):
                give(minor)


class TestCase:
    def test_is_resolved_once(self, order: Order) -> None:
        open_case(kind="label_failed", key="label:1", order_id=order.id, now=LATER)
        case = Case.objects.get()

        def resolve(case_id: str) -> None:
            resolve_case(case_id=case_id, staff_id=STAFF, resolution="sent by hand", now=LATER)

        resolve(case.id)
        case.refresh_from_db()
        assert (case.resolved_by, case.resolution) == (STAFF, "sent by hand")
        for case_id, code in ((case.id, "invalid_transition"), (new_id(), "case_not_found")):
            with pytest.raises(DomainError) as refused:
                resolve(case_id)
            assert refused.value.code == code


class TestStrikes:
    def test_the_third_within_half_a_year_pauses_selling(self, seller: Member, buyer: Member) -> None:
        for months in (0, 7, 8, 9):
            order = buy(seller.id, buyer.id, now=NOW + timedelta(days=30 * months))
            due_at = order.due_at or NOW
            assert not list_restrictions(seller.id, now=due_at)
            sweep_orders(now=due_at)
        assert Strike.objects.filter(reason="not_sent").count() == 4
        [paused] = list_restrictions(seller.id, now=due_at)
        assert (paused.capability, paused.reason) == ("sell", "too_many_strikes")
