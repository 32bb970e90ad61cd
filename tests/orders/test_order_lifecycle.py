"""Every row of the lives of orders and proposals, through the service that runs it, with its money.

ROWS is the table of docs/lifecycles.md once more, by hand, with what each row leaves in the ledger.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from enum import Enum, auto

import pytest
from django.db import transaction

from balance.chart import AccountKind as K
from foundation.errors import DomainError
from members.models import Member
from orders.lifecycle import BUYER, CARRIER, ORDER, PROVIDER, SELLER, SUPPORT
from orders.lifecycle.issues import PROPOSAL
from orders.models import Issue, Order, OrderEvent, OrderItem, Proposal
from orders.services import issues
from orders.services.order_deadlines import sweep_orders
from tests.factories.listings import NOW
from tests.factories.order_life import A_PART, BY_MEMBERS, BY_NEWS, PART_MINOR, RETURN, order_in
from tests.factories.purchases import held_by, of_ours, refunded_to_card

LATER = NOW + timedelta(hours=3)
CLOCK = "clock"


class Money(Enum):
    """Where the money is after a row."""

    NOT_PAID = auto()
    IN_ESCROW = auto()
    WITH_THE_SELLER = auto()
    BACK = auto()
    BACK_AND_COMPENSATED = auto()
    PART_BACK = auto()


ESCROW, EARNED, BACK, PART = Money.IN_ESCROW, Money.WITH_THE_SELLER, Money.BACK, Money.PART_BACK
NOT_PAID, BOTH = Money.NOT_PAID, Money.BACK_AND_COMPENSATED

ROWS = [
    ("pending_payment", "pay", PROVIDER, "paid", ESCROW),
    ("pending_payment", "fail", PROVIDER, "failed", NOT_PAID),
    ("pending_payment", "abandon", BUYER, "expired", NOT_PAID),
    ("pending_payment", "expire", CLOCK, "expired", NOT_PAID),
    ("paid", "cancel", BUYER, "cancelled", BACK),
    ("paid", "request_cancellation", BUYER, "cancel_requested", ESCROW),
    ("paid", "cancel", SELLER, "cancelled", BACK),
    ("paid", "cancel", SUPPORT, "cancelled", BACK),
    ("paid", "ship", SELLER, "paid", ESCROW),
    ("paid", "cancel_unsent", CLOCK, "cancelled", BACK),
    ("cancel_requested", "cancel", SELLER, "cancelled", BACK),
    ("cancel_requested", "refuse_cancellation", SELLER, "paid", ESCROW),
    ("cancel_requested", "cancel", SUPPORT, "cancelled", BACK),
    ("cancel_requested", "cancel_unanswered", CLOCK, "cancelled", BACK),
    ("paid", "scan", CARRIER, "shipped", ESCROW),
    ("cancel_requested", "scan", CARRIER, "shipped", ESCROW),
    ("paid", "transit", CARRIER, "in_transit", ESCROW),
    ("cancel_requested", "transit", CARRIER, "in_transit", ESCROW),
    ("shipped", "transit", CARRIER, "in_transit", ESCROW),
    ("paid", "reach_hub", CARRIER, "at_verification", ESCROW),
    ("cancel_requested", "reach_hub", CARRIER, "at_verification", ESCROW),
    ("shipped", "reach_hub", CARRIER, "at_verification", ESCROW),
    ("in_transit", "reach_hub", CARRIER, "at_verification", ESCROW),
    ("paid", "arrive", CARRIER, "ready_for_pickup", ESCROW),
    ("cancel_requested", "arrive", CARRIER, "ready_for_pickup", ESCROW),
    ("shipped", "arrive", CARRIER, "ready_for_pickup", ESCROW),
    ("in_transit", "arrive", CARRIER, "ready_for_pickup", ESCROW),
    ("verified", "arrive", CARRIER, "ready_for_pickup", ESCROW),
    ("paid", "deliver", CARRIER, "delivered", ESCROW),
    ("cancel_requested", "deliver", CARRIER, "delivered", ESCROW),
    ("shipped", "deliver", CARRIER, "delivered", ESCROW),
    ("in_transit", "deliver", CARRIER, "delivered", ESCROW),
    ("ready_for_pickup", "deliver", CARRIER, "delivered", ESCROW),
    ("verified", "deliver", CARRIER, "delivered", ESCROW),
    ("paid", "return_to_sender", CARRIER, "returned_to_sender", BACK),
    ("cancel_requested", "return_to_sender", CARRIER, "returned_to_sender", BACK),
    ("shipped", "return_to_sender", CARRIER, "returned_to_sender", BACK),
    ("in_transit", "return_to_sender", CARRIER, "returned_to_sender", BACK),
    ("ready_for_pickup", "return_to_sender", CARRIER, "returned_to_sender", BACK),
    ("verified", "return_to_sender", CARRIER, "returned_to_sender", BACK),
    ("paid", "lose", CARRIER, "refunded", BOTH),
    ("cancel_requested", "lose", CARRIER, "refunded", BOTH),
    ("shipped", "lose", CARRIER, "refunded", BOTH),
    ("in_transit", "lose", CARRIER, "refunded", BOTH),
    ("ready_for_pickup", "lose", CARRIER, "refunded", BOTH),
    ("verified", "lose", CARRIER, "refunded", BOTH),
    ("shipped", "presume_delivered", CLOCK, "delivered", ESCROW),
    ("in_transit", "presume_delivered", CLOCK, "delivered", ESCROW),
    ("ready_for_pickup", "presume_delivered", CLOCK, "delivered", ESCROW),
    ("verified", "presume_delivered", CLOCK, "delivered", ESCROW),
    ("at_verification", "verify", SUPPORT, "verified", ESCROW),
    ("at_verification", "reject", SUPPORT, "rejected", BACK),
    ("delivered", "confirm", BUYER, "completed", EARNED),
    ("delivered", "complete", CLOCK, "completed", EARNED),
    ("delivered", "open_issue", BUYER, "issue_open", ESCROW),
    ("issue_open", "confirm", BUYER, "completed", EARNED),
    ("issue_open", "agree_refund", BUYER, "refunded", BACK),
    ("issue_open", "agree_refund", SELLER, "refunded", BACK),
    ("issue_open", "agree_part", BUYER, "completed", PART),
    ("issue_open", "agree_part", SELLER, "completed", PART),
    ("issue_open", "agree_return", BUYER, "return_pending", ESCROW),
    ("issue_open", "agree_return", SELLER, "return_pending", ESCROW),
    ("issue_open", "escalate", BUYER, "under_review", ESCROW),
    ("issue_open", "escalate", SELLER, "under_review", ESCROW),
    ("issue_open", "escalate", CLOCK, "under_review", ESCROW),
    ("paid", "dispute", PROVIDER, "under_review", ESCROW),
    ("cancel_requested", "dispute", PROVIDER, "under_review", ESCROW),
    ("shipped", "dispute", PROVIDER, "under_review", ESCROW),
    ("in_transit", "dispute", PROVIDER, "under_review", ESCROW),
    ("ready_for_pickup", "dispute", PROVIDER, "under_review", ESCROW),
    ("at_verification", "dispute", PROVIDER, "under_review", ESCROW),
    ("verified", "dispute", PROVIDER, "under_review", ESCROW),
    ("delivered", "dispute", PROVIDER, "under_review", ESCROW),
    ("issue_open", "dispute", PROVIDER, "under_review", ESCROW),
    ("return_pending", "dispute", PROVIDER, "under_review", ESCROW),
    ("returning", "dispute", PROVIDER, "under_review", ESCROW),
    ("issue_open", "uphold_sale", SUPPORT, "completed", EARNED),
    ("issue_open", "refund", SUPPORT, "refunded", BACK),
    ("issue_open", "refund_part", SUPPORT, "completed", PART),
    ("issue_open", "order_return", SUPPORT, "return_pending", ESCROW),
    ("under_review", "uphold_sale", SUPPORT, "completed", EARNED),
    ("under_review", "refund", SUPPORT, "refunded", BACK),
    ("under_review", "refund_part", SUPPORT, "completed", PART),
    ("under_review", "order_return", SUPPORT, "return_pending", ESCROW),
    ("return_pending", "send_back", BUYER, "returning", ESCROW),
    ("return_pending", "send_back", CARRIER, "returning", ESCROW),
    ("return_pending", "receive", SELLER, "refunded", BACK),
    ("return_pending", "receive", CARRIER, "refunded", BACK),
    ("return_pending", "escalate", CARRIER, "under_review", ESCROW),
    ("return_pending", "keep", CLOCK, "completed", EARNED),
    ("returning", "receive", SELLER, "refunded", BACK),
    ("returning", "receive", CARRIER, "refunded", BACK),
    ("returning", "escalate", SELLER, "under_review", ESCROW),
    ("returning", "escalate", CARRIER, "under_review", ESCROW),
    ("returning", "escalate", CLOCK, "under_review", ESCROW),
    ("completed", "refund", SUPPORT, "refunded", BACK),
]


def wait(order: Order) -> None:
    """Until the clock's moment: it acts then, once, and not before."""
    assert order.due_at is not None
    assert sweep_orders(now=order.due_at - timedelta(microseconds=1)) == 0
    assert [sweep_orders(now=order.due_at) for _ in range(2)] == [1, 0]


