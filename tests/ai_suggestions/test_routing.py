"""Which provider a new run gets, and the table that says so."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest
from django.contrib.admin.models import LogEntry
from django.db import IntegrityError, OperationalError, transaction
from hypothesis import given
from hypothesis import strategies as st

from ai_suggestions.llm.combined import Cascade
from ai_suggestions.llm.wiring import llm_provider
from ai_suggestions.models import SuggestionRun
from ai_suggestions.providers import CASCADE, register_provider
from ai_suggestions.routing import Route, find_route, in_share
from ai_suggestions.routing_tables import ProviderRoute, RouteVersion
from ai_suggestions.services import keep_route, perform_run, request_run
from foundation.ids import new_id
from members.models import Member, Plan
from members.services import set_plan
from tests.ai_suggestions.llm.asking import SNEAKERS
from tests.doubles.openai_server import KEY, MODEL, OpenAiServer, says
from tests.doubles.scripted_provider import WHOLE, ScriptedProvider
from tests.factories.listings import NOW

if TYPE_CHECKING:
    from django.test import Client
    from pytest_django import Settings

    from listings.queries import ListingFacts


@pytest.fixture
def server() -> Iterator[OpenAiServer]:
    with OpenAiServer(default=says(SNEAKERS)) as running:
        yield running


def a_route(id_: str = "everywhere", **facts: Any) -> Route:
    values: dict[str, Any] = {"version_id": "v", "version": 1, "country": "", "plan": "", "share": 100}
    return Route(id_, **(values | {"provider": "llm_or_on_device", "llm_fields": {}} | facts))


EVERYWHERE = a_route()
GERMANY = a_route("germany", country="DE")
PROFESSIONALS = a_route("professionals", plan="professional")


def find(*routes: Route, country: str = "LT", plan: str = "private", listing_id: str = "x") -> str | None:
    found = find_route(routes, country=country, plan=plan, listing_id=listing_id)
    return None if found is None else found.id


def keep(**facts: Any) -> ProviderRoute:
    """A route as staff would make it."""
    values: dict[str, Any] = {"position": 1, "provider": "llm", "note": "a trial", "changed_at": NOW}
    route = ProviderRoute(**(values | facts))
    keep_route(route, changed_by="", now=NOW)
    return route


class TestFindRoute:
    def test_without_a_route_that_fits_the_setting_decides(self) -> None:
        assert find() is None
        assert find(GERMANY) is None

    def test_the_first_route_that_fits_decides(self) -> None:
        assert find(GERMANY, EVERYWHERE, country="DE") == "germany"
        assert find(GERMANY, EVERYWHERE, country="LT") == "everywhere"
        assert find(PROFESSIONALS, EVERYWHERE, plan="professional") == "professionals"
        assert find(PROFESSIONALS, EVERYWHERE, plan="private") == "everywhere"

    def test_a_shadow_looks_at_its_own_share(self) -> None:
        half = a_route(share=50, shadow_provider="on_device", shadow_share=50)
        listings = [new_id() for _ in range(2000)]
        of_route = [id_ for id_ in listings if half.fits(country="LT", plan="private", listing_id=id_)]
        shadowed = sum(half.has_shadow_for(id_) for id_ in of_route)
        assert 0.4 < shadowed / len(of_route) < 0.6  # not all, as if both drew alike
        assert not a_route(shadow_share=50).has_shadow_for("x")

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
        keep(position=1, country="JP", provider="llm")
        route = keep(position=2, country=draft.country, provider="llm_or_on_device")
        keep(position=3, provider="llm")

        run, _ = request_run(member_id=seller.id, listing_id=draft.id, now=NOW)

        assert run.provider == "llm_or_on_device"
        taken = SuggestionRun.objects.get(id=run.id)
        assert taken.route_version == RouteVersion.objects.get(route=route, version=1)
        assert taken.country == draft.country

    def test_takes_the_route_of_the_sellers_plan(self, seller: Member, draft: ListingFacts) -> None:
        keep(plan="professional", provider="llm")
        run, _ = request_run(member_id=seller.id, listing_id=draft.id, now=NOW)
        assert run.provider == "on_device"

        set_plan(member_id=seller.id, plan=Plan.PROFESSIONAL, source="staff:x")
        run, _ = request_run(member_id=seller.id, listing_id=draft.id, now=NOW)
        assert run.provider == "llm"

    def test_passes_over_a_route_that_is_switched_off(self, seller: Member, draft: ListingFacts) -> None:
        keep(is_active=False)

        run, _ = request_run(member_id=seller.id, listing_id=draft.id, now=NOW)

        assert run.provider == "on_device"
        assert SuggestionRun.objects.get(id=run.id).route_version is None

    def test_keeps_the_rules_it_was_requested_under(
        self, seller: Member, draft: ListingFacts, server: OpenAiServer, settings: Settings
    ) -> None:
        """A change of the route counts for the next run, not for one that waits."""
        settings.OPENAI_BASE_URL, settings.OPENAI_API_KEY, settings.LLM_MODEL = server.url, KEY, MODEL
        settings.LLM_PRICES, settings.LLM_DAILY_BUDGET = {"input": "2.5", "output": "10"}, "5"
        route = keep(provider=CASCADE, llm_fields={"colours": None, "condition": 0})
        llm = llm_provider()
        with register_provider(CASCADE, lambda: Cascade(CASCADE, ScriptedProvider(WHOLE), llm)):
            run, _ = request_run(member_id=seller.id, listing_id=draft.id, now=NOW)
            route.llm_fields = {"colours": 0}
            keep_route(route, changed_by="", now=NOW)
            perform_run(run_id=run.id, now=NOW)
        llm.close()

        assert len(server.seen) == 1  # for the condition, which on-device never says
        assert RouteVersion.objects.filter(route=route).count() == 2


class TestRoutesInTheDatabase:
    @pytest.mark.parametrize(
        ("name", "facts"),
        [
            ("route_share_is_percent", {"share": 101}),
            ("route_share_is_percent", {"share": 0}),
            ("route_has_provider", {"provider": ""}),
            ("route_shadow_has_share", {"shadow_provider": "llm"}),
            ("route_shadow_has_share", {"shadow_share": 5}),
            ("route_shadow_has_share", {"shadow_provider": "llm", "shadow_share": 101}),
        ],
    )
    def test_are_refused(self, db: None, name: str, facts: dict[str, Any]) -> None:
        # MariaDB reports a failed CHECK as an operational error.
        with pytest.raises((IntegrityError, OperationalError), match=name), transaction.atomic():
            keep(**facts)

    def test_route_position_once(self, db: None) -> None:
        keep()
        with pytest.raises(IntegrityError), transaction.atomic():
            keep()

    def test_route_version_once(self, db: None) -> None:
        route = keep()
        version = RouteVersion.objects.get(route=route)
        version.pk = new_id()
        with pytest.raises(IntegrityError), transaction.atomic():
            version.save(force_insert=True)


@pytest.fixture
def staff(db: None) -> Client:
    from django.test import Client

    from tests.factories.members import make_member

    client = Client()
    client.force_login(make_member("Rūta", is_staff=True, is_superuser=True))
    return client


class TestAdmin:
    PAGE = "/admin/ai_suggestions/providerroute/"

    def change(self, staff: Client, *, url: str = "add/", **facts: Any) -> Any:
        form = {"position": "1", "country": "lt", "share": "25", "provider": "on_device_then_llm"}
        form |= {"plan": "", "shadow_provider": "", "shadow_share": "0", "shadow_daily_cap": ""}
        # Two inputs for each field: may the LLM answer, and below which confidence it is asked.
        form |= {"llm_fields_0": "on", "llm_fields_1": "0.95", "llm_fields_6": "on"}
        form |= {"versions-TOTAL_FORMS": "0", "versions-INITIAL_FORMS": "0"}
        return staff.post(f"{self.PAGE}{url}", form | {"is_active": "on", "note": "a trial"} | facts)

    def test_a_new_route_names_the_provider_that_answers_anyway(self, staff: Client) -> None:
        form = staff.get(f"{self.PAGE}add/").content.decode()
        assert '<option value="on_device" selected>' in form

    def test_a_route_is_added_and_written_into_its_history(self, staff: Client) -> None:
        answer = self.change(staff)

        assert answer.status_code == 302
        added = ProviderRoute.objects.get()
        assert (added.country, added.share, added.provider) == ("LT", 25, CASCADE)
        assert added.llm_fields == {"category": 0.95, "size": None}
        assert LogEntry.objects.filter(object_id=added.id).count() == 1
        assert b"on_device_then_llm" in staff.get(self.PAGE).content

    def test_a_change_is_another_version_and_says_who_made_it(self, staff: Client) -> None:
        self.change(staff)
        route = ProviderRoute.objects.get()
        shadow = {"shadow_provider": "llm", "shadow_share": "5", "shadow_daily_cap": "0.50"}

        assert self.change(staff, url=f"{route.id}/change/", **shadow).status_code == 302

        first, second = RouteVersion.objects.filter(route=route).order_by("version")
        assert (first.shadow_provider, second.shadow_provider) == ("", "llm")
        assert Member.objects.get(id=second.changed_by).is_staff
        page = staff.get(f"{self.PAGE}{route.id}/change/").content.decode()
        assert "llm, 5 %, 0.50 a day" in page
        assert "category 0.95" in page
        log = LogEntry.objects.filter(object_id=route.id).first()
        assert log is not None
        assert "Shadow provider" in log.get_change_message()

    def test_is_switched_off_and_not_deleted(self, staff: Client) -> None:
        self.change(staff)
        route = ProviderRoute.objects.get()
        assert staff.get(f"{self.PAGE}{route.id}/delete/").status_code == 403

    def test_rules_without_a_cascade_are_dropped(self, staff: Client) -> None:
        self.change(staff, provider="llm")
        assert ProviderRoute.objects.get().llm_fields == {}

    @pytest.mark.parametrize(
        "wrong",
        [
            {"country": "XX"},
            {"share": "0"},
            {"share": "101"},
            {"provider": "nobody"},
            {"plan": "golden"},
            {"llm_fields_1": "1.5"},
            {"llm_fields_1": "surely"},
            {"llm_fields_1": ""},
            {"shadow_provider": "on_device"},
            {"shadow_share": "5"},
            {"shadow_provider": "on_device", "shadow_share": "101"},
            {"shadow_provider": "llm", "shadow_share": "5"},
            {"shadow_provider": "on_device_then_llm", "shadow_share": "5", "shadow_daily_cap": "1"},
        ],
    )
    def test_what_cannot_work_is_refused(self, staff: Client, wrong: dict[str, str]) -> None:
        answer = self.change(staff, **wrong)

        assert answer.status_code == 200
        assert b"errorlist" in answer.content
        assert not ProviderRoute.objects.exists()
