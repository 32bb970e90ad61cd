"""Who wins between an answer, the clock and another worker; with real connections on MySQL or MariaDB."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest
from django.db import connection

from dac7.models import DiligenceEvent, InformationRequest, SellerYear
from dac7.services.diligence import information_given, request_information, sweep_requests
from dac7.services.watching import watch_sales
from foundation.lifecycle import CLOCK
from foundation.money import Money
from members.models import Member
from members.queries import list_restrictions
from tests.factories.members import make_member
from tests.factories.sales import sell_many

pytestmark = [pytest.mark.needs_server, pytest.mark.django_db(transaction=True)]

YEAR = 2026
FIRST = datetime(YEAR, 3, 1, 9, tzinfo=UTC)
HELD = datetime(YEAR, 5, 2, 9, tzinfo=UTC)


def at_once(*work: Callable[[], Any]) -> list[Any]:
    """What these answer when they start together."""
    gate = threading.Barrier(len(work))

    def start(act: Callable[[], Any]) -> Any:
        try:
            gate.wait(20)
            return act()
        finally:
            connection.close()

    with ThreadPoolExecutor(len(work)) as pool:
        return list(pool.map(start, work))


@pytest.fixture
def sellers(transactional_db: None) -> list[Member]:
    return [make_member(f"Seller {number}") for number in range(8)]


def ask(member: Member) -> str | None:
    return request_information(member_id=member.id, year=YEAR, actor=CLOCK, now=FIRST)


def test_an_answer_and_withholding_leave_nothing_held(sellers: list[Member]) -> None:
    for seller in sellers:
        ask(seller)
        sweep_requests(now=FIRST + timedelta(days=14))
        sweep_requests(now=FIRST + timedelta(days=31))
        at_once(
            partial(information_given, member_id=seller.id, now=HELD),
            partial(sweep_requests, now=HELD),
        )
        assert InformationRequest.objects.get(member_id=seller.id).status == "answered"
        assert not list_restrictions(seller.id, now=HELD + timedelta(days=1))


def test_four_sweepers_remind_once(sellers: list[Member]) -> None:
    for seller in sellers:
        ask(seller)
    now = FIRST + timedelta(days=14)
    moved = at_once(*[partial(sweep_requests, now=now)] * 4)
    assert sum(moved) == len(sellers)
    assert DiligenceEvent.objects.filter(verb="remind").count() == len(sellers)


def test_four_watchers_say_and_ask_once(sellers: list[Member]) -> None:
    for seller in sellers:
        sell_many(seller.id, [Money(100, "EUR")] * 30, at=FIRST)
    now = FIRST + timedelta(minutes=1)
    at_once(*[partial(watch_sales, now=now)] * 4)
    assert SellerYear.objects.filter(standing="over").count() == len(sellers)
    assert DiligenceEvent.objects.filter(verb="over_limits").count() == len(sellers)
    assert InformationRequest.objects.count() == len(sellers)


def test_two_requests_are_one(sellers: list[Member]) -> None:
    for seller in sellers:
        one, other = at_once(partial(ask, seller), partial(ask, seller))
        assert one == other
