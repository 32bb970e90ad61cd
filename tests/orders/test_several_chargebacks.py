"""One payment, several disputes: each is its own, and the seller never loses more than the item by them."""

from __future__ import annotations

from datetime import timedelta

import pytest

from balance.chart import AccountKind as K
from members.models import Member
from orders.models import Case, Dispute, Order
from orders.providers.payments.contract import DisputeOutcome
from orders.services.completing import confirm
from orders.services.issues import Terms, decide
from orders.services.supporting import refund_part
from tests.factories.listings import NOW
from tests.factories.money import euros, give, spend
from tests.factories.payments import bank_says
from tests.factories.purchases import buy, deliver, held_by, of_ours, refunded_to_card

pytestmark = pytest.mark.django_db

STAFF = "01J0000000000000000000STAF"
OPENED, WON, LOST = DisputeOutcome.OPENED, DisputeOutcome.WON, DisputeOutcome.LOST
LATER = NOW + timedelta(days=5)
FEE = 1500


def fresh(order: Order) -> Order:
    return Order.objects.get(id=order.id)


def completed(order: Order) -> Order:
    confirm(buyer_id=order.buyer_id, order_id=order.id, now=LATER)
    return fresh(order)


def part_back(order: Order, minor: int) -> None:
    refund_part(staff_id=STAFF, order_id=order.id, item=euros(minor), reason="stain", now=LATER)


@pytest.fixture
def delivered(seller: Member, buyer: Member) -> Order:
    """24.70 by card, of which 20.00 for the item."""
    return deliver(buy(seller.id, buyer.id))


@pytest.fixture
def order(delivered: Order) -> Order:
    return completed(delivered)


def books(order: Order) -> tuple[int, int, int]:
    """What the seller has, what we have lost beside the bank's fees, and what the bank has of the order."""
    fees = FEE * Dispute.objects.count()
    return (
        held_by(order.seller_id),
        of_ours(K.CHARGEBACK_LOSSES) - fees,
        fresh(order).charged_back_minor,
    )


class TestInParts:
    def test_the_seller_bears_the_item_once(self, order: Order) -> None:
        bank_says(order, OPENED, now=LATER, cents=1000)
        assert books(order) == (1000, 0, 1000)
        bank_says(order, OPENED, OPENED, now=LATER, cents=1470, number=2)
        assert books(order) == (0, 470, 2470)
        assert list(Dispute.objects.order_by("id").values_list("seller_minor", flat=True)) == [1000, 1000]
        assert Case.objects.filter(kind="chargeback").count() == 2

    @pytest.mark.parametrize("first", [1, 2])
    def test_each_ends_by_itself(self, order: Order, first: int) -> None:
        cents = {1: 1000, 2: 1470}
        for number, minor in cents.items():
            bank_says(order, OPENED, now=LATER, cents=minor, number=number)
        bank_says(order, WON, now=LATER, cents=cents[first], number=first)
        left = 2470 - cents[first]
        assert books(order) == (2000 - left, 0, left)
        bank_says(order, LOST, now=LATER, cents=cents[3 - first], number=3 - first)
        assert books(order) == (2000 - left, 0, left)

    def test_a_win_of_the_second_alone_leaves_the_first(self, delivered: Order) -> None:
        bank_says(delivered, OPENED, now=NOW, cents=1000)
        bank_says(delivered, OPENED, WON, now=NOW, cents=700, number=2)
        assert fresh(delivered).charged_back_minor == 1000
        decide(staff_id=STAFF, order_id=delivered.id, terms=Terms("refund"), reason="torn", now=LATER)
        assert refunded_to_card(delivered) == 1470
        assert books(delivered) == (0, 0, 1000)


