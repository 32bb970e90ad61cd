"""Any walk over the life of orders keeps the money right. The model beside it is a few numbers an order.

What a short walk seldom meets in one order is a table: test_short_walks.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

from django.db import transaction
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from balance.chart import AccountKind as K
from balance.models import Posting
from balance.services.posting import forget_opened_accounts
from foundation.errors import DomainError
from foundation.lifecycle import CLOCK
from members.models import Member
from orders.lifecycle import BUYER, CARRIER, LISTING_TAKEN, ORDER, PROVIDER, SUPPORT
from orders.lifecycle import OrderStatus as S
from orders.models import Issue, Order, OrderItem, Payment, Proposal, Refund
from orders.providers.payments import sandbox
from orders.providers.payments.contract import DisputeOutcome, PaymentOutcome
from orders.services import issues, timers
from orders.services.cancelling import cancel, cancel_by_support, refuse_cancellation, say_handed_over
from orders.services.checkouts import Choices, abandon_checkout
from orders.services.completing import confirm
from orders.services.issues import Terms
from orders.services.order_deadlines import sweep_orders, sweep_reminders
from orders.services.selling import MOST_REFUSALS
from orders.services.supporting import refund_part, refund_whole, reject_item, verify_item
from tests.factories.listings import NOW
from tests.factories.members import make_member
from tests.factories.money import euros, give, spend
from tests.factories.orders import load_small_world, on_offer
from tests.factories.payments import bank_says, told
from tests.factories.purchases import carry, check_out, choices, held_by, pay_for
from tests.orders.order_shadow import (
    APART,
    EARNED,
    UNDONE,
    Chargeback,
    Shadow,
    expected_sums,
    held_by_us,
)

STAFF = "01J0000000000000000000STAF"
MOST_ORDERS = 3
EXAMPLES = int(os.environ.get("WALK_EXAMPLES", "12"))
STEPS = 30
WHICH = st.integers(min_value=0, max_value=2)
# Two of them, or one and a part that the bank took, are more than the item and less than the card has paid.
PARTS = st.sampled_from([500, 1500, 1, 0])
MOSTLY = st.sampled_from([True, False, True])
IN_WALLET = st.sampled_from([0, 1000, 30000])
STAGES = ("completed", "shipped", "delivered", "objected", "returned", "paid")
SALES = st.tuples(st.sampled_from([2000, 100, 1999]), IN_WALLET, st.sampled_from(STAGES))
_CODES = {
    "scan": "first_scan",
    "transit": "in_transit",
    "reach_hub": "delivered",
    "arrive": "ready_for_pickup",
    "deliver": "delivered",
    "return_to_sender": "returned_to_sender",
    "lose": "lost",
    "send_back": "first_scan",
    "receive": "delivered",
    "escalate": "exception",
}
CODES = ("first_scan", "in_transit", "ready_for_pickup", "delivered", "returned_to_sender", "lost")


class Orders(RuleBasedStateMachine):
    """One seller and one buyer with a wallet; carriers and banks say anything at any time."""

    def __init__(self) -> None:
        super().__init__()
        self.rolled_back = transaction.atomic()
        self.rolled_back.__enter__()
        forget_opened_accounts()
        self.seller: Member = make_member("Ona")
        self.buyer: Member = make_member("Jonas")
        self.now = NOW
        self.orders: list[Shadow] = []
        self.given = 0
        self.seen = (-1, -1)

    def teardown(self) -> None:
        transaction.set_rollback(True)
        self.rolled_back.__exit__(None, None, None)

    def pick(self, which: int) -> Shadow:
        return self.orders[-1 - which % len(self.orders)]

    def attempt(self, act: Callable[..., Any], **facts: Any) -> bool:
        """Do it, as a request would; refused, it has done nothing."""
        try:
            with transaction.atomic():
                act(now=self.now, **facts)
        except DomainError:
            return False
        return True

    @initialize(first=SALES, second=SALES)
    def begin(self, first: tuple[int, int, str], second: tuple[int, int, str]) -> None:
        """No walk without orders: most of what can go wrong comes late in the life of one."""
        self.sell(first)
        self.sell(second)

    @precondition(lambda self: len(self.orders) < MOST_ORDERS)
    @rule(sale=SALES)
    def sell(self, sale: tuple[int, int, str]) -> None:
        """An order that has come as far already."""
        cents, in_wallet, stage = sale
        self.earn(in_wallet)
        order = self.checked_out(cents, choices(use_wallet=in_wallet > 0))
        facts = {"buyer_id": self.buyer.id, "order_id": order.id, "now": self.now}
        pay_for(order, now=self.now)
        if stage != "paid":
            carry(order, "first_scan", now=self.now)
            self.orders[-1].carried = True
        if stage not in ("paid", "shipped"):
            carry(order, "delivered", now=self.now)
        if stage == "completed":
            confirm(**facts)
        if stage in ("objected", "returned"):
            issue_id = issues.report_issue(kind="damaged", text="torn", **facts)
        if stage == "returned":
            terms = Terms("return", postage_by="seller")
            issues.propose(member_id=self.buyer.id, issue_id=issue_id, terms=terms, now=self.now)
            issues.accept(member_id=self.seller.id, issue_id=issue_id, number=1, now=self.now)

    def earn(self, cents: int) -> None:
        if cents:
            give(self.buyer.id, cents, now=self.now)
            self.given += cents

    @precondition(lambda self: len(self.orders) < MOST_ORDERS)
    @rule(
        in_wallet=IN_WALLET,
        verified=st.booleans(),
        method=st.sampled_from(["pm_card_ok", "pm_card_declined", "pm_capture_late", ""]),
        times=st.sampled_from([MOST_REFUSALS, 1]),
    )
    def check_out(self, in_wallet: int, verified: bool, method: str, times: int) -> None:
        self.earn(in_wallet)
        order = self.checked_out(15000, choices(use_wallet=in_wallet > 0, verification=verified))
        for _ in range(times if method else 0):
            self.attempt(pay_for, order=order, method=method)

    def checked_out(self, cents: int, chosen: Choices) -> Order:
        order = check_out(self.buyer.id, [on_offer(self.seller.id, cents).id], now=self.now, chosen=chosen)
        self.orders.append(Shadow(order.id))
        return order

    @precondition(lambda self: self.orders)
    @rule(which=WHICH, outcome=st.sampled_from([PaymentOutcome.CAPTURED, PaymentOutcome.AUTHORISED]))
    def the_card_answers_late(self, which: int, outcome: PaymentOutcome) -> None:
        payment = Payment.objects.filter(order_id=self.pick(which).id).exclude(status="captured").first()
        if payment is not None and sandbox.settle(payment.id, outcome):
            told(sandbox.payment_callback(payment.id, now=self.now), now=self.now, times=2)

    @precondition(lambda self: self.orders)
    @rule(which=WHICH, codes=st.lists(st.sampled_from(CODES), min_size=1, max_size=4), back=MOSTLY)
    def carry(self, which: int, codes: list[str], back: bool) -> None:
        shadow = self.pick(which)
        order = shadow.order()
        if order.paid_at is None:
            return
        outward = "from_hub" if order.status == S.VERIFIED else "to_hub" if order.is_verified else "outbound"
        issue = Issue.objects.filter(order_id=order.id).first()
        leg = "return" if back and issue is not None else outward
        for code in codes:
            told_as = "at_verification" if (leg, code) == ("to_hub", "delivered") else code
            before = shadow.order()
            after = carry(before, told_as, now=self.now, leg=leg)
            if code == "lost" and leg != "return" and after.status != before.status:
                shadow.compensated = before.item_minor - shadow.parts
            # Whatever was skipped: what moves it is news of a parcel that travels.
            shadow.carried |= leg != "return" and after.status != before.status
            if leg == "return" and issue is not None and code in ("first_scan", "in_transit", "delivered"):
                # Whoever was to pay for it then, and with a label of ours only.
                shadow.return_paid_by = shadow.return_paid_by or issue.postage_by.replace("buyer", "")

    @precondition(lambda self: self.orders)
    @rule(which=WHICH, number=st.integers(min_value=0, max_value=99), cents=st.sampled_from([1, 500, 3000]))
    def go_on(self, which: int, number: int, cents: int) -> None:
        """Any row of the lifecycle's table from where it is, by whoever may."""
        shadow = self.pick(which)
        order = shadow.order()
        rows = [row for row in ORDER.transitions if row.source == order.status]
        if not rows:
            return
        row = rows[number % len(rows)]
        if row.actor == CLOCK and order.due_at is not None:
            self.time_passes(max(timedelta(), order.due_at - self.now))
        elif row.actor == CARRIER:
            self.carry(which, [_CODES.get(row.verb, row.verb)], row.verb in ("send_back", "receive"))
        elif row.actor == PROVIDER and row.verb == "dispute":
            self.the_bank_says(which, DisputeOutcome.OPENED)
        elif row.actor == PROVIDER:
            method = "pm_card_declined" if row.verb == "fail" else "pm_card_ok"
            # As often as it takes to be refused for good.
            for _ in range(MOST_REFUSALS):
                self.attempt(pay_for, order=shadow.order(), method=method)
        elif row.actor == SUPPORT:
            self.support(shadow, row.verb, cents)
        else:
            self.member(shadow, row.verb, row.actor, cents)

    def support(self, shadow: Shadow, verb: str, cents: int) -> None:
        facts = {"staff_id": STAFF, "order_id": shadow.id, "reason": "looked at"}
        is_open = shadow.order().status in (S.ISSUE_OPEN, S.UNDER_REVIEW)
        match verb:
            case "cancel":
                self.attempt(cancel_by_support, **facts)
            case "verify":
                self.attempt(verify_item, staff_id=STAFF, order_id=shadow.id)
            case "reject":
                self.attempt(reject_item, is_counterfeit=cents == 1, **facts)
            case "uphold_sale":
                self.attempt(issues.decide, terms=None, **facts)
            case "refund" if is_open:
                self.attempt(issues.decide, terms=Terms("refund"), **facts)
            case "refund":
                self.attempt(refund_whole, **facts)
            case "refund_part":
                if self.attempt(issues.decide, terms=Terms("part", euros(cents)), **facts):
                    shadow.parts += cents
            case "order_return":
                payer = {1: "buyer", 500: "seller"}.get(cents, "platform")
                self.attempt(issues.decide, terms=Terms("return", postage_by=payer), **facts)

    def member(self, shadow: Shadow, verb: str, actor: str, cents: int) -> None:
        issue_id = Issue.objects.filter(order_id=shadow.id).values_list("id", flat=True).first() or ""
        me, other = (self.buyer, self.seller) if actor == BUYER else (self.seller, self.buyer)
        mine = {"member_id": me.id, "order_id": shadow.id}
        match verb:
            case "cancel":
                self.attempt(cancel, **mine)
            case "request_cancellation":
                self.time_passes(timedelta(hours=3))
                self.attempt(cancel, **mine)
            case "refuse_cancellation":
                self.attempt(refuse_cancellation, seller_id=me.id, order_id=shadow.id)
            case "ship":
                self.attempt(say_handed_over, seller_id=me.id, order_id=shadow.id)
            case "abandon":
                self.attempt(abandon_checkout, buyer_id=me.id, order_id=shadow.id)
            case "confirm":
                self.attempt(confirm, buyer_id=me.id, order_id=shadow.id)
            case "open_issue":
                facts = {"buyer_id": me.id, "order_id": shadow.id, "kind": "damaged", "text": "torn"}
                self.attempt(issues.report_issue, **facts)
            case "escalate":
                self.attempt(issues.escalate, member_id=me.id, issue_id=issue_id)
            case "send_back":
                self.attempt(issues.send_back, buyer_id=me.id, issue_id=issue_id, tracking_number="T1")
            case "receive":
                self.attempt(issues.receive_return, seller_id=me.id, issue_id=issue_id)
            case "agree_refund" | "agree_part" | "agree_return":
                kind = verb.removeprefix("agree_")
                payer = "seller" if kind == "return" else ""
                terms = Terms(kind, euros(cents) if kind == "part" else None, payer)
                if self.attempt(issues.propose, member_id=other.id, issue_id=issue_id, terms=terms):
                    number = Proposal.objects.filter(issue_id=issue_id).count()
                    assert self.attempt(issues.accept, member_id=me.id, issue_id=issue_id, number=number)
                    shadow.parts += cents if kind == "part" else 0

    @precondition(lambda self: self.orders)
    @rule(which=WHICH, cents=PARTS)
    def support_refunds(self, which: int, cents: int) -> None:
        shadow = self.pick(which)
        facts = {"staff_id": STAFF, "order_id": shadow.id, "reason": "fair"}
        if not cents:
            self.attempt(refund_whole, **facts)
        elif self.attempt(refund_part, item=euros(cents), **facts):
            shadow.parts += cents

    @precondition(lambda self: self.orders)
    @rule(
        which=WHICH,
        outcome=st.sampled_from([DisputeOutcome.OPENED, DisputeOutcome.WON, DisputeOutcome.LOST]),
        number=st.integers(min_value=1, max_value=2),
        cents=st.sampled_from([0, 0, 700, 1900]),
    )
    def the_bank_says(
        self, which: int, outcome: DisputeOutcome, number: int = 1, cents: int = 0, times: int = 2
    ) -> None:
        """It takes all or some of it, and again; it may even take more in all than was paid."""
        shadow = self.pick(which)
        before = shadow.order()
        if before.payment_id is None:
            return
        is_late = before.completed_at is not None
        one = shadow.chargebacks.setdefault(number, Chargeback(cents or before.card_minor, is_late))
        bank_says(before, *[outcome] * times, now=self.now, cents=one.minor, number=number)
        if outcome is not DisputeOutcome.OPENED:
            # Its end, whichever was first, is final.
            one.ended = one.ended or outcome.value

    @rule()
    def the_seller_withdraws(self) -> None:
        """What is taken back after this is a debt."""
        if (there_is := held_by(self.seller.id)) > 0:
            spend(self.seller.id, there_is, now=self.now)

    @rule(
        by=st.sampled_from(
            [timedelta(minutes=16), timedelta(hours=3), timedelta(hours=49), timedelta(days=8)]
        )
    )
    def time_passes(self, by: timedelta) -> None:
        self.now += by
        sweep_reminders(now=self.now)
        sweep_orders(now=self.now)
        timers.charge(now=self.now)
        timers.refund(now=self.now)
        assert sweep_orders(now=self.now) == 0

    @invariant()
    def every_cent_is_where_it_belongs(self) -> None:
        """Looked at after each step that has changed something."""
        orders = {order.id: order for order in Order.objects.all()}
        seen = (Posting.objects.count(), sum(order.version for order in orders.values()))
        if seen == self.seen:
            return
        self.seen = seen
        self.every_account_holds_what_happened(orders)
        for shadow in self.orders:
            no_tender_gets_more_than_it_paid(shadow, orders[shadow.id])

    def every_account_holds_what_happened(self, orders: Mapping[str, Order]) -> None:
        ours = held_by_us()
        found = {
            "buyer": held_by(self.buyer.id),
            "held": held_by(self.buyer.id, K.HELD),
            "seller": held_by(self.seller.id) + held_by(self.seller.id, K.IN_TRANSIT),
            "pending": held_by(self.seller.id, K.PENDING),
            "earned": sum(ours[kind] for kind in EARNED),
            "losses": ours[K.CHARGEBACK_LOSSES],
        } | {kind.value: ours[kind] for kind in APART}
        found = {name: minor for name, minor in found.items() if minor}
        assert found == expected_sums(self.orders, orders, given=self.given)

    @invariant()
    def a_listing_is_in_one_live_order(self) -> None:
        live = list(OrderItem.objects.filter(is_live=True).values_list("listing_id", "order__status"))
        assert len({listing for listing, _ in live}) == len(live)
        assert {status for _, status in live} <= set(LISTING_TAKEN)


