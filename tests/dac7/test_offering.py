"""Whoever puts something on offer hears of the rules before selling, with the limits of the state."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from dac7.models import SellerYear
from dac7.queries.diligence import list_events
from dac7.services.watching import tell_offering_sellers, watch_sales
from foundation.money import Money
from members.models import Member, Notice
from members.notices.kinds import kind_named
from members.notices.rendering import Reader, render
from tests.factories.listings import load_small_catalogue, make_draft, make_listing
from tests.factories.members import make_member
from tests.factories.sales import sell, sell_many

if TYPE_CHECKING:
    from pytest_django import Settings

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 3, 1, 9, tzinfo=UTC)
MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)


@pytest.fixture(autouse=True)
def catalogue(db: None) -> None:
    load_small_catalogue()


def verbs(member: Member) -> list[str]:
    return [one.verb for one in list_events(member.id)][::-1]


def words(member: Member) -> str:
    notice = Notice.objects.filter(member_id=member.id, kind__startswith="tax.").latest("id")
    return render(kind_named(notice.kind), notice.params, Reader("en", "Europe/Vilnius")).body


class TestASeller:
    def test_is_told_before_the_first_sale_and_not_again_with_it(self, seller: Member) -> None:
        make_listing(seller.id, now=NOW)
        assert tell_offering_sellers(now=NOW + MINUTE) == 1
        assert (verbs(seller), SellerYear.objects.get().standing) == (["offering"], "none")
        sell(seller.id, Money(2000, "EUR"), at=NOW + DAY)
        watch_sales(now=NOW + DAY + MINUTE)
        assert (verbs(seller), SellerYear.objects.get().standing) == (["offering"], "small")
        sell_many(seller.id, [Money(100, "EUR")] * 24, at=NOW + 2 * DAY)
        watch_sales(now=NOW + 2 * DAY + MINUTE)
        assert verbs(seller) == ["offering", "near_limits", "request"]

    def test_is_told_once_however_much_there_is_on_offer(self, seller: Member) -> None:
        for step in range(3):
            make_listing(seller.id, now=NOW + step * MINUTE)
            tell_offering_sellers(now=NOW + step * MINUTE + MINUTE / 2)
        assert tell_offering_sellers(now=NOW + DAY) == 0
        assert verbs(seller) == ["offering"]

    def test_who_has_sold_already_knows(self, seller: Member) -> None:
        sell(seller.id, Money(2000, "EUR"), at=NOW)
        watch_sales(now=NOW + MINUTE)
        make_listing(seller.id, now=NOW + 2 * MINUTE)
        assert tell_offering_sellers(now=NOW + 3 * MINUTE) == 0
        assert verbs(seller) == ["first_sale"]

    def test_with_a_draft_sells_nothing_yet(self, seller: Member) -> None:
        make_draft(seller.id, now=NOW)
        assert tell_offering_sellers(now=NOW + MINUTE) == 0

    def test_is_told_again_in_another_year(self, seller: Member) -> None:
        make_listing(seller.id, now=NOW)
        tell_offering_sellers(now=NOW + MINUTE)
        later = NOW.replace(year=2027)
        make_listing(seller.id, now=later)
        assert tell_offering_sellers(now=later + MINUTE) == 1

    def test_of_the_whole_year_so_far_is_found_by_the_first_run(self) -> None:
        sellers = [make_member(name) for name in ("Ona", "Jonas")]
        for seller, at in zip(sellers, (NOW - 40 * DAY, NOW), strict=True):
            make_listing(seller.id, now=at)
        assert tell_offering_sellers(now=NOW + MINUTE) == 2


class TestTheLimits:
    @pytest.mark.parametrize(("state", "how"), [("LT", "more than €2,000.00"), ("DE", "at least €2,000.00")])
    def test_are_those_of_the_operators_state(
        self, seller: Member, settings: Settings, state: str, how: str
    ) -> None:
        settings.DAC7_OPERATOR_STATE = state
        make_listing(seller.id, now=NOW)
        tell_offering_sellers(now=NOW + MINUTE)
        assert f"From 30 sales or {how} in 2026" in words(seller)
        sell(seller.id, Money(200_000, "EUR"), at=NOW + DAY)
        watch_sales(now=NOW + DAY + MINUTE)
        # Exactly the limit: reported by an operator in Germany, not by one in Lithuania.
        assert verbs(seller)[1] == ("over_limits" if state == "DE" else "near_limits")

    def test_of_a_report_are_in_its_notice_too(self, seller: Member, settings: Settings) -> None:
        settings.DAC7_OPERATOR_STATE = "DE"
        sell(seller.id, Money(200_000, "EUR"), at=NOW)
        watch_sales(now=NOW + MINUTE)
        told = Notice.objects.get(member_id=seller.id, kind="tax.over_limits")
        body = render(kind_named(told.kind), told.params, Reader("de", "Europe/Berlin")).body
        assert "30 Verkäufe oder mindestens 2.000,00\N{NO-BREAK SPACE}€ erreicht" in body
