"""Warning, asking, reminding, withholding and letting go; every step in the log."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from prometheus_client import REGISTRY

from balance.errors import TaxInformationRequired
from balance.services.blocks import require_may_withdraw
from dac7.errors.diligence import InformationRequestMoved, InformationRequestNotFound
from dac7.lifecycle.diligence import RequestStatus
from dac7.models import DiligenceEvent, InformationRequest, QuarterCheck, SellerYear
from dac7.queries.diligence import count_sellers, find_open_request, list_events, next_request_due
from dac7.services import watching
from dac7.services.diligence import (
    bar_selling,
    drop_request,
    information_given,
    request_information,
    sweep_requests,
)
from dac7.services.watching import check_quarter, watch_sales
from foundation.lifecycle import CLOCK
from foundation.money import Money
from foundation.sandbox.sweepers import registered
from members.models import Member, Notice
from members.queries import list_restrictions
from tests.factories.members import make_member
from tests.factories.sales import sell, sell_many
from tests.factories.tax import give_profile

pytestmark = pytest.mark.django_db

YEAR = 2026
FIRST = datetime(YEAR, 3, 1, 9, tzinfo=UTC)
# 1 May, 00:00 in Vilnius.
HELD_FROM = datetime(YEAR, 4, 30, 21, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def day(month: int, number: int) -> datetime:
    return datetime(YEAR, month, number, 9, tzinfo=UTC)


def ask(member: Member, now: datetime = FIRST) -> str:
    request_id = request_information(member_id=member.id, year=YEAR, actor=CLOCK, now=now)
    assert request_id is not None
    return request_id


def status(member: Member) -> str | None:
    request = find_open_request(member.id)
    return None if request is None else request.status


def may_withdraw(member: Member, now: datetime) -> bool:
    try:
        require_may_withdraw(member_id=member.id, currency="EUR", now=now)
    except TaxInformationRequired:
        return False
    return True


def until_withheld(member: Member) -> str:
    request_id = ask(member)
    for now in (day(3, 15), day(4, 1), HELD_FROM):
        sweep_requests(now=now)
    assert status(member) == "withheld"
    return request_id


class TestRequest:
    def test_of_1_march_is_followed_by_two_reminders_and_held_from_1_may(self, seller: Member) -> None:
        ask(seller)
        seen = []
        for now in (
            day(3, 15) - MINUTE,
            day(3, 15),
            day(4, 1) - MINUTE,
            day(4, 1),
            HELD_FROM - MINUTE,
            HELD_FROM,
        ):
            assert may_withdraw(seller, now)
            sweep_requests(now=now)
            seen.append(status(seller))
        assert seen == ["requested", "reminded", "reminded", "reminded_again", "reminded_again", "withheld"]
        assert not may_withdraw(seller, HELD_FROM)

    def test_with_one_reminder_only_holds_nothing(self, seller: Member) -> None:
        ask(seller)
        sweep_requests(now=day(4, 29))
        assert status(seller) == "reminded"
        sweep_requests(now=day(5, 2))
        assert (status(seller), may_withdraw(seller, day(5, 2))) == ("reminded", True)

    def test_reminded_late_leaves_time_to_answer(self, seller: Member) -> None:
        ask(seller)
        for now in (day(4, 20), day(5, 20), day(6, 2)):
            sweep_requests(now=now)
        assert status(seller) == "reminded_again"
        sweep_requests(now=day(6, 3))
        assert status(seller) == "withheld"

    def test_is_one_at_a_time(self, seller: Member) -> None:
        assert ask(seller) == ask(seller, FIRST + MINUTE)
        assert InformationRequest.objects.count() == 1

    def test_asks_nobody_who_owes_nothing(self, seller: Member) -> None:
        give_profile(seller.id)
        assert request_information(member_id=seller.id, year=YEAR, actor=CLOCK, now=FIRST) is None

    def test_tells_the_day_in_every_letter(self, seller: Member) -> None:
        until_withheld(seller)
        letters = Notice.objects.filter(member_id=seller.id, kind__startswith="tax.").order_by("id")
        assert [(one.kind, one.params.get("day")) for one in letters] == [
            ("tax.information_requested", "2026-05-01"),
            ("tax.information_reminded", "2026-05-01"),
            ("tax.information_reminded_again", "2026-05-01"),
            ("tax.withdrawals_held", None),
        ]

    def test_logs_every_step(self, seller: Member) -> None:
        until_withheld(seller)
        information_given(member_id=seller.id, now=day(5, 2))
        log = [(one.verb, one.source, one.target, one.actor) for one in list_events(seller.id)][::-1]
        assert log == [
            ("request", "", "requested", "clock"),
            ("remind", "requested", "reminded", "clock"),
            ("remind", "reminded", "reminded_again", "clock"),
            ("withhold", "reminded_again", "withheld", "clock"),
            ("answer", "withheld", "answered", f"member:{seller.id}"),
        ]


class TestAnswer:
    @pytest.mark.parametrize("sweeps", range(4), ids=["requested", "reminded", "reminded_again", "withheld"])
    def test_ends_it_at_once(self, seller: Member, sweeps: int) -> None:
        ask(seller)
        for now in (day(3, 15), day(4, 1), HELD_FROM)[:sweeps]:
            sweep_requests(now=now)
        assert information_given(member_id=seller.id, now=day(5, 2))
        assert (status(seller), may_withdraw(seller, day(5, 2))) == (None, True)
        sweep_requests(now=day(12, 1))
        assert not list_restrictions(seller.id, now=day(12, 1))

    def test_that_nobody_rang_for_is_seen_by_the_clock(self, seller: Member) -> None:
        ask(seller)
        give_profile(seller.id, now=FIRST + MINUTE)
        sweep_requests(now=day(3, 15))
        assert InformationRequest.objects.get().status == RequestStatus.ANSWERED

    def test_without_a_request_changes_nothing(self, seller: Member) -> None:
        assert not information_given(member_id=seller.id, now=FIRST)
        assert not DiligenceEvent.objects.exists()


class TestStaff:
    def test_may_bar_from_selling_once_withdrawals_are_held(self, seller: Member) -> None:
        request_id = until_withheld(seller)
        bar_selling(request_id=request_id, staff_id="S", note="No answer at all", now=day(6, 1))
        held = {one.capability for one in list_restrictions(seller.id, now=day(6, 1))}
        assert held == {"withdraw", "sell"}
        information_given(member_id=seller.id, now=day(6, 2))
        assert not list_restrictions(seller.id, now=day(6, 2))

    def test_may_not_bar_before(self, seller: Member) -> None:
        request_id = ask(seller)
        with pytest.raises(InformationRequestMoved) as refused:
            bar_selling(request_id=request_id, staff_id="S", note="", now=day(3, 2))
        assert refused.value.code == "information_request_moved"

    def test_may_drop_it_and_the_clock_does_not_ask_again(self, seller: Member) -> None:
        drop_request(request_id=until_withheld(seller), staff_id="S", note="Listed", now=day(5, 3))
        assert may_withdraw(seller, day(5, 3))
        assert request_information(member_id=seller.id, year=YEAR, actor=CLOCK, now=day(5, 4)) is None

    def test_are_told_when_there_is_none(self, seller: Member) -> None:
        with pytest.raises(InformationRequestNotFound) as refused:
            drop_request(request_id="none", staff_id="S", note="", now=FIRST)
        assert refused.value.code == "information_request_not_found"


class TestWatching:
    def test_tells_of_the_first_sale_and_asks_for_nothing(self, seller: Member) -> None:
        sell(seller.id, Money(2000, "EUR"), at=FIRST)
        watch_sales(now=FIRST + MINUTE)
        assert [one.verb for one in list_events(seller.id)] == ["first_sale"]

    @pytest.mark.parametrize(
        ("sales", "minor", "verbs"),
        [
            (24, 24 * 100, ["first_sale"]),
            (25, 25 * 100, ["near_limits", "request"]),
            (1, 169999, ["first_sale"]),
            (1, 170000, ["near_limits", "request"]),
            (1, 200000, ["near_limits", "request"]),
            (30, 30 * 100, ["over_limits", "request"]),
            (1, 200001, ["over_limits", "request"]),
        ],
    )
    def test_warns_and_asks_from_25_sales_or_1700(
        self, seller: Member, sales: int, minor: int, verbs: list[str]
    ) -> None:
        sell_many(seller.id, Money(minor, "EUR").allocate([1] * sales), at=FIRST)
        watch_sales(now=FIRST + MINUTE)
        assert [one.verb for one in list_events(seller.id)][::-1] == verbs

    def test_says_each_thing_once(self, seller: Member) -> None:
        for step in range(3):
            sell_many(seller.id, [Money(100, "EUR")] * 13, at=FIRST + step * MINUTE)
            watch_sales(now=FIRST + step * MINUTE + MINUTE / 2)
            watch_sales(now=FIRST + step * MINUTE + MINUTE / 2)
        verbs = [one.verb for one in list_events(seller.id)][::-1]
        assert verbs == ["first_sale", "near_limits", "request", "over_limits"]
        assert SellerYear.objects.get().activities == 39
        assert count_sellers(YEAR)["over"] == 1

    def test_that_fails_shows_how_far_it_is_behind(
        self, seller: Member, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        watch_sales(now=FIRST)
        sell(seller.id, Money(2000, "EUR"), at=FIRST + MINUTE)

        def broken(**_: object) -> None:
            raise OSError("the database went away")

        monkeypatch.setattr(watching, "watch_seller", broken)
        with pytest.raises(OSError, match="went away"):
            watch_sales(now=FIRST + 5 * MINUTE)
        assert REGISTRY.get_sample_value("preloved_dac7_sales_read_lag_seconds") == 300
        monkeypatch.undo()
        watch_sales(now=FIRST + 6 * MINUTE)
        assert REGISTRY.get_sample_value("preloved_dac7_sales_read_lag_seconds") == 0


class TestQuarterCheck:
    def test_asks_whom_nobody_asked_and_is_done_once(self, seller: Member) -> None:
        sell_many(seller.id, [Money(100, "EUR")] * 30, at=FIRST)
        complete = make_member("Jonas")
        give_profile(complete.id)
        sell_many(complete.id, [Money(100, "EUR")] * 25, at=FIRST)
        assert check_quarter(now=day(4, 1)) is not None
        assert check_quarter(now=day(4, 2)) is None
        row = QuarterCheck.objects.get()
        assert (row.year, row.quarter, row.sellers, row.over, row.near, row.incomplete) == (
            YEAR,
            1,
            2,
            1,
            1,
            1,
        )
        assert (status(seller), status(complete)) == ("requested", None)
        assert next_request_due() == day(4, 15)

    def test_in_january_is_of_the_year_before(self, seller: Member) -> None:
        sell_many(seller.id, [Money(100, "EUR")] * 30, at=FIRST)
        check_quarter(now=datetime(YEAR + 1, 1, 1, 9, tzinfo=UTC))
        row = QuarterCheck.objects.get()
        assert (row.year, row.quarter, row.over) == (YEAR, 4, 1)


class TestTheSandboxsClock:
    def test_knows_what_comes_next_and_ends(self, seller: Member) -> None:
        ask(seller)
        sweepers = {one.name: one for one in registered() if one.name.startswith("dac7.")}
        assert {"dac7.sales", "dac7.quarters", "dac7.requests"} <= sweepers.keys()
        requests, quarters = sweepers["dac7.requests"], sweepers["dac7.quarters"]
        assert requests.next_due is not None
        assert quarters.next_due is not None
        assert requests.next_due(after=FIRST) == day(3, 15)
        # 1 April, 00:00 in Vilnius.
        assert quarters.next_due(after=FIRST) == datetime(YEAR, 3, 31, 21, tzinfo=UTC)
        for name in sweepers.keys() & {"dac7.sales", "dac7.quarters", "dac7.requests"}:
            assert sweepers[name].sweep(now=day(4, 2)) == 1
            assert sweepers[name].sweep(now=day(4, 2)) == 0
