"""The worked examples of the rules of orders and money (docs/orders.md), to the cent, on the real ledger."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from balance import events
from balance.chart import AccountKind as K
from balance.chart import Event
from balance.events import NewPosting, Share
from balance.services.posting import post
from listings.lifecycle import Status
from listings.models import Listing
from listings.queries import ListingFacts
from members.models import Member
from orders.errors import ListingNotAvailable, RefundExceedsRemaining
from orders.lifecycle import OrderStatus as S
from orders.models import BundleDiscount, BundleLadder, Order, OrderItem
from orders.services.cancelling import cancel
from orders.services.completing import confirm
from orders.services.order_deadlines import sweep_orders
from orders.services.order_moves import lock_order
from orders.services.selling import record_capture
from orders.services.supporting import refund_part, refund_whole
from tests.factories.listings import NOW
from tests.factories.members import make_member
from tests.factories.money import euros, give
from tests.factories.orders import on_offer
from tests.factories.purchases import (
    buy,
    check_out,
    choices,
    deliver,
    held_by,
    of_ours,
    pay_for,
    refunded_to_card,
)

STAFF = "01J0000000000000000000STAF"
DELIVERED = NOW + timedelta(days=3)


class TestCardSaleConfirmed:
    def test_seller_fee_and_carrier_get_their_parts(self, seller: Member, buyer: Member) -> None:
        order = buy(seller.id, buyer.id)
        assert (order.status, order.card_minor, order.wallet_minor) == (S.PAID, 2470, 0)
        assert held_by(seller.id, K.PENDING) == 2000

        deliver(order)
        confirm(buyer_id=buyer.id, order_id=order.id, now=DELIVERED)

        assert Order.objects.get(id=order.id).status == S.COMPLETED
        assert (held_by(seller.id, K.PENDING), held_by(seller.id)) == (0, 2000)
        assert of_ours(K.FEE_REVENUE) + of_ours(K.VAT_PAYABLE) == 170
        assert of_ours(K.VAT_PAYABLE) == 30
        assert of_ours(K.CARRIER_PAYABLE) == 300
        assert of_ours(K.PSP_CLEARING) == 2470


class TestSilentBuyer:
    def test_completes_48_hours_after_the_notice_once(self, seller: Member, buyer: Member) -> None:
        order = deliver(buy(seller.id, buyer.id))
        due = DELIVERED + timedelta(hours=48)

        assert sweep_orders(now=due - timedelta(microseconds=1)) == 0
        assert [sweep_orders(now=due) for _ in range(3)] == [1, 0, 0]

        assert Order.objects.get(id=order.id).status == S.COMPLETED
        assert held_by(seller.id) == 2000


class TestWalletAndCard:
    def test_cancelled_goes_back_to_each_what_it_paid(self, seller: Member, buyer: Member) -> None:
        give(buyer.id, 1000)
        order = buy(seller.id, buyer.id)
        assert (order.wallet_minor, order.card_minor) == (1000, 1470)
        assert (held_by(buyer.id), held_by(buyer.id, K.HELD)) == (0, 0)

        cancel(member_id=buyer.id, order_id=order.id, now=NOW + timedelta(hours=1))

        assert Order.objects.get(id=order.id).status == S.CANCELLED
        assert held_by(buyer.id) == 1000
        assert refunded_to_card(order) == 1470
        assert held_by(seller.id, K.PENDING) == 0
        assert of_ours(K.FEE_DEFERRED) == of_ours(K.SHIPPING_DEFERRED) == 0

    def test_the_wallet_alone_pays_at_once(self, seller: Member, buyer: Member) -> None:
        give(buyer.id, 5000)
        order = buy(seller.id, buyer.id)
        assert (order.status, order.card_minor, held_by(buyer.id)) == (S.PAID, 0, 2530)

    def test_the_wallet_is_held_from_the_checkout_on(self, buyer: Member, listing: ListingFacts) -> None:
        give(buyer.id, 1000)
        order = check_out(buyer.id, [listing.id])
        assert (held_by(buyer.id), held_by(buyer.id, K.HELD)) == (0, 1000)
        sweep_orders(now=NOW + timedelta(minutes=15))
        assert (held_by(buyer.id), held_by(buyer.id, K.HELD)) == (1000, 0)
        assert Order.objects.get(id=order.id).status == S.EXPIRED


class TestBundle:
    @pytest.fixture
    def ladder(self, seller: Member) -> None:
        BundleLadder.objects.create(seller_id=seller.id, version=1, changed_at=NOW)
        BundleDiscount.objects.create(ladder_id=seller.id, items=3, percent=10)

    def test_three_items_at_ten_percent_one_fee(self, ladder: None, seller: Member, buyer: Member) -> None:
        listings = [on_offer(seller.id, minor) for minor in (2000, 1500, 500)]
        order = pay_for(check_out(buyer.id, [one.id for one in listings]))
        prices = OrderItem.objects.filter(order_id=order.id).values_list("price_minor", flat=True)
        assert list(prices) == [1800, 1350, 450]
        assert (order.item_minor, order.fee_minor) == (3600, 250)
        assert order.card_minor == 3600 + 250 + order.shipping_minor
        sold = Listing.objects.filter(id__in=[one.id for one in listings]).values_list("status", flat=True)
        assert list(sold) == [Status.SOLD] * 3

    def test_three_listings_or_none(self, ladder: None, seller: Member, buyer: Member) -> None:
        listings = [on_offer(seller.id, minor) for minor in (2000, 1500, 500)]
        order = check_out(buyer.id, [one.id for one in listings])
        Listing.objects.filter(id=listings[1].id).update(status=Status.REMOVED)
        locked, amount = lock_order(order.id), euros(order.card_minor)
        record_capture(locked, payment_id=None, provider="", amount=amount, now=NOW)
        assert Order.objects.get(id=order.id).status == S.PENDING_PAYMENT
        assert not Listing.objects.filter(status=Status.SOLD).exists()


class TestTwoBuyers:
    def test_the_second_is_told_at_once(self, buyer: Member, listing: ListingFacts) -> None:
        check_out(buyer.id, [listing.id])
        late_buyer = make_member("Rita")
        with pytest.raises(ListingNotAvailable):
            check_out(late_buyer.id, [listing.id])


class TestPartialRefunds:
    def test_from_the_items_price_up_to_what_is_left(self, seller: Member, buyer: Member) -> None:
        order = deliver(buy(seller.id, buyer.id))
        confirm(buyer_id=buyer.id, order_id=order.id, now=DELIVERED)

        def give_back(minor: int) -> None:
            refund_part(staff_id=STAFF, order_id=order.id, item=euros(minor), reason="stain", now=DELIVERED)

        give_back(500)
        assert (refunded_to_card(order), held_by(seller.id)) == (500, 1500)
        assert of_ours(K.FEE_REVENUE) + of_ours(K.VAT_PAYABLE) == 170
        give_back(1000)
        with pytest.raises(RefundExceedsRemaining):
            give_back(600)
        assert (refunded_to_card(order), held_by(seller.id)) == (1500, 500)


class TestRefundAfterTheMoneyIsGone:
    def test_leaves_a_debt_that_later_sales_pay_down(self, seller: Member, buyer: Member) -> None:
        order = deliver(buy(seller.id, buyer.id))
        confirm(buyer_id=buyer.id, order_id=order.id, now=DELIVERED)
        _withdraw_everything(seller)

        refund_whole(staff_id=STAFF, order_id=order.id, reason="counterfeit after all", now=DELIVERED)
        assert (refunded_to_card(order), held_by(seller.id)) == (2470, -2000)

        for minor, left in ((1200, -800), (1000, 200)):
            sale = deliver(buy(seller.id, buyer.id, minor, now=DELIVERED), now=DELIVERED)
            confirm(buyer_id=buyer.id, order_id=sale.id, now=DELIVERED)
            assert held_by(seller.id) == left


class TestShipBy:
    def test_easter_is_no_working_day_in_germany(self, buyer: Member) -> None:
        german = make_member("Lena", country="DE")
        paid_at = datetime(2026, 4, 2, 10, tzinfo=UTC)
        listing = on_offer(german.id)
        order = check_out(buyer.id, [listing.id], now=paid_at, chosen=choices(option="standard_home"))
        order = pay_for(order, now=paid_at)
        assert order.ship_by_at == datetime(2026, 4, 13, 21, 59, 59, tzinfo=UTC)


def _withdraw_everything(member: Member) -> None:
    amount = Share(member.id, euros(held_by(member.id)))
    lines = events.withdrawal_requested(amount)
    post(NewPosting("test:gone", Event.WITHDRAWAL_REQUESTED, lines, "test:gone", "system"), now=DELIVERED)
