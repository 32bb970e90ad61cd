"""A run that is stopped, done again, overtaken, or left behind by a worker that died."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import pytest

from ai_suggestions import queries, services
from ai_suggestions.errors import (
    AnotherRunLive,
    RunNotFound,
    RunStatusConflict,
)
from ai_suggestions.lifecycle import LEASE, MAX_ATTEMPTS
from ai_suggestions.models import PhotoReading, RunStep
from listings import services as listing_services
from listings.errors import ListingNotFound
from tests.ai_suggestions.running import SECOND, now_of, perform, request, said_on
from tests.doubles.scripted_provider import CATEGORY, COLOURS, TEXTS, WHOLE, Scripted, ScriptedProvider
from tests.factories.listings import NOW, make_photo

if TYPE_CHECKING:
    from listings.queries import ListingFacts
    from members.models import Member
    from tests.ai_suggestions.conftest import Follow


class TestCancel:
    def test_a_queued_run_is_never_performed(
        self, seller: Member, draft: ListingFacts, scripted: ScriptedProvider
    ) -> None:
        run = request(seller, draft)
        services.cancel_run(member_id=seller.id, run_id=run.id, now=NOW)
        assert perform(run).outcome == "skipped"
        assert now_of(run).run.status == "cancelled"

    def test_under_way_the_worker_stops_at_the_next_step(
        self, seller: Member, draft: ListingFacts, follow: Follow
    ) -> None:
        def stop() -> None:
            services.cancel_run(member_id=seller.id, run_id=run.id, now=NOW)

        follow(CATEGORY, Scripted("colour", COLOURS.proposals, before=stop), TEXTS)
        run = request(seller, draft)
        assert perform(run).outcome == "skipped"
        assert now_of(run).run.status == "cancelled"
        assert set(said_on(run)) == {"category", "parcel_size"}, "what was there stays"

    def test_twice_is_once(self, seller: Member, draft: ListingFacts, scripted: ScriptedProvider) -> None:
        run = request(seller, draft)
        for _ in range(2):
            assert services.cancel_run(member_id=seller.id, run_id=run.id, now=NOW).status == "cancelled"

    def test_not_after_the_end(self, seller: Member, draft: ListingFacts, scripted: ScriptedProvider) -> None:
        run = request(seller, draft)
        perform(run)
        with pytest.raises(RunStatusConflict):
            services.cancel_run(member_id=seller.id, run_id=run.id, now=NOW)

    def test_somebody_elses_is_not_found(
        self, seller: Member, other_seller: Member, draft: ListingFacts, scripted: ScriptedProvider
    ) -> None:
        run = request(seller, draft)
        with pytest.raises(RunNotFound):
            services.cancel_run(member_id=other_seller.id, run_id=run.id, now=NOW)

    def test_superseded_under_way_the_newer_run_wins(
        self, seller: Member, draft: ListingFacts, follow: Follow
    ) -> None:
        newer: list[queries.RunFacts] = []

        def change_photos() -> None:
            if not newer:
                make_photo(draft, colour="red", now=NOW + SECOND)
                newer.append(request(seller, draft, now=NOW + SECOND))

        follow(Scripted("category", CATEGORY.proposals, before=change_photos), TEXTS)
        run = request(seller, draft)
        assert perform(run).outcome == "skipped"
        assert now_of(run).run.status == "superseded"
        assert perform(newer[0]).outcome == "succeeded"


class TestRetry:
    def test_a_failed_run_gets_its_attempts_back(
        self, seller: Member, draft: ListingFacts, follow: Follow
    ) -> None:
        follow(Scripted("category", crashes=True))
        run = request(seller, draft)
        perform(run)
        again = services.retry_run(member_id=seller.id, run_id=run.id, now=NOW)
        assert (again.status, again.attempts, again.failure_code) == ("queued", 0, "")
        follow(*WHOLE)
        assert perform(run).outcome == "succeeded"
        assert [step.outcome for step in now_of(run).steps] == ["ok"] * 4

    def test_keeps_what_the_seller_decided(self, seller: Member, draft: ListingFacts, follow: Follow) -> None:
        follow(CATEGORY, Scripted("colour", crashes=True))
        run = request(seller, draft)
        perform(run)
        services.decide(
            member_id=seller.id,
            run_id=run.id,
            decisions=[services.FieldDecision("category", "accept", "men-t-shirts")],
            now=NOW,
        )
        services.retry_run(member_id=seller.id, run_id=run.id, now=NOW)
        follow(*WHOLE)
        perform(run)
        category = next(found for found in now_of(run).fields if found.field == "category")
        assert (category.decision, category.decided_value) == ("accepted", "men-t-shirts")

    def test_not_beside_another_live_run(self, seller: Member, draft: ListingFacts, follow: Follow) -> None:
        follow(Scripted("category", crashes=True))
        first = request(seller, draft)
        perform(first)
        request(seller, draft)
        with pytest.raises(AnotherRunLive):
            services.retry_run(member_id=seller.id, run_id=first.id, now=NOW)
        assert now_of(first).run.status == "failed"

    def test_not_what_succeeded(
        self, seller: Member, draft: ListingFacts, scripted: ScriptedProvider
    ) -> None:
        run = request(seller, draft)
        perform(run)
        with pytest.raises(RunStatusConflict) as refused:
            services.retry_run(member_id=seller.id, run_id=run.id, now=NOW)
        assert refused.value.extra["allowed_actions"] == []

    def test_not_for_a_listing_that_was_deleted(
        self, seller: Member, draft: ListingFacts, follow: Follow
    ) -> None:
        follow(Scripted("category", crashes=True))
        run = request(seller, draft)
        perform(run)
        listing_services.delete(seller_id=seller.id, listing_id=draft.id, now=NOW)
        with pytest.raises(ListingNotFound):
            services.retry_run(member_id=seller.id, run_id=run.id, now=NOW)
        assert now_of(run).run.status == "failed"

    def test_of_a_live_run_changes_nothing(
        self, seller: Member, draft: ListingFacts, scripted: ScriptedProvider
    ) -> None:
        run = request(seller, draft)
        assert services.retry_run(member_id=seller.id, run_id=run.id, now=NOW).version == run.version


class TestSweep:
    @pytest.fixture
    def rung(self, monkeypatch: pytest.MonkeyPatch) -> list[str]:
        """Ids of runs for which the bell was rung: the broker's end of it."""
        from ai_suggestions.services import sweeping

        ids: list[str] = []
        monkeypatch.setattr(sweeping, "ring", lambda run_id, *, is_batch: ids.append(run_id))
        return ids

    def test_rings_for_what_nobody_heard(
        self, seller: Member, draft: ListingFacts, scripted: ScriptedProvider, rung: list[str]
    ) -> None:
        run = request(seller, draft)
        assert services.sweep_runs(now=NOW + 9 * SECOND) == 0
        assert services.sweep_runs(now=NOW + 10 * SECOND) == 1
        assert rung == [run.id]
        assert services.sweep_runs(now=NOW + 11 * SECOND) == 0, "not again at once"

    def test_a_killed_worker_loses_nothing(
        self, seller: Member, draft: ListingFacts, follow: Follow, rung: list[str]
    ) -> None:
        class Killed(BaseException):
            """What a process that is shot gets no chance to handle."""

        def die() -> None:
            raise Killed

        follow(CATEGORY, Scripted("colour", before=die))
        run = request(seller, draft)
        with pytest.raises(Killed):
            perform(run)
        assert now_of(run).run.status == "running"
        follow(*WHOLE)
        services.sweep_runs(now=NOW + LEASE - SECOND)
        assert perform(run).outcome == "skipped", "the lease still holds"
        services.sweep_runs(now=NOW + LEASE + 5 * SECOND)
        assert rung[-1] == run.id
        assert perform(run, now=NOW + LEASE + 5 * SECOND).outcome == "succeeded"
        assert now_of(run).run.attempts == 2
        assert RunStep.objects.filter(run_id=run.id).count() == 4

    def test_a_worker_that_wakes_up_late_has_lost_the_run(
        self, seller: Member, draft: ListingFacts, follow: Follow, rung: list[str]
    ) -> None:
        def sleep_past_the_lease() -> None:
            follow(*WHOLE)
            services.sweep_runs(now=NOW + 2 * LEASE)
            assert perform(run, now=NOW + 2 * LEASE).outcome == "succeeded"

        follow(CATEGORY, Scripted("colour", before=sleep_past_the_lease))
        run = request(seller, draft)
        assert perform(run).outcome == "skipped"
        assert now_of(run).run.status == "succeeded"
        assert RunStep.objects.filter(run_id=run.id).count() == 4

    def test_attempts_are_bounded(
        self, seller: Member, draft: ListingFacts, follow: Follow, rung: list[str]
    ) -> None:
        class Killed(BaseException):
            pass

        def die() -> None:
            raise Killed

        follow(Scripted("category", before=die))
        run = request(seller, draft)
        now = NOW
        for _ in range(MAX_ATTEMPTS):
            with pytest.raises(Killed):
                perform(run, now=now)
            now += 2 * LEASE
            services.sweep_runs(now=now)
        assert perform(run, now=now).outcome == "failed"
        assert now_of(run).run.failure_code == "attempts_exhausted"

    def test_forgets_old_readings(self, catalogue: None) -> None:
        for age in (29, 31):
            PhotoReading.objects.create(
                sha256=f"{age:064}",
                step="colour",
                step_version="1",
                reading=[],
                read_at=NOW - dt.timedelta(days=age),
            )
        assert services.forget_readings(now=NOW) == 1
        assert PhotoReading.objects.get().sha256 == f"{29:064}"
