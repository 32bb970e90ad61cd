"""Who wins when several act on an order at once, with real connections on MySQL or MariaDB.

Every outcome is counted; `RACE_ROUNDS=200` plays as many rounds as the rules of orders ask for.
"""

from __future__ import annotations

import itertools
import os
import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import pytest
from rest_framework.test import APIClient

from balance.chart import AccountKind as K
from balance.models import Posting
from foundation import clock
from foundation.incoming.processing import process_event
from foundation.incoming.receiving import receive
from listings.queries import ListingFacts
from members.models import Member
from orders.errors import ListingNotAvailable
from orders.lifecycle import OrderStatus as S
from orders.lifecycle.parcels import ParcelCode
from orders.models import Order, OrderEvent, OrderItem, Parcel, Payment, Refund, SandboxPayment, Terms
from orders.providers.carriers.contract import Callback
from orders.providers.payments import sandbox
from orders.providers.payments.contract import PaymentOutcome
from orders.services import order_deadlines
from orders.services.answering import accept
from orders.services.cancelling import cancel
from orders.services.checking_out import pay
from orders.services.checkouts import create_checkout
from orders.services.completing import confirm
from orders.services.issues import report_issue
from orders.services.order_deadlines import sweep_orders
from orders.services.payment_callbacks import KIND
from orders.services.supporting import refund_part, refund_whole
from orders.services.tracking import record_news
from tests.balance.test_withdrawals_at_once import at_once
from tests.factories.listings import NOW, make_listings
from tests.factories.members import make_member
from tests.factories.money import euros, give
from tests.factories.orders import load_small_world, offer, on_offer
from tests.factories.payments import advance
from tests.factories.purchases import (
    HOME,
    buy,
    check_out,
    choices,
    deliver,
    held_by,
    of_ours,
    pay_for,
    refunded_to_card,
)

pytestmark = [pytest.mark.needs_server, pytest.mark.django_db(transaction=True), pytest.mark.timeout(900)]

ROUNDS = int(os.environ.get("RACE_ROUNDS", "18"))
STAFF = "01J0000000000000000000STAF"
DELIVERED = NOW + timedelta(days=3)
DAYS_OVER = DELIVERED + timedelta(hours=48)
LAST_MOMENT = DAYS_OVER - timedelta(microseconds=1)
HELD_UNTIL = NOW + timedelta(minutes=15)

_number = itertools.count(1)


@pytest.fixture
def seller(transactional_db: None) -> Member:
    load_small_world()
    return make_member("Ona")


@pytest.fixture
def buyer(seller: Member) -> Member:
    return make_member("Jonas")


@pytest.fixture
def late_buyer(seller: Member) -> Member:
    return make_member("Rasa")


@pytest.fixture
def on_sale(seller: Member) -> list[ListingFacts]:
    return make_listings(seller.id, ROUNDS, price=euros(2000))


@pytest.fixture
def ended(record_property: Callable[[str, object], None]) -> Iterator[Counter[Any]]:
    """How the rounds ended, which `pytest -o junit_family=xunit1 --junitxml FILE` writes down."""
    outcomes = Counter[Any]()
    yield outcomes
    record_property("ended", dict(outcomes))


def fresh(order: Order) -> Order:
    return Order.objects.get(id=order.id)


def postings(order: Order, *events: str) -> int:
    return Posting.objects.filter(reference=f"order:{order.id}", event__in=events).count()


def captured_late(order: Order, *, now: datetime) -> sandbox.Signed:
    """The provider has the money and is about to say so."""
    pay_for(order, method="pm_capture_late")
    payment_id = Payment.objects.get(order_id=order.id).id
    sandbox.settle(payment_id, PaymentOutcome.CAPTURED)
    return sandbox.payment_callback(payment_id, now=now)


def start_apart(who: int, number: int, *, by_ms: int = 3) -> None:
    """One of two is late, in each round by another few milliseconds: so every end is met now and then."""
    late_by_ms = by_ms * (number % 9 - 4)
    time.sleep(max(0, late_by_ms if who else -late_by_ms) / 1000)