def money_of(order: Order) -> tuple[int, ...]:
    """Pending, the seller's own, back on the card, fees and postage not earned yet."""
    deferred = (K.FEE_DEFERRED, K.SHIPPING_DEFERRED, K.VERIFICATION_DEFERRED)
    pending, available = held_by(order.seller_id, K.PENDING), held_by(order.seller_id)
    return pending, available, refunded_to_card(order), sum(of_ours(kind) for kind in deferred)


def expected(money: Money, order: Order) -> tuple[int, ...]:
    item, total = order.item_minor, order.card_minor
    return {
        Money.NOT_PAID: (0, 0, 0, 0),
        Money.IN_ESCROW: (item, 0, 0, total - item),
        Money.WITH_THE_SELLER: (0, item, 0, 0),
        Money.BACK: (0, 0, total, 0),
        Money.BACK_AND_COMPENSATED: (0, item, total, 0),
        Money.PART_BACK: (0, item - PART_MINOR, PART_MINOR, 0),
    }[money]


@contextmanager
def undone() -> Iterator[None]:
    """As if it had not happened: one order is taken along each of its rows."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


class TestTable:
    def test_is_the_one_that_runs(self) -> None:
        mine = {row[:4] for row in ROWS}
        running = {(row.source, row.verb, row.actor, row.target) for row in ORDER.transitions}
        assert mine == running


@pytest.mark.parametrize("status", ORDER.statuses)
class TestOrder:
    def test_goes_along_each_row_with_its_money(self, status: str, seller: Member, buyer: Member) -> None:
        order = order_in(status, seller, buyer)
        for source, verb, actor, target, money in ROWS:
            if source != status:
                continue
            label = f"{source} {verb} ({actor})"
            with undone():
                act = wait if actor == CLOCK else (BY_MEMBERS | BY_NEWS)[verb, actor]
                act(Order.objects.get(id=order.id))
                after = Order.objects.get(id=order.id)
                assert after.status == target, label
                last = OrderEvent.objects.filter(order_id=order.id).latest("number")
                assert (last.verb, last.actor, last.source, last.target) == (verb, actor, source, target)
                assert money_of(after) == expected(money, after), label
                is_held = OrderItem.objects.get(order_id=order.id).is_live
                assert is_held is (None if target in ORDER.final() else True), label

    def test_refuses_every_other_verb(self, status: str, seller: Member, buyer: Member) -> None:
        order = order_in(status, seller, buyer)
        rows = {(verb, actor) for source, verb, actor, *_ in ROWS if source == status}
        if ("request_cancellation", BUYER) in rows or ("cancel", BUYER) in rows:
            rows |= {("request_cancellation", BUYER), ("cancel", BUYER)}  # one wish, by the time
        before = money_of(order)
        for key, ask in BY_MEMBERS.items():
            if key in rows:
                continue
            with undone():
                with pytest.raises(DomainError) as refused:
                    ask(Order.objects.get(id=order.id))
                assert refused.value.code in REFUSALS, f"{status} {key}"
        for key, hear_of in BY_NEWS.items():
            if key in rows:
                continue
            with undone():
                hear_of(Order.objects.get(id=order.id))
                assert Order.objects.get(id=order.id).status == status, f"{status} {key}"
                if key != ("dispute", PROVIDER):
                    assert money_of(order) == before
        if ORDER.clock_row(status) is None:
            assert sweep_orders(now=LATER + timedelta(days=365)) == 0


# To a seller an unpaid order is none; an issue that was not reported is none to anybody.
REFUSALS = {"invalid_transition", "dispute_window_closed", "order_not_found", "issue_not_found"}


class TestProposal:
    ROWS = [
        ("accept", "other member", "accepted"),
        ("decline", "other member", "declined"),
        ("replace", "other member", "replaced"),
        ("replace", "own member", "replaced"),
        ("end", "issue", "ended"),
    ]

    @pytest.fixture
    def issue(self, seller: Member, buyer: Member) -> Issue:
        """The buyer proposes a return."""
        order = order_in("issue_open", seller, buyer)
        issue = Issue.objects.get(order_id=order.id)
        issues.propose(member_id=buyer.id, issue_id=issue.id, terms=RETURN, now=LATER)
        return issue

    def test_table_is_the_one_that_runs(self) -> None:
        running = [(row.verb, row.actor, row.target) for row in PROPOSAL.transitions]
        assert running == self.ROWS
        assert {row.source for row in PROPOSAL.transitions} == {"open"}

    @pytest.mark.parametrize(("verb", "actor", "target"), ROWS)
    def test_goes_along_each_row(
        self, issue: Issue, seller: Member, buyer: Member, verb: str, actor: str, target: str
    ) -> None:
        def replace(member: Member) -> None:
            issues.propose(member_id=member.id, issue_id=issue.id, terms=A_PART, now=LATER)

        acts: dict[tuple[str, str], Callable[[], None]] = {
            ("accept", "other member"): lambda: issues.accept(
                member_id=seller.id, issue_id=issue.id, number=1, now=LATER
            ),
            ("decline", "other member"): lambda: issues.decline(
                member_id=seller.id, issue_id=issue.id, number=1, now=LATER
            ),
            ("replace", "other member"): lambda: replace(seller),
            ("replace", "own member"): lambda: replace(buyer),
            ("end", "issue"): lambda: issues.escalate(member_id=buyer.id, issue_id=issue.id, now=LATER),
        }
        acts[verb, actor]()
        first = Proposal.objects.get(issue_id=issue.id, number=1)
        assert (first.status, first.is_open, first.answered_at) == (target, None, LATER)
