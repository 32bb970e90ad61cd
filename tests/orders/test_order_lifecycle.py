"""Every row of the lives of orders and proposals, through the service that runs it, with its money.

ROWS is the table of docs/lifecycles.md once more, by hand, with what each row leaves in the ledger.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from enum import Enum, auto
from functools import partial

import pytest
from django.db import transaction

from balance.chart import AccountKind as K
from foundation.errors import DomainError
from foundation.ids import new_id
from members.models import Member
from orders.lifecycle import CARRIER, ORDER, PROVIDER, SUPPORT
from orders.lifecycle.issues import PROPOSAL
from orders.models import Issue, Order, OrderEvent, OrderItem, Proposal
from orders.services import issues
from orders.services.cancelling import cancel, cancel_by_support, refuse_cancellation, say_handed_over
from orders.services.checkouts import abandon_checkout
from orders.services.completing import confirm
from orders.services.issues import Terms
from orders.services.order_deadlines import sweep_orders
from orders.services.selling import record_capture, record_chargeback, record_payment_failure
from orders.services.supporting import refund_whole, reject_item, verify_item
from tests.factories.listings import NOW
from tests.factories.money import euros
from tests.factories.orders import on_offer
from tests.factories.purchases import (
    carry,
    check_out,
    choices,
    held_by,
    of_ours,
    pay_for,
    refunded_to_card,
)

STAFF = "01J0000000000000000000STAF"
LATER = NOW + timedelta(hours=3)
DEAR = 15_000
BUYER, SELLER, CLOCK = "buyer", "seller", "clock"


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
PART_MINOR = 500

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


def issue_of(order: Order) -> str:
    return Issue.objects.values_list("id", flat=True).filter(order_id=order.id).first() or new_id()


def wait(order: Order) -> None:
    """Until the clock's moment: it acts then, once, and not before."""
    assert order.due_at is not None
    assert sweep_orders(now=order.due_at - timedelta(microseconds=1)) == 0
    assert [sweep_orders(now=order.due_at) for _ in range(2)] == [1, 0]


def hear(order: Order, code: str) -> None:
    leg = {"at_verification": "to_hub"}.get(code, "from_hub" if order.status == "verified" else "outbound")
    carry(order, code, leg=leg, now=LATER)


def hear_of_return(order: Order, code: str) -> None:
    carry(order, code, leg="return", now=LATER)


def agree(order: Order, actor: str, terms: Terms) -> None:
    """The other proposes it, and the actor accepts."""
    me, other = (order.buyer_id, order.seller_id) if actor == BUYER else (order.seller_id, order.buyer_id)
    issue = issue_of(order)
    issues.propose(member_id=other, issue_id=issue, terms=terms, now=LATER)
    number = Proposal.objects.filter(issue_id=issue).count()
    issues.accept(member_id=me, issue_id=issue, number=number, now=LATER)


def decide(order: Order, terms: Terms | None) -> None:
    issues.decide(staff_id=STAFF, order_id=order.id, terms=terms, reason="seen", now=LATER)


def be_refused(order: Order) -> None:
    for _ in range(3):
        record_payment_failure(order_id=order.id, payment_id="none", code="card_declined", now=NOW)


def be_charged_back(order: Order) -> None:
    record_chargeback(
        order_id=order.id,
        payment_id=order.payment_id or "",
        dispute_id=new_id(),
        provider="sandbox",
        amount=euros(order.card_minor),
        fee=euros(1500),
        now=LATER,
    )


def be_paid(order: Order) -> None:
    if order.status == "pending_payment":
        pay_for(order)
    else:
        record_capture(
            order_id=order.id, payment_id=None, provider="", amount=euros(order.card_minor), now=LATER
        )


def refund(order: Order) -> None:
    if order.status == "completed":
        refund_whole(staff_id=STAFF, order_id=order.id, reason="worn out", now=LATER)
    else:
        decide(order, Terms("refund"))


def report(order: Order) -> None:
    issues.report_issue(buyer_id=order.buyer_id, order_id=order.id, kind="damaged", text="Torn", now=LATER)