class TestOneAfterTheOther:
    def test_won_and_disputed_again(self, order: Order) -> None:
        bank_says(order, OPENED, WON, now=LATER)
        assert books(order) == (2000, 0, 0)
        bank_says(order, OPENED, LOST, now=LATER, number=2)
        assert books(order) == (0, 470, 2470)

    def test_what_had_gone_back_before_is_no_more_taken_from_the_order(self, order: Order) -> None:
        part_back(order, 500)
        bank_says(order, OPENED, now=LATER)
        assert books(order) == (0, 970, 1970)
        bank_says(order, WON, now=LATER)
        assert books(order) == (1500, 0, 0)

    def test_one_from_before_completion_is_ours_and_one_from_after_the_sellers(
        self, delivered: Order
    ) -> None:
        """A refund left 5.00 of the first with the buyer, and the seller has paid for that."""
        bank_says(delivered, OPENED, now=NOW, cents=1000)
        decide(staff_id=STAFF, order_id=delivered.id, terms=Terms("part", euros(500)), reason="-", now=LATER)
        assert books(delivered) == (1500, 500, 1000)
        bank_says(delivered, OPENED, now=LATER, cents=970, number=2)
        assert books(delivered) == (530, 500, 1970)
        # The buyer has 9.70 by the second now, in which the 5.00 are.
        bank_says(delivered, WON, now=LATER, cents=1000)
        assert books(delivered) == (1030, 0, 970)
        assert refunded_to_card(delivered) == 0
        # All the buyer has left is what was decided.
        bank_says(delivered, WON, now=LATER, cents=970, number=2)
        assert books(delivered) == (1500, 0, 0)
        assert refunded_to_card(delivered) == 500

    def test_a_bank_that_takes_more_than_was_paid(self, delivered: Order) -> None:
        """What is beyond the payment is ours, until the bank gives the rest back: then it is as any other."""
        bank_says(delivered, OPENED, now=NOW)
        decide(staff_id=STAFF, order_id=delivered.id, terms=None, reason="sent", now=LATER)
        bank_says(delivered, OPENED, now=LATER, cents=1000, number=2)
        assert books(delivered) == (2000, 3470, 2470)
        bank_says(delivered, WON, now=LATER)
        assert books(delivered) == (1000, 0, 1000)

    def test_such_a_one_is_owed_by_a_seller_who_has_spent_the_money(self, delivered: Order) -> None:
        bank_says(delivered, OPENED, now=NOW)
        decide(staff_id=STAFF, order_id=delivered.id, terms=None, reason="sent", now=LATER)
        spend(delivered.seller_id, 2000, now=LATER)
        bank_says(delivered, OPENED, now=LATER, cents=1000, number=2)
        bank_says(delivered, WON, now=LATER)
        assert books(delivered) == (-1000, 0, 1000)


class TestWithRefunds:
    def test_a_later_refund_takes_no_more_than_the_item_from_the_seller(self, order: Order) -> None:
        bank_says(order, OPENED, now=LATER, cents=470)
        assert books(order) == (1530, 0, 470)
        part_back(order, 2000)
        assert books(order) == (0, 470, 470)
        assert refunded_to_card(order) == 2000
        bank_says(order, WON, now=LATER, cents=470)
        assert books(order) == (0, 0, 0)

    def test_nor_one_that_goes_to_the_wallet(self, seller: Member, buyer: Member) -> None:
        give(buyer.id, 1000)
        order = completed(deliver(buy(seller.id, buyer.id)))
        bank_says(order, OPENED, now=LATER, cents=1470)
        assert books(order) == (530, 0, 1470)
        part_back(order, 1000)
        assert (books(order), held_by(buyer.id)) == ((0, 470, 1470), 1000)
        bank_says(order, WON, now=LATER, cents=1470)
        assert (books(order), refunded_to_card(order)) == ((1000, 0, 0), 0)


class TestContradictions:
    def test_another_amount_at_its_end_moves_nothing(self, order: Order) -> None:
        bank_says(order, OPENED, now=LATER, cents=1000)
        bank_says(order, WON, now=LATER, cents=999)
        assert books(order) == (1000, 0, 1000)
        assert Dispute.objects.get().status == "open"
        assert Case.objects.filter(kind="payment_mismatch").count() == 1
