"""News that comes after the order has gone on: a second card, a hold that ended, a bank that gives back."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from balance.chart import AccountKind as K
from balance.services.holds import expire_holds
from members.models import Member
from orders.errors import InvalidTransition, RefundExceedsRemaining
from orders.lifecycle import OrderStatus as S
from orders.models import Case, Order, Parcel, Payment, Refund, SandboxPayment
from orders.providers.payments import sandbox
from orders.providers.payments.contract import DisputeOutcome, PaymentOutcome
from orders.services.cancelling import cancel
from orders.services.checking_out import pay
from orders.services.checkouts import HOLD_OUTLIVES
from orders.services.completing import confirm
from orders.services.issues import Terms, decide, escalate, receive_return, report_issue, send_back
from orders.services.order_deadlines import sweep_orders
from orders.services.supporting import refund_part, refund_whole
from tests.factories.listings import NOW
from tests.factories.money import euros, give
from tests.factories.orders import on_offer
from tests.factories.payments import advance, bank_says, told
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

STAFF = "01J0000000000000000000STAF"
OPENED, WON = DisputeOutcome.OPENED, DisputeOutcome.WON
LATER = NOW + timedelta(minutes=5)


def fresh(order: Order) -> Order:
    return Order.objects.get(id=order.id)


def attempt(order: Order, method: str, *, now: datetime = NOW) -> str:
    payment_id = pay(
        buyer_id=order.buyer_id,
        order_id=order.id,
        quote_version=order.quote_version,
        method=method,
        return_url="",
        now=now,
    )
    assert payment_id is not None
    advance(payment_id, now=now)
    return payment_id


def decided(order: Order, terms: Terms | None) -> Order:
    decide(staff_id=STAFF, order_id=order.id, terms=terms, reason="looked at", now=NOW)
    return fresh(order)


class TestAnOlderCard:
    """An attempt that was declined comes alive after another card has paid."""

    @pytest.fixture
    def order(self, seller: Member, buyer: Member) -> Order:
        return check_out(buyer.id, [on_offer(seller.id).id])

    @pytest.fixture
    def older(self, order: Order) -> str:
        older = attempt(order, "pm_card_declined")
        assert pay_for(order).status == S.PAID
        return older

    def test_reserved_after_the_order_is_paid_is_given_free(self, order: Order, older: str) -> None:
        sandbox.settle(older, PaymentOutcome.AUTHORISED)
        told(sandbox.payment_callback(older, now=LATER), now=LATER, times=2)
        assert advance(older, now=LATER).status == "cancelled"
        known = SandboxPayment.objects.get(reference=older)
        assert (known.outcome, known.captures) == ("cancelled", 0)
        assert (fresh(order).status, of_ours(K.PSP_CLEARING)) == (S.PAID, 2470)
        assert not Refund.objects.exists()

    def test_captured_after_the_order_is_paid_goes_back(self, order: Order, older: str) -> None:
        sandbox.settle(older, PaymentOutcome.CAPTURED)
        told(sandbox.payment_callback(older, now=LATER), now=LATER, times=2)
        refund = Refund.objects.get()
        assert (refund.payment_id, refund.amount_minor) == (older, 2470)
        assert (fresh(order).status, fresh(order).refunded_card_minor) == (S.PAID, 0)
        assert (of_ours(K.SUSPENSE), of_ours(K.REFUNDS_IN_TRANSIT)) == (0, 2470)

    def test_captured_first_pays_and_the_newer_is_given_free(self, order: Order) -> None:
        older = attempt(order, "pm_card_declined")
        newer = attempt(order, "pm_card_3ds")
        sandbox.settle(older, PaymentOutcome.CAPTURED)
        told(sandbox.payment_callback(older, now=LATER), now=LATER)
        assert (fresh(order).status, fresh(order).payment_id) == (S.PAID, older)
        assert advance(newer, now=LATER).status == "cancelled"
        assert not Refund.objects.exists()

    def test_given_free_while_the_order_waits_is_no_second_refusal(self, order: Order) -> None:
        older = attempt(order, "pm_card_declined")
        sandbox.settle(older, PaymentOutcome.AUTHORISED)
        told(sandbox.payment_callback(older, now=NOW), now=NOW)
        assert advance(older, now=NOW).status == "cancelled"
        assert fresh(order).refusals == 1

    def test_a_chargeback_of_it_is_none_of_the_order(self, order: Order, older: str) -> None:
        sandbox.settle(older, PaymentOutcome.CAPTURED)
        told(sandbox.payment_callback(older, now=LATER), now=LATER)
        told(sandbox.dispute_callback(older, OPENED, fee=euros(1500), now=LATER), now=LATER)
        assert (fresh(order).status, fresh(order).charged_back_minor) == (S.PAID, 0)
        assert of_ours(K.CHARGEBACK_LOSSES) == 2470 + 1500
        assert Case.objects.filter(kind="chargeback").count() == 1


class TestAHoldThatEnded:
    def test_a_capture_after_it_goes_back_in_full(self, seller: Member, buyer: Member) -> None:
        """Nobody swept checkouts for a day, but the wallet's holds were."""
        give(buyer.id, 1000)
        order = check_out(buyer.id, [on_offer(seller.id).id])
        payment_id = attempt(order, "pm_capture_late")
        much_later = NOW + timedelta(minutes=16) + HOLD_OUTLIVES
        assert expire_holds(now=much_later) == 1
        sandbox.settle(payment_id, PaymentOutcome.CAPTURED)
        told(sandbox.payment_callback(payment_id, now=much_later), now=much_later, times=2)
        assert Payment.objects.get().status == "captured"
        assert fresh(order).status == S.EXPIRED
        assert refunded_to_card(order) == 1470
        assert (held_by(buyer.id), held_by(buyer.id, K.HELD), of_ours(K.SUSPENSE)) == (1000, 0, 0)
        assert sweep_orders(now=much_later) == 0