REFUND, A_PART = Terms("refund"), Terms("part", euros(PART_MINOR))
RETURN = Terms("return", postage_by="buyer")
BY_MEMBERS: dict[tuple[str, str], Callable[[Order], object]] = {
    ("abandon", BUYER): lambda o: abandon_checkout(buyer_id=o.buyer_id, order_id=o.id, now=NOW),
    ("cancel", BUYER): lambda o: cancel(member_id=o.buyer_id, order_id=o.id, now=NOW),
    ("request_cancellation", BUYER): lambda o: cancel(member_id=o.buyer_id, order_id=o.id, now=LATER),
    ("cancel", SELLER): lambda o: cancel(member_id=o.seller_id, order_id=o.id, now=LATER),
    ("refuse_cancellation", SELLER): lambda o: refuse_cancellation(
        seller_id=o.seller_id, order_id=o.id, now=LATER
    ),
    ("ship", SELLER): lambda o: say_handed_over(seller_id=o.seller_id, order_id=o.id, now=LATER),
    ("confirm", BUYER): lambda o: confirm(buyer_id=o.buyer_id, order_id=o.id, now=LATER),
    ("open_issue", BUYER): report,
    **{
        (f"agree_{terms.kind}", actor): partial(agree, actor=actor, terms=terms)
        for actor in (BUYER, SELLER)
        for terms in (REFUND, A_PART, RETURN)
    },
    ("escalate", BUYER): lambda o: issues.escalate(member_id=o.buyer_id, issue_id=issue_of(o), now=LATER),
    ("escalate", SELLER): lambda o: issues.escalate(member_id=o.seller_id, issue_id=issue_of(o), now=LATER),
    ("send_back", BUYER): lambda o: issues.send_back(
        buyer_id=o.buyer_id, issue_id=issue_of(o), tracking_number="RR 1", now=LATER
    ),
    ("receive", SELLER): lambda o: issues.receive_return(
        seller_id=o.seller_id, issue_id=issue_of(o), now=LATER
    ),
    ("cancel", SUPPORT): lambda o: cancel_by_support(
        staff_id=STAFF, order_id=o.id, reason="asked by phone", now=LATER
    ),
    ("verify", SUPPORT): lambda o: verify_item(staff_id=STAFF, order_id=o.id, now=LATER),
    ("reject", SUPPORT): lambda o: reject_item(
        staff_id=STAFF, order_id=o.id, reason="sole replaced", is_counterfeit=False, now=LATER
    ),
    ("uphold_sale", SUPPORT): lambda o: decide(o, None),
    ("refund", SUPPORT): refund,
    ("refund_part", SUPPORT): lambda o: decide(o, A_PART),
    ("order_return", SUPPORT): lambda o: decide(o, RETURN),
}
"""What a person asks for: refused with 409 where there is no row."""
BY_NEWS: dict[tuple[str, str], Callable[[Order], object]] = {
    ("pay", PROVIDER): be_paid,
    ("fail", PROVIDER): be_refused,
    ("dispute", PROVIDER): be_charged_back,
    ("scan", CARRIER): lambda o: hear(o, "first_scan"),
    ("transit", CARRIER): lambda o: hear(o, "in_transit"),
    ("reach_hub", CARRIER): lambda o: hear(o, "at_verification"),
    ("arrive", CARRIER): lambda o: hear(o, "ready_for_pickup"),
    ("deliver", CARRIER): lambda o: hear(o, "delivered"),
    ("return_to_sender", CARRIER): lambda o: hear(o, "returned_to_sender"),
    ("lose", CARRIER): lambda o: hear(o, "lost"),
    ("send_back", CARRIER): lambda o: hear_of_return(o, "first_scan"),
    ("receive", CARRIER): lambda o: hear_of_return(o, "delivered"),
    ("escalate", CARRIER): lambda o: hear_of_return(o, "lost"),
}
"""What is merely heard of: changes nothing where there is no row."""
PATHS = {
    "paid": (("pay", PROVIDER),),
    "cancel_requested": (("pay", PROVIDER), ("request_cancellation", BUYER)),
    "shipped": (("pay", PROVIDER), ("scan", CARRIER)),
    "in_transit": (("pay", PROVIDER), ("transit", CARRIER)),
    "at_verification": (("pay", PROVIDER), ("reach_hub", CARRIER)),
    "ready_for_pickup": (("pay", PROVIDER), ("arrive", CARRIER)),
    "delivered": (("pay", PROVIDER), ("deliver", CARRIER)),
    "expired": (("abandon", BUYER),),
    "failed": (("fail", PROVIDER),),
    "pending_payment": (),
}
PATHS["verified"] = (*PATHS["at_verification"], ("verify", SUPPORT))
PATHS["rejected"] = (*PATHS["at_verification"], ("reject", SUPPORT))
PATHS["cancelled"] = (*PATHS["paid"], ("cancel", SELLER))
PATHS["returned_to_sender"] = (*PATHS["paid"], ("return_to_sender", CARRIER))
PATHS["issue_open"] = (*PATHS["delivered"], ("open_issue", BUYER))
PATHS["under_review"] = (*PATHS["issue_open"], ("escalate", BUYER))
PATHS["return_pending"] = (*PATHS["issue_open"], ("agree_return", SELLER))
PATHS["returning"] = (*PATHS["return_pending"], ("send_back", BUYER))
PATHS["completed"] = (*PATHS["delivered"], ("confirm", BUYER))
PATHS["refunded"] = (*PATHS["issue_open"], ("agree_refund", SELLER))


def order_in(status: str, seller: Member, buyer: Member) -> Order:
    """An order of one dear item that goes to the hub first, in this status."""
    order = check_out(buyer.id, [on_offer(seller.id, DEAR).id], chosen=choices(verification=True))
    for step in PATHS[status]:
        (BY_MEMBERS | BY_NEWS)[step](order)
        order.refresh_from_db()
    assert order.status == status
    return order


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
