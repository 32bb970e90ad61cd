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
from dac7.services.closing import enforce_stops
from dac7.services.diligence import (
    close_account,
    information_given,
    request_information,
    sweep_requests,
)
from dac7.services.watching import tell_offering_sellers, watch_sales
from foundation.lifecycle import CLOCK
from foundation.money import Money
from members.models import Member
from members.queries import list_restrictions
from tests.factories.banking import activate, make_bank_account
from tests.factories.listings import load_small_catalogue, make_listing
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


def banked(name: str, *, iban: str) -> Member:
    """Who can be paid: the same person, if the account is the same."""
    member = make_member(name)
    activate(member.id, now=FIRST)
    make_bank_account(member.id, iban=iban, now=FIRST)
    return member


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


def test_an_answer_and_closing_leave_no_other_account_closed(transactional_db: None) -> None:
    for iban in ("LT121000011101001000", "LT821000011101001001", "LT551000011101001002"):
        first, second = banked("Ona", iban=iban), banked("Ona again", iban=iban)
        request_id = ask(first)
        for days in (14, 31, 62):
            sweep_requests(now=FIRST + timedelta(days=days))
        close_account(request_id=str(request_id), staff_id="S", note="No answer", now=HELD)
        answer = partial(information_given, member_id=first.id, now=HELD + timedelta(hours=1))
        at_once(answer, *[partial(enforce_stops, now=HELD + timedelta(minutes=1))] * 3)
        later = HELD + timedelta(hours=2)
        assert not list_restrictions(first.id, now=later)
        assert not list_restrictions(second.id, now=later)


def test_four_watches_tell_an_offering_seller_once(transactional_db: None) -> None:
    load_small_catalogue()
    for number in range(3):
        make_listing(make_member(f"Seller {number}").id, now=FIRST)
    at_once(*[partial(tell_offering_sellers, now=FIRST + timedelta(minutes=1))] * 4)
    assert DiligenceEvent.objects.filter(verb="offering").count() == 3
    assert SellerYear.objects.count() == 3