class TestChargebacks:
    def test_refunded_then_won_the_card_gets_it(self, seller: Member, buyer: Member) -> None:
        """The refund made up for what the bank had taken; the bank gave it back, so the buyer has nothing."""
        give(buyer.id, 1000)
        order = buy(seller.id, buyer.id)
        bank_says(order, OPENED, now=NOW)
        order = decided(order, Terms("refund"))
        assert (order.status, order.refunded_card_minor, order.charged_back_minor) == (S.REFUNDED, 0, 1470)
        assert (held_by(buyer.id), refunded_to_card(order)) == (1000, 0)

        bank_says(order, WON, WON, now=NOW)

        order = fresh(order)
        assert (order.refunded_card_minor, order.charged_back_minor) == (1470, 0)
        assert refunded_to_card(order) == 1470
        assert (of_ours(K.CHARGEBACK_LOSSES), held_by(seller.id, K.PENDING)) == (1500, 0)

    def test_part_refunded_then_won_the_card_gets_the_part(self, seller: Member, buyer: Member) -> None:
        order = deliver(buy(seller.id, buyer.id))
        bank_says(order, OPENED, now=NOW)
        order = decided(order, Terms("part", euros(500)))
        assert (order.status, held_by(seller.id), refunded_to_card(order)) == (S.COMPLETED, 1500, 0)
        bank_says(order, WON, now=NOW)
        assert refunded_to_card(order) == 500
        assert (fresh(order).charged_back_minor, of_ours(K.CHARGEBACK_LOSSES)) == (0, 1500)

    def test_upheld_then_won_nobody_gets_anything(self, seller: Member, buyer: Member) -> None:
        order = deliver(buy(seller.id, buyer.id))
        bank_says(order, OPENED, now=NOW)
        decided(order, None)
        bank_says(order, WON, now=NOW)
        assert (held_by(seller.id), refunded_to_card(order)) == (2000, 0)
        assert of_ours(K.CHARGEBACK_LOSSES) == 1500

    def test_after_completion_a_refund_of_what_the_bank_took_is_refused(
        self, seller: Member, buyer: Member
    ) -> None:
        order = deliver(buy(seller.id, buyer.id))
        confirm(buyer_id=buyer.id, order_id=order.id, now=NOW + timedelta(days=3))
        bank_says(order, OPENED, now=NOW)
        assert held_by(seller.id) == 0
        with pytest.raises(RefundExceedsRemaining):
            refund_whole(staff_id=STAFF, order_id=order.id, reason="twice", now=NOW + timedelta(days=4))
        assert (fresh(order).status, held_by(seller.id)) == (S.COMPLETED, 0)

    def test_a_return_that_nobody_sends_completes_what_was_never_delivered(
        self, seller: Member, buyer: Member
    ) -> None:
        order = buy(seller.id, buyer.id)
        bank_says(order, OPENED, now=NOW)
        order = decided(order, Terms("return", postage_by="buyer"))
        assert order.due_at is not None
        assert sweep_orders(now=order.due_at) == 1
        assert (fresh(order).status, fresh(order).delivered_at) == (S.COMPLETED, order.due_at)


