"""Two of support, or one form sent twice, at the same moment: one acts. Real connections on MySQL or MariaDB.

Every outcome is counted; `RACE_ROUNDS=200` plays as many rounds as the rules of orders ask for.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from balance.chart import AccountKind as K
from members.models import Member
from orders.lifecycle import OrderStatus as S
from orders.models import Case, Dispute, Order, OrderEvent, Refund
from orders.providers.payments.contract import DisputeOutcome
from orders.services.cases import resolve_case
from orders.services.completing import confirm
from orders.services.issues import Terms, decide, report_issue
from orders.services.supporting import act_as_seen, refund_part, refund_whole
from tests.balance.test_withdrawals_at_once import at_once
from tests.factories.money import euros
from tests.factories.payments import bank_says
from tests.factories.purchases import buy, deliver, held_by, of_ours, refunded_to_card
from tests.orders.support_desk import DELIVERED, client_of, step_url
from tests.orders.test_orders_at_once import ROUNDS, buyer, ended, fresh, postings, seller, start_apart

__all__ = ("buyer", "ended", "seller")

pytestmark = [pytest.mark.needs_server, pytest.mark.django_db(transaction=True), pytest.mark.timeout(900)]

FEW = max(4, ROUNDS // 3)
STAFF = ("01J000000000000000000STAFA", "01J000000000000000000STAFB")
Act = Callable[[], None]


def whole(order: Order, who: int) -> None:
    refund_whole(staff_id=STAFF[who], order_id=order.id, reason="fake", now=DELIVERED)


def part(order: Order, who: int) -> None:
    refund_part(staff_id=STAFF[who], order_id=order.id, item=euros(500), reason="stain", now=DELIVERED)


def settle(order: Order, who: int, terms: Terms | None) -> None:
    decide(staff_id=STAFF[who], order_id=order.id, terms=terms, reason="seen", now=DELIVERED)


def race(order: Order, number: int, *acts: Act) -> list[Any]:
    """Both do it to the order as one page showed it to them; who was told what."""
    version = fresh(order).version

    def press(who: int) -> str:
        start_apart(who, number)
        act_as_seen(order_id=order.id, version=version, act=acts[who])
        return "done"

    return at_once(2, press)


def under_review(seller: Member, buyer: Member) -> Order:
    order = deliver(buy(seller.id, buyer.id))
    report_issue(buyer_id=buyer.id, order_id=order.id, kind="damaged", text="torn", now=DELIVERED)
    return fresh(order)


def done(seller: Member, buyer: Member) -> Order:
    order = deliver(buy(seller.id, buyer.id))
    confirm(buyer_id=buyer.id, order_id=order.id, now=DELIVERED)
    return fresh(order)


class TestTwoOfSupport:
    def test_refund_and_refund(self, seller: Member, buyer: Member, ended: Counter[Any]) -> None:
        for number in range(FEW):
            order = done(seller, buyer)
            said = race(order, number, partial(whole, order, 0), partial(part, order, 1))
            assert sorted(said) == ["done", "invalid_transition"]
            gone = 2470 if said[0] == "done" else 500
            assert (refunded_to_card(order), postings(order, "sale_refunded")) == (gone, 1)
            assert fresh(order).status == (S.REFUNDED if gone == 2470 else S.COMPLETED)
            ended[gone] += 1
        assert held_by(seller.id) == ended[500] * 1500

    def test_uphold_and_refund(self, seller: Member, buyer: Member, ended: Counter[Any]) -> None:
        for number in range(FEW):
            order = under_review(seller, buyer)
            said = race(
                order, number, partial(settle, order, 0, None), partial(settle, order, 1, Terms("refund"))
            )
            assert sorted(said) == ["done", "invalid_transition"]
            outcome = (fresh(order).status, refunded_to_card(order))
            assert outcome == ((S.COMPLETED, 0) if said[0] == "done" else (S.REFUNDED, 2470))
            [event] = OrderEvent.objects.filter(order_id=order.id, actor="support")
            assert event.actor_id == STAFF[said.index("done")]
            ended[outcome[0]] += 1
        assert held_by(seller.id) == ended[S.COMPLETED] * 2000
        assert held_by(seller.id, K.PENDING) == 0

    def test_two_pages_that_were_opened_one_after_the_other(
        self, seller: Member, buyer: Member, ended: Counter[Any]
    ) -> None:
        """Each saw the newest order, so only what is left holds them back: never more than was paid."""
        for number in range(FEW):
            order = done(seller, buyer)

            def press(who: int, order: Order = order, number: int = number) -> str:
                start_apart(who, number)
                (part if who else whole)(order, who)
                return "done"

            said = at_once(2, press)
            assert said[0] == "done"
            assert said[1] in {"done", "invalid_transition"}
            assert (fresh(order).status, refunded_to_card(order)) == (S.REFUNDED, 2470)
            ended[said[1]] += 1
        assert held_by(seller.id) == 0

    def test_resolve_one_case(self, seller: Member, buyer: Member, ended: Counter[Any]) -> None:
        for number in range(FEW):
            order = done(seller, buyer)
            bank_says(order, DisputeOutcome.OPENED, now=DELIVERED)
            case_id = Case.objects.values_list("id", flat=True).get(order_id=order.id)

            def press(who: int, case_id: str = case_id, number: int = number) -> str:
                start_apart(who, number)
                resolve_case(case_id=case_id, staff_id=STAFF[who], resolution=str(who), now=DELIVERED)
                return "done"

            said = at_once(2, press)
            assert sorted(said) == ["done", "invalid_transition"]
            winner = said.index("done")
            found = Case.objects.filter(id=case_id).values_list("resolved_by", "resolution").get()
            assert found == (STAFF[winner], str(winner))
            ended[winner] += 1


class TestTheSameButton:
    def test_twice_acts_once(self, seller: Member, buyer: Member, ended: Counter[Any]) -> None:
        """One form, sent twice by one person over HTTP."""
        desk = client_of("view_order", "change_order")
        for _ in range(FEW):
            order = done(seller, buyer)
            address = step_url(order, "refund-part")

            def press(_: int, address: str = address) -> int:
                client = type(desk)()
                client.cookies = desk.cookies
                return client.post(address, {"reason": "stain", "amount": "5.00"}).status_code

            # The later one is shown the order as it is now, or is told that it has changed.
            assert Counter(at_once(2, press))[302] >= 1
            assert refunded_to_card(order) == 500
            assert Refund.objects.filter(payment__order_id=order.id).count() == 1
            ended[OrderEvent.objects.filter(order_id=order.id, verb="refund_part").count()] += 1
        assert ended == {1: FEW}


class TestTheBank:
    def test_takes_back_while_support_refunds(
        self, seller: Member, buyer: Member, ended: Counter[Any]
    ) -> None:
        """Two disputes and a refund at once: the seller pays for the item, and not a cent more."""
        for number in range(FEW):
            order = done(seller, buyer)

            def act(who: int, order: Order = order, number: int = number) -> str:
                start_apart(who % 2, number)
                if who == 2:
                    part(order, 0)
                else:
                    cents = (1970, 500)[who]
                    bank_says(order, DisputeOutcome.OPENED, now=DELIVERED, cents=cents, number=who + 1)
                return "done"

            said = at_once(3, act)
            assert said[:2] == ["done", "done"]
            assert said[2] in {"done", "refund_exceeds_remaining"}
            now = fresh(order)
            refunded = 500 if said[2] == "done" else 0
            assert (now.refunded_card_minor, now.charged_back_minor) == (refunded, 2470 - refunded)
            assert now.charged_back_seller_minor == 2000 - refunded
            ended[said[2]] += 1
        assert held_by(seller.id) == 0
        fees = 1500 * Dispute.objects.count()
        assert of_ours(K.CHARGEBACK_LOSSES) == fees + FEW * 470 + ended["done"] * 500
