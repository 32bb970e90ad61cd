"""Another provider looks at what a run saw; the seller never hears of it, and never waits for it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest
from django.db import IntegrityError, OperationalError, transaction
from django.test import Client

from ai_suggestions import services
from ai_suggestions.contract import Field, proposed
from ai_suggestions.evaluation.rolling_up import roll_up
from ai_suggestions.evaluation.shadows import compared
from ai_suggestions.models import SuggestionRun
from ai_suggestions.providers import register_provider
from ai_suggestions.routing_tables import ProviderRoute, ShadowField, ShadowRun
from ai_suggestions.services import FieldDecision, casting
from ai_suggestions.services.shadowing import LEASE, MAX_ATTEMPTS, STAND_BACK
from listings.services import delete
from tests.doubles.scripted_provider import COLOURS, SEEN, TEXTS, WHOLE, Scripted, ScriptedProvider
from tests.factories.listings import NOW, make_draft, make_photo
from tests.factories.members import make_member

if TYPE_CHECKING:
    from rest_framework.test import APIClient

    from listings.queries import ListingFacts
    from members.models import Member

Script = Callable[..., ScriptedProvider]
# Work takes some milliseconds of the time that it is told.
LATER = NOW + dt.timedelta(seconds=30)
RED = Scripted("colour", (proposed(Field.COLOURS, ["red"], 0.9, evidence=SEEN),))


@pytest.fixture
def shadow_says() -> Iterator[Script]:
    """`shadow_says(*script)` makes the provider called "shadow"."""
    from contextlib import ExitStack

    with ExitStack() as stack:

        def start(*script: Scripted, crashes: bool = False) -> ScriptedProvider:
            provider = ScriptedProvider(script, name="shadow", crashes=crashes)
            stack.enter_context(register_provider("shadow", lambda: provider))
            return provider

        yield start


@pytest.fixture
def route(scripted: ScriptedProvider, catalogue: None) -> ProviderRoute:
    """Every listing to "scripted", and all of them to "shadow" too."""
    facts: dict[str, Any] = {"provider": "scripted", "shadow_provider": "shadow", "shadow_share": 100}
    made = ProviderRoute(position=1, note="a trial", **facts)
    services.keep_route(made, changed_by="", now=NOW)
    return made


def run_of(seller: Member, draft: ListingFacts) -> SuggestionRun:
    found, _ = services.request_run(member_id=seller.id, listing_id=draft.id, now=NOW)
    services.perform_run(run_id=found.id, now=NOW)
    return SuggestionRun.objects.get(id=found.id)


def decide(run: SuggestionRun, *decisions: FieldDecision) -> None:
    services.decide(member_id=run.member_id, run_id=run.id, decisions=decisions, now=NOW)


def look(now: dt.datetime = LATER) -> str:
    return services.perform_shadow(shadow_id=ShadowRun.objects.get().id, now=now)


def said() -> dict[str, ShadowField]:
    return {row.field: row for row in ShadowField.objects.all()}


class TestCast:
    def test_is_a_row_once_the_run_has_ended(
        self, seller: Member, draft: ListingFacts, route: ProviderRoute, shadow_says: Script
    ) -> None:
        provider = shadow_says(RED)
        run = run_of(seller, draft)
        shadow = ShadowRun.objects.get()
        assert run.status == "succeeded"
        assert (shadow.run_id, shadow.route_version_id) == (run.id, run.route_version_id)
        assert (shadow.ended_at, provider.seen) == (None, [])

    def test_by_a_route_without_a_shadow_is_none(
        self, seller: Member, draft: ListingFacts, route: ProviderRoute
    ) -> None:
        route.shadow_provider, route.shadow_share = "", 0
        services.keep_route(route, changed_by="", now=NOW)
        run_of(seller, draft)
        assert not ShadowRun.objects.exists()

    def test_that_cannot_be_kept_leaves_the_run_as_it_is(
        self,
        seller: Member,
        draft: ListingFacts,
        route: ProviderRoute,
        shadow_says: Script,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        shadow_says(RED)

        def broken(*args: object) -> None:
            raise OperationalError("the disk is full")

        monkeypatch.setattr(casting, "_cast", broken)
        assert run_of(seller, draft).status == "succeeded"


class TestLook:
    def test_sees_what_the_run_saw_and_not_what_came_of_it(
        self, seller: Member, draft: ListingFacts, route: ProviderRoute, shadow_says: Script
    ) -> None:
        provider = shadow_says(RED, TEXTS)
        run = run_of(seller, draft)
        decide(run, FieldDecision("title", "accept"), FieldDecision("category", "accept", "men-t-shirts"))

        assert look() == "ended"

        (request,) = provider.seen
        assert (request.facts.title, request.facts.category_id) == ("", None)
        assert [photo.sha256 for photo in request.photos] == [run.inputs["photos"][0]["sha256"]]
        assert said()["colours"].value == ["red"]
        shadow = ShadowRun.objects.get()
        assert [step["outcome"] for step in shadow.steps] == ["ok", "ok"]
        assert (shadow.due_at, shadow.error_code) == (None, "")

    def test_is_shown_to_no_seller(
        self,
        seller: Member,
        draft: ListingFacts,
        route: ProviderRoute,
        shadow_says: Script,
        as_seller: APIClient,
    ) -> None:
        shadow_says(RED)
        run = run_of(seller, draft)
        before = as_seller.get(f"/api/v1/suggestion-runs/{run.id}")
        look()
        after = as_seller.get(f"/api/v1/suggestion-runs/{run.id}")
        assert (after.content, after["ETag"]) == (before.content, before["ETag"])

    def test_stands_back_while_a_seller_waits(
        self, seller: Member, draft: ListingFacts, route: ProviderRoute, shadow_says: Script
    ) -> None:
        provider = shadow_says(RED)
        run_of(seller, draft)
        other = make_draft(seller.id, complete=False)
        make_photo(other)
        waiting, _ = services.request_run(member_id=seller.id, listing_id=other.id, now=NOW)

        assert (look(), look()) == ("stood_back", "skipped")
        assert not provider.seen

        services.perform_run(run_id=waiting.id, now=NOW)
        first = ShadowRun.objects.order_by("id")[0]
        assert services.sweep_shadows(now=LATER + STAND_BACK)[-1] == first.id
        assert services.perform_shadow(shadow_id=first.id, now=LATER + STAND_BACK) == "ended"

    def test_is_taken_once_and_again_when_its_worker_died(
        self, seller: Member, draft: ListingFacts, route: ProviderRoute, shadow_says: Script
    ) -> None:
        class Killed(BaseException):
            """As a process that is gone: nothing of ours runs after it."""

        def killed() -> None:
            raise Killed

        shadow_says(Scripted("colour", before=killed))
        run_of(seller, draft)
        later = LATER
        for _ in range(MAX_ATTEMPTS):
            with pytest.raises(Killed):
                look(later)
            assert look(later) == "skipped"
            later += LEASE
        assert look(later) == "given_up"
        assert ShadowRun.objects.get().error_code == "attempts_exhausted"

    @pytest.mark.parametrize(
        ("script", "code"),
        [
            ({"crashes": True}, "provider_crashed"),
            ({"step": Scripted("colour", fails_with="llm_budget_spent")}, "llm_budget_spent"),
        ],
    )
    def test_that_breaks_says_why(
        self,
        seller: Member,
        draft: ListingFacts,
        route: ProviderRoute,
        shadow_says: Script,
        script: dict[str, Any],
        code: str,
    ) -> None:
        shadow_says(script.get("step", RED), crashes=script.get("crashes", False))
        run_of(seller, draft)
        assert look() == "given_up"
        assert ShadowRun.objects.get().error_code == code

    def test_of_photos_that_are_gone_is_given_up(
        self, seller: Member, draft: ListingFacts, route: ProviderRoute, shadow_says: Script
    ) -> None:
        shadow_says(RED)
        run = run_of(seller, draft)
        SuggestionRun.objects.filter(id=run.id).update(
            inputs=run.inputs | {"photos": [run.inputs["photos"][0] | {"sha256": "0" * 64}]}
        )
        assert look() == "given_up"
        assert ShadowRun.objects.get().error_code == "photos_gone"

    def test_of_a_deleted_listing_is_given_up(
        self, seller: Member, draft: ListingFacts, route: ProviderRoute, shadow_says: Script
    ) -> None:
        provider = shadow_says(RED)
        run_of(seller, draft)
        delete(seller_id=seller.id, listing_id=draft.id, now=NOW)
        assert look() == "given_up"
        assert not provider.seen


class TestCompare:
    @pytest.mark.parametrize(
        ("decision", "live", "shadow"),
        [
            (FieldDecision("colours", "accept"), True, False),
            (FieldDecision("colours", "edit", ["red"]), False, True),
            (FieldDecision("colours", "edit", ["white"]), False, False),
            # What the seller wanted instead is not known.
            (FieldDecision("colours", "reject"), False, None),
        ],
    )
    @pytest.mark.parametrize("decided_first", [True, False])
    def test_holds_both_against_what_the_seller_decided(
        self,
        seller: Member,
        draft: ListingFacts,
        route: ProviderRoute,
        shadow_says: Script,
        decision: FieldDecision,
        live: bool,
        shadow: bool | None,
        decided_first: bool,
    ) -> None:
        shadow_says(RED)
        run = run_of(seller, draft)
        for step in (decide, look) if decided_first else (look, decide):
            step(run, decision) if step is decide else look()
        roll_up(now=LATER)
        assert (said()["colours"].live_is_right, said()["colours"].is_right) == (live, shadow)

    def test_the_same_value_rejected_was_wrong_on_both(
        self, seller: Member, draft: ListingFacts, route: ProviderRoute, shadow_says: Script
    ) -> None:
        shadow_says(COLOURS)
        run = run_of(seller, draft)
        look()
        decide(run, FieldDecision("colours", "reject"))
        roll_up(now=LATER)
        assert (said()["colours"].live_is_right, said()["colours"].is_right) == (False, False)

    def test_counts_by_field_and_version(
        self, seller: Member, draft: ListingFacts, route: ProviderRoute, shadow_says: Script
    ) -> None:
        shadow_says(*WHOLE)
        run = run_of(seller, draft)
        look()
        decide(
            run,
            FieldDecision("colours", "edit", ["white"]),
            FieldDecision("category", "accept", "men-t-shirts"),
        )
        roll_up(now=LATER)
        lines = {line.field: (line.n, line.live.hits, line.shadow.hits) for line in compared(since=NOW)}
        assert lines == {"colours": (1, 0, 0), "category": (1, 1, 1)}


class TestPages:
    def test_show_the_shadow_its_cost_and_the_comparison(
        self, seller: Member, draft: ListingFacts, route: ProviderRoute, shadow_says: Script
    ) -> None:
        shadow_says(RED)
        run = run_of(seller, draft)
        look()
        decide(run, FieldDecision("colours", "edit", ["red"]))
        ShadowRun.objects.update(requested_at=dt.datetime.now(dt.UTC))
        roll_up(now=LATER)
        client = Client()
        client.force_login(make_member("Rūta", is_staff=True, is_superuser=True))
        pages = "/admin/ai_suggestions/shadowrun/"
        assert run.id in client.get(pages).content.decode()
        one = client.get(f"{pages}{ShadowRun.objects.get().id}/change/").content.decode()
        assert "[&quot;red&quot;]" in one
        assert "version 1" in one
        assert "colour script-1: ok" in one
        table = client.get(f"{pages}compared/").content.decode()
        assert "<td>colours</td><td>script-1</td><td>script-1</td><td>1</td>" in table
        clerk = Client()
        clerk.force_login(make_member("Clerk", is_staff=True))
        assert clerk.get(f"{pages}compared/").status_code == 403


class TestDatabase:
    def test_refuses_a_shadow_that_is_neither_open_nor_ended(
        self, seller: Member, draft: ListingFacts, route: ProviderRoute, shadow_says: Script
    ) -> None:
        shadow_says(RED)
        run_of(seller, draft)
        # MariaDB reports a failed CHECK as an operational error.
        failures = (IntegrityError, OperationalError)
        with pytest.raises(failures, match="shadow_open_or_ended"), transaction.atomic():
            ShadowRun.objects.update(due_at=None)

    def test_keeps_shadow_once_per_field(
        self, seller: Member, draft: ListingFacts, route: ProviderRoute, shadow_says: Script
    ) -> None:
        shadow_says(RED)
        run_of(seller, draft)
        look()
        again = ShadowField.objects.get()
        again.pk = None
        again.id = ShadowRun.objects.get().id
        with pytest.raises(IntegrityError), transaction.atomic():
            again.save(force_insert=True)