class TestParts:
    @pytest.fixture
    def order(self, seller: Member, buyer: Member) -> Order:
        """Shipped, 5.00 given back."""
        order = carry(buy(seller.id, buyer.id), "first_scan")
        refund_part(staff_id=STAFF, order_id=order.id, item=euros(500), reason="stain", now=NOW)
        return fresh(order)

    def test_are_given_back_once_it_is_sent_when_nobody_cancels(self, order: Order, seller: Member) -> None:
        with pytest.raises(InvalidTransition):
            cancel(member_id=seller.id, order_id=order.id, now=NOW)
        assert refunded_to_card(order) == 500

    def test_before_it_is_sent_there_are_none(self, seller: Member, buyer: Member) -> None:
        order = buy(seller.id, buyer.id)
        with pytest.raises(InvalidTransition):
            refund_part(staff_id=STAFF, order_id=order.id, item=euros(500), reason="stain", now=NOW)
        cancel(member_id=seller.id, order_id=order.id, now=NOW)
        assert refunded_to_card(order) == 2470

    def test_then_lost_the_rest_goes_back_and_the_seller_has_the_rest(
        self, order: Order, seller: Member
    ) -> None:
        lost = carry(order, "lost", "lost")
        assert (lost.status, refunded_to_card(order), held_by(seller.id)) == (S.REFUNDED, 2470, 1500)
        assert of_ours(K.COMPENSATION) == 1500


class TestParcels:
    def test_that_come_back_after_a_cancellation_change_nothing(self, seller: Member, buyer: Member) -> None:
        order = buy(seller.id, buyer.id)
        cancel(member_id=seller.id, order_id=order.id, now=NOW)
        before = fresh(order)
        after = carry(order, "first_scan", "returned_to_sender")
        assert (after.status, after.version) == (S.CANCELLED, before.version)
        assert refunded_to_card(order) == 2470

    @pytest.mark.parametrize("feed", [("first_scan", "returned_to_sender"), ("returned_to_sender",)])
    def test_cost_us_the_postage_whatever_news_was_skipped(
        self, seller: Member, buyer: Member, feed: tuple[str, ...]
    ) -> None:
        order = carry(buy(seller.id, buyer.id), *feed, "first_scan")
        assert order.status == S.RETURNED_TO_SENDER
        assert (of_ours(K.CARRIER_COSTS), of_ours(K.CARRIER_PAYABLE)) == (300, 300)
        assert Parcel.objects.filter(order_id=order.id).count() == 1

    def test_that_go_back_with_our_label_cost_its_postage_once_whoever_is_first(
        self, seller: Member, buyer: Member
    ) -> None:
        order = deliver(buy(seller.id, buyer.id), now=NOW)
        issue_id = report_issue(buyer_id=buyer.id, order_id=order.id, kind="damaged", text="torn", now=NOW)
        escalate(member_id=buyer.id, issue_id=issue_id, now=NOW)
        decided(order, Terms("return", postage_by="platform"))
        send_back(buyer_id=buyer.id, issue_id=issue_id, tracking_number="T1", now=NOW)
        carry(order, "first_scan", leg="return")
        receive_return(seller_id=seller.id, issue_id=issue_id, now=NOW)
        assert carry(order, "delivered", leg="return").status == S.REFUNDED
        # To the buyer, and back.
        assert (of_ours(K.CARRIER_COSTS), of_ours(K.CARRIER_PAYABLE)) == (600, 600)