def hear(message: sandbox.Signed, _worker: int = 0, *, now: datetime = NOW) -> bool:
    """Whether it was news."""
    body, headers = message
    event_id, is_new = receive(kind=KIND, provider="sandbox", body=body, headers=headers, now=now)
    process_event(event_id=event_id, now=now)
    return is_new


def advance_by(payment_id: str, _worker: int) -> None:
    advance(payment_id, now=NOW)


class TestCheckout:
    def test_of_two_buyers_one_gets_it(
        self,
        buyer: Member,
        late_buyer: Member,
        on_sale: list[ListingFacts],
        ended: Counter[Any],
        settings: Any,
    ) -> None:
        """Worked example 5 of the rules."""
        # Many rounds are more writes than a member may make in a minute.
        settings.RATE_LIMITS = settings.RATE_LIMITS | {"write": "100000/minute"}
        address = {name: getattr(HOME, name) for name in ("name", "street", "postal_code", "city", "country")}

        def check_out_by_http(listing: ListingFacts, number: int) -> Any:
            client = APIClient(raise_request_exception=False)
            client.force_authenticate((buyer, late_buyer)[number])
            delivery = {"option": "standard_home", "address": address}
            return client.post("/api/v1/checkouts", {"listing_ids": [listing.id], "delivery": delivery})

        for listing in on_sale:
            answers = at_once(2, partial(check_out_by_http, listing))
            said = [answer.json().get("code", answer.status_code) for answer in answers]
            assert sorted(said, key=str) == [201, "listing_not_available"]
            [order] = Order.objects.filter(id__in=[answer.json().get("id") for answer in answers])
            assert pay_for(order, now=clock.now()).status == S.PAID
            ended[said.index(201)] += 1
        assert SandboxPayment.objects.filter(captures=1).count() == SandboxPayment.objects.count() == ROUNDS
        assert OrderItem.objects.filter(is_live=True).count() == ROUNDS

    def test_paid_twice_at_once_is_one_payment(
        self, buyer: Member, on_sale: list[ListingFacts], ended: Counter[Any]
    ) -> None:
        for listing in on_sale:
            order = check_out(buyer.id, [listing.id])

            def press(_: int, order: Order = order) -> str:
                started = pay(
                    buyer_id=buyer.id,
                    order_id=order.id,
                    quote_version=1,
                    method="pm_card_ok",
                    return_url="",
                    now=NOW,
                )
                return "started" if started else ""

            said = at_once(2, press)
            assert sorted(said) == ["payment_in_progress", "started"]
            payment = Payment.objects.get(order_id=order.id)
            # Two workers hear of it; what one has in hand the other leaves alone.
            at_once(2, partial(advance_by, payment.id))
            assert advance(payment.id, now=NOW).status == "captured"
            assert fresh(order).status == S.PAID
            ended[said.index("started")] += 1
        assert set(SandboxPayment.objects.values_list("captures", flat=True)) == {1}
        assert of_ours(K.PSP_CLEARING) == ROUNDS * 2470

    def test_ends_or_is_captured_and_never_both(
        self, buyer: Member, on_sale: list[ListingFacts], ended: Counter[Any]
    ) -> None:
        for number, listing in enumerate(on_sale):
            if not held_by(buyer.id):
                give(buyer.id, 1000)
            order = check_out(buyer.id, [listing.id])
            message = captured_late(order, now=HELD_UNTIL)

            def race(who: int, message: sandbox.Signed = message, number: int = number) -> None:
                start_apart(who, number, by_ms=8)
                if who:
                    sweep_orders(now=HELD_UNTIL)
                else:
                    hear(message, now=HELD_UNTIL)

            at_once(2, race)
            status = fresh(order).status
            gone = refunded_to_card(order)
            wallet = (held_by(buyer.id), held_by(buyer.id, K.HELD))
            assert (status, gone, wallet) in {(S.PAID, 0, (0, 0)), (S.EXPIRED, 1470, (1000, 0))}
            assert postings(order, "sale_captured", "unmatched_returned") == 1
            ended[status] += 1
        assert (of_ours(K.SUSPENSE), of_ours(K.PSP_CLEARING)) == (0, ROUNDS * 1470)

    def test_fifty_callbacks_at_once_are_one_posting(self, seller: Member, buyer: Member) -> None:
        """Worked example 6 of the rules."""
        for _ in range(max(1, ROUNDS // 25)):
            order = check_out(buyer.id, [on_offer(seller.id).id])
            message = captured_late(order, now=NOW)
            news = at_once(50, partial(hear, message))
            assert Counter(news) == {True: 1, False: 49}
            assert (fresh(order).status, postings(order, "sale_captured")) == (S.PAID, 1)


class TestOffers:
    def test_accepted_while_somebody_else_pays(
        self,
        seller: Member,
        buyer: Member,
        late_buyer: Member,
        on_sale: list[ListingFacts],
        ended: Counter[Any],
    ) -> None:
        Terms.objects.update(offers_per_day=ROUNDS)
        for number, listing in enumerate(on_sale):
            made = offer(late_buyer.id, listing)
            order = check_out(buyer.id, [listing.id])
            message = captured_late(order, now=NOW)

            def race(
                who: int, offer_id: str = made.id, message: sandbox.Signed = message, number: int = number
            ) -> Any:
                start_apart(who, number, by_ms=8)
                if who:
                    return accept(member_id=seller.id, offer_id=offer_id, now=NOW).status
                return hear(message, now=NOW)

            _, said = at_once(2, race)
            assert said in {"accepted", "listing_not_available"}
            assert fresh(order).status == S.PAID
            # An agreed price reserves nothing.
            with pytest.raises(ListingNotAvailable):
                check_out(late_buyer.id, [listing.id])
            ended[said] += 1

    def test_accepted_while_its_buyer_checks_out(
        self, seller: Member, buyer: Member, on_sale: list[ListingFacts], ended: Counter[Any]
    ) -> None:
        Terms.objects.update(offers_per_day=ROUNDS)
        for number, listing in enumerate(on_sale):
            made = offer(buyer.id, listing)

            def race(
                who: int, offer_id: str = made.id, listing: ListingFacts = listing, number: int = number
            ) -> Any:
                start_apart(who, number)
                if who:
                    return accept(member_id=seller.id, offer_id=offer_id, now=NOW).status
                return create_checkout(
                    buyer_id=buyer.id, listing_ids=[listing.id], choices=choices(), now=NOW
                )

            order_id, said = at_once(2, race)
            assert said == "accepted"
            order = pay_for(Order.objects.get(id=order_id))
            assert (order.item_minor, order.offer_id) in {(2000, None), (1500, made.id)}
            assert (order.status, order.card_minor) == (S.PAID, order.item_minor * 105 // 100 + 70 + 300)
            ended[order.item_minor] += 1


class TestTheParcel:
    def test_is_cancelled_or_scanned_first(
        self, seller: Member, buyer: Member, on_sale: list[ListingFacts], ended: Counter[Any]
    ) -> None:
        for number, listing in enumerate(on_sale):
            order = pay_for(check_out(buyer.id, [listing.id]))
            parcel = Parcel.objects.get(order_id=order.id)
            news = Callback(f"scan-{next(_number)}", parcel.id, NOW, ParcelCode.FIRST_SCAN, "{}")

            def race(who: int, order: Order = order, news: Callback = news, number: int = number) -> Any:
                start_apart(who, number)
                if who:
                    return cancel(member_id=seller.id, order_id=order.id, now=NOW)
                return record_news(provider="sandbox", news=news, received_at=NOW, now=NOW)

            _, said = at_once(2, race)
            outcome = (said, fresh(order).status, refunded_to_card(order))
            assert outcome in {(None, S.CANCELLED, 2470), ("invalid_transition", S.SHIPPED, 0)}
            ended[outcome[1]] += 1
        assert held_by(seller.id, K.PENDING) == ended[S.SHIPPED] * 2000


class TestTheEnd:
    def test_is_objected_to_in_the_last_moment_or_completed(
        self, seller: Member, buyer: Member, on_sale: list[ListingFacts], ended: Counter[Any]
    ) -> None:
        for listing in on_sale:
            order = deliver(pay_for(check_out(buyer.id, [listing.id])))

            def race(number: int, order: Order = order) -> Any:
                if number:
                    return sweep_orders(now=DAYS_OVER)
                report_issue(
                    buyer_id=buyer.id, order_id=order.id, kind="damaged", text="torn", now=LAST_MOMENT
                )
                return "reported"

            said, swept = at_once(2, race)
            outcome = (said, swept, fresh(order).status)
            assert outcome in {
                ("reported", 0, S.ISSUE_OPEN),
                ("dispute_window_closed", 1, S.COMPLETED),
            }
            ended[outcome[2]] += 1
        assert held_by(seller.id) == ended[S.COMPLETED] * 2000
        assert held_by(seller.id, K.PENDING) == ended[S.ISSUE_OPEN] * 2000

    def test_is_confirmed_once_whatever_is_reported(
        self, seller: Member, buyer: Member, on_sale: list[ListingFacts], ended: Counter[Any]
    ) -> None:
        """A confirmation also ends an issue; after it there is none."""
        for listing in on_sale:
            order = deliver(pay_for(check_out(buyer.id, [listing.id])))

            def race(number: int, order: Order = order) -> str:
                if number:
                    confirm(buyer_id=buyer.id, order_id=order.id, now=DELIVERED)
                    return "confirmed"
                report_issue(buyer_id=buyer.id, order_id=order.id, kind="damaged", text="torn", now=DELIVERED)
                return "reported"

            said = at_once(3, race)
            assert Counter(said[1:]) == {"confirmed": 1, "invalid_transition": 1}
            assert said[0] in {"reported", "dispute_window_closed"}
            assert (fresh(order).status, postings(order, "sale_completed")) == (S.COMPLETED, 1)
            ended[said[0]] += 1
        assert (held_by(seller.id), held_by(seller.id, K.PENDING)) == (ROUNDS * 2000, 0)

    def test_two_refunds_never_give_more_than_was_paid(
        self, seller: Member, buyer: Member, on_sale: list[ListingFacts], ended: Counter[Any]
    ) -> None:
        for listing in on_sale:
            order = deliver(pay_for(check_out(buyer.id, [listing.id])))
            confirm(buyer_id=buyer.id, order_id=order.id, now=DELIVERED)

            def race(number: int, order: Order = order) -> str:
                if number < 2:
                    part = euros(1500)
                    refund_part(staff_id=STAFF, order_id=order.id, item=part, reason="stain", now=DELIVERED)
                else:
                    refund_whole(staff_id=STAFF, order_id=order.id, reason="fake", now=DELIVERED)
                return "refunded"

            said = at_once(4, race)
            assert said[2:].count("refunded") == 1
            assert said[:2].count("refunded") <= 1
            assert set(said) <= {"refunded", "refund_exceeds_remaining", "invalid_transition"}
            assert (fresh(order).status, refunded_to_card(order)) == (S.REFUNDED, 2470)
            refunds = Refund.objects.filter(payment__order_id=order.id)
            assert sum(refunds.values_list("amount_minor", flat=True)) == 2470
            ended[f"{said.count('refunded')} refunds"] += 1
        assert held_by(seller.id) == 0


class TestSweepers:
    def test_share_what_is_due_and_do_each_once(
        self, seller: Member, buyer: Member, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(order_deadlines, "BATCH", 3)
        count = max(6, ROUNDS // 2)
        for _ in range(count):
            deliver(buy(seller.id, buyer.id))
            buy(seller.id, buyer.id)
            check_out(buyer.id, [on_offer(seller.id).id])
        over = NOW + timedelta(days=30)
        moved = sum(at_once(4, lambda _: sweep_orders(now=over)))
        moved += sweep_orders(now=over)
        verbs = Counter(OrderEvent.objects.filter(actor="clock").values_list("verb", flat=True))
        assert verbs == {"complete": count, "cancel_unsent": count, "expire": count}
        assert moved == 3 * count
        assert (held_by(seller.id), held_by(seller.id, K.PENDING)) == (count * 2000, 0)
        assert of_ours(K.REFUNDS_IN_TRANSIT) == count * 2470
