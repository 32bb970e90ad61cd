"""Who wins a race for what is set aside, with real threads and connections on MySQL or MariaDB."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection

from balance import events
from balance.chart import Event
from balance.events import NewPosting, Share
from balance.models import Hold, Posting
from balance.queries.balances import get_balances
from balance.services.holds import capture_hold, expire_holds, place_hold, release_hold
from foundation.errors import DomainError
from members.models import Member
from tests.balance.test_holds import LATER, place
from tests.factories.money import NOON, euros, give

pytestmark = [pytest.mark.needs_server, pytest.mark.django_db(transaction=True)]


def at_once(*work: Callable[[], Any]) -> list[Any]:
    """What these answer when they start together; an error's code for a refusal."""
    gate = threading.Barrier(len(work))

    def start(act: Callable[[], Any]) -> Any:
        try:
            gate.wait(20)
            return act()
        except DomainError as error:
            return error.code
        finally:
            connection.close()

    with ThreadPoolExecutor(len(work)) as pool:
        return list(pool.map(start, work))


@pytest.fixture
def rich_buyer(transactional_db: None, buyer: Member) -> Member:
    give(buyer.id, 2500)
    return buyer


class TestCaptureAgainstTheClock:
    def test_one_of_both_has_the_money(self, seller: Member, rich_buyer: Member) -> None:
        def capture() -> str:
            return capture_hold(key=key, posting=posting, now=LATER).key

        for number in range(20):
            key = f"order:{number}"
            place(rich_buyer, 100, key=key)
            posting = NewPosting(
                key=f"{key}:captured",
                event=Event.SALE_CAPTURED,
                lines=events.sale_captured(
                    seller=Share(seller.id, euros(100)),
                    buyer_id=rich_buyer.id,
                    wallet=euros(100),
                    card=euros(0),
                    charges=events.Charges(euros(0), euros(0), euros(0)),
                ),
                reference=key,
                actor="system",
            )
            captured, expired, *_ = at_once(
                capture,
                lambda: expire_holds(now=LATER),
                lambda: expire_holds(now=LATER),
            )
            hold = Hold.objects.get(key=key)
            if captured == "hold_not_active":
                assert hold.status == "expired"
            else:
                assert hold.status == "captured"
                assert expired == 0
            endings = Posting.objects.filter(key__in=[posting.key, f"hold:{key}:released"])
            assert [ending.key for ending in endings] == [hold.ended_by]
        spent = Hold.objects.filter(status="captured").count() * 100
        balances = get_balances(rich_buyer.id, "EUR")
        assert (balances.available, balances.held) == (euros(2500 - spent), euros(0))
        assert get_balances(seller.id, "EUR").pending == euros(spent)


class TestSweepers:
    def test_many_give_each_hold_back_once(self, rich_buyer: Member) -> None:
        for number in range(25):
            place(rich_buyer, 100, key=f"order:{number}")
        counts = at_once(*[lambda: expire_holds(now=LATER)] * 4)
        assert sum(counts) == 25
        assert Posting.objects.filter(event="hold_released").count() == 25
        assert get_balances(rich_buyer.id, "EUR").available == euros(2500)


class TestPlacing:
    def test_the_same_key_at_once_is_one_hold(self, rich_buyer: Member) -> None:
        answers = at_once(*[lambda: place(rich_buyer).id] * 6)
        assert len(set(answers)) == 1
        assert get_balances(rich_buyer.id, "EUR").held == euros(1000)

    def test_everything_at_once_is_refused_to_all_but_one(self, rich_buyer: Member) -> None:
        def everything(key: str) -> str:
            return place_hold(
                key=key, member_id=rich_buyer.id, amount=euros(2500), reference=key, now=NOON
            ).status

        answers = at_once(*[lambda key=f"order:{number}": everything(key) for number in range(6)])
        assert Counter(answers) == {"active": 1, "insufficient_funds": 5}

    def test_a_release_and_the_clock_are_one_posting(self, rich_buyer: Member) -> None:
        place(rich_buyer)
        at_once(
            lambda: release_hold(key="order:1", actor="system", now=LATER).status,
            lambda: expire_holds(now=LATER),
        )
        assert Posting.objects.filter(key="hold:order:1:released").count() == 1
        assert get_balances(rich_buyer.id, "EUR").available == euros(2500)
