"""Which provider a new run gets, and the table that says so."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from django.db import IntegrityError, OperationalError, transaction
from hypothesis import given
from hypothesis import strategies as st

from ai_suggestions.models import ProviderRoute
from ai_suggestions.routing import Route, in_share, provider_for
from foundation.ids import new_id
from tests.factories.listings import NOW

if TYPE_CHECKING:
    from django.test import Client

    from listings.queries import ListingFacts
    from members.models import Member

EVERYWHERE = Route("everywhere", "", 100, "llm_or_on_device")
GERMANY = Route("germany", "DE", 100, "on_device_then_llm")


def route(**facts: Any) -> ProviderRoute:
    values: dict[str, Any] = {"position": 1, "provider": "llm", "note": "a trial", "changed_at": NOW}
    return ProviderRoute.objects.create(**(values | facts))


class TestProviderFor:
    def test_without_a_route_the_setting_decides(self) -> None:
        assert provider_for([], country="DE", listing_id="x", otherwise="on_device") == "on_device"

    def test_the_first_route_that_fits_decides(self) -> None:
        assert (
            provider_for([GERMANY, EVERYWHERE], country="DE", listing_id="x", otherwise="-")
            == GERMANY.provider
        )
        assert (
            provider_for([GERMANY, EVERYWHERE], country="LT", listing_id="x", otherwise="-")
            == EVERYWHERE.provider
        )
        assert provider_for([GERMANY], country="LT", listing_id="x", otherwise="on_device") == "on_device"

    def test_a_share_takes_about_that_many_listings(self) -> None:
        taken = sum(in_share("route", new_id(), 20) for _ in range(5000))

        assert 850 < taken < 1150  # five standard deviations around 1,000

    @given(st.text(), st.text(), st.integers(1, 99))
    def test_a_larger_share_keeps_those_that_were_in(
        self, route_id: str, listing_id: str, share: int
    ) -> None:
        if in_share(route_id, listing_id, share):
            assert in_share(route_id, listing_id, share + 1)

    @given(st.text(), st.text())
    def test_a_hundred_percent_is_everybody(self, route_id: str, listing_id: str) -> None:
        assert in_share(route_id, listing_id, 100)


class TestRequestRun:
    def test_takes_the_route_of_the_listings_market(self, seller: Member, draft: ListingFacts) -> None:
        from ai_suggestions.services import request_run

        route(position=1, country="JP", provider="llm")
        route(position=2, country=draft.country, provider="llm_or_on_device")
        route(position=3, provider="llm")

        run, _ = request_run(member_id=seller.id, listing_id=draft.id, now=NOW)

        assert run.provider == "llm_or_on_device"

    def test_passes_over_a_route_that_is_switched_off(self, seller: Member, draft: ListingFacts) -> None:
        from ai_suggestions.services import request_run

        route(is_active=False)

        run, _ = request_run(member_id=seller.id, listing_id=draft.id, now=NOW)

        assert run.provider == "on_device"


class TestProviderRoute:
    @pytest.mark.parametrize(
        ("name", "facts"),
        [
            ("route_share_is_percent", {"share": 101}),
            ("route_share_is_percent", {"share": 0}),
            ("route_has_provider", {"provider": ""}),
        ],
    )
    def test_the_database_refuses(self, db: None, name: str, facts: dict[str, Any]) -> None:
        # MariaDB reports a failed CHECK as an operational error.
        with pytest.raises((IntegrityError, OperationalError), match=name), transaction.atomic():
            route(**facts)


@pytest.fixture
def staff(db: None) -> Client:
    from django.test import Client

    from tests.factories.members import make_member

    client = Client()
    client.force_login(make_member("Rūta", is_staff=True, is_superuser=True))
    return client


class TestAdmin:
    PAGE = "/admin/ai_suggestions/providerroute/"

    def change(self, staff: Client, **facts: Any) -> Any:
        form = {"position": "1", "country": "lt", "share": "25", "provider": "on_device_then_llm"}
        return staff.post(f"{self.PAGE}add/", form | {"is_active": "on", "note": "a trial"} | facts)

    def test_a_route_is_added_and_written_into_its_history(self, staff: Client) -> None:
        from django.contrib.admin.models import LogEntry

        answer = self.change(staff)

        assert answer.status_code == 302
        added = ProviderRoute.objects.get()
        assert (added.country, added.share, added.provider) == ("LT", 25, "on_device_then_llm")
        assert LogEntry.objects.filter(object_id=added.id).count() == 1
        assert b"on_device_then_llm" in staff.get(self.PAGE).content

    @pytest.mark.parametrize(
        "wrong", [{"country": "XX"}, {"share": "0"}, {"share": "101"}, {"provider": "nobody"}]
    )
    def test_what_cannot_work_is_refused(self, staff: Client, wrong: dict[str, str]) -> None:
        answer = self.change(staff, **wrong)

        assert answer.status_code == 200
        assert b"errorlist" in answer.content
        assert not ProviderRoute.objects.exists()