def no_tender_gets_more_than_it_paid(shadow: Shadow, order: Order) -> None:
    assert order.refunded_wallet_minor <= order.wallet_minor
    assert order.refunded_card_minor + order.charged_back_minor <= order.card_minor
    assert order.charged_back_minor == shadow.counted(order)
    if order.refunded_wallet_minor and not shadow.chargebacks:
        # The card comes first.
        assert order.refunded_card_minor == order.card_minor
    back = order.refunded_wallet_minor + order.refunded_card_minor
    if order.status in UNDONE:
        assert back + order.charged_back_minor == order.wallet_minor + order.card_minor
    else:
        assert shadow.parts - order.charged_back_minor <= back <= shadow.parts
    if order.payment_id is not None:
        to_card = Refund.objects.filter(payment_id=order.payment_id).exclude(status="failed")
        assert sum(to_card.values_list("amount_minor", flat=True)) == order.refunded_card_minor


class TestOrderWalk:
    def test_no_walk_loses_a_cent(self, db: None) -> None:
        load_small_world()
        run_state_machine_as_test(
            Orders,
            settings=settings(
                max_examples=EXAMPLES,
                stateful_step_count=STEPS,
                deadline=None,
                derandomize=True,
                phases=(Phase.generate, Phase.shrink),
                suppress_health_check=list(HealthCheck),
            ),
        )
