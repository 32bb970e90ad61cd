"""A run of a listing with an LLM in it, from the request to the stored fields."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from ai_suggestions import queries, services
from ai_suggestions.batch_tables import MemberUsage, SuggestionBatch
from ai_suggestions.lifecycle import LEASE
from ai_suggestions.llm.combined import Fallback
from ai_suggestions.llm.endpoint import Endpoint
from ai_suggestions.llm.tables import LlmCall, LlmDay, LlmReservation
from ai_suggestions.llm.wiring import llm_provider
from ai_suggestions.models import PhotoReading, RunStep, SuggestionRun
from ai_suggestions.providers import register_provider
from tests.ai_suggestions.llm.asking import answer
from tests.doubles.openai_server import KEY, MODEL, OpenAiServer, breaks_off, fails, says
from tests.doubles.scripted_provider import WHOLE, ScriptedProvider
from tests.factories.listings import NOW, make_photo

if TYPE_CHECKING:
    from pytest_django import Settings

    from listings.queries import ListingFacts
    from members.models import Member

Run = Callable[[], queries.RunDetails]

NAVY = answer(
    things=[{"id": "t-shirts", "certainty": "certain"}],
    colours=[{"id": "navy", "certainty": "certain"}],
    title="Tamsiai mėlyni marškinėliai trumpomis rankovėmis",
    description="Tamsiai mėlyni marškinėliai su apvalia apykakle.",
)


@pytest.fixture
def run(settings: Settings, server: OpenAiServer, seller: Member, draft: ListingFacts) -> Iterator[Run]:
    """Asks for suggestions for the draft and performs them: the LLM first, a scripted provider behind it."""
    settings.OPENAI_BASE_URL, settings.OPENAI_API_KEY, settings.LLM_MODEL = server.url, KEY, MODEL
    settings.LLM_PRICES, settings.LLM_DAILY_BUDGET = {"input": "2.5", "output": "10"}, "5"
    server.default = says(NAVY)
    with ExitStack() as stack:
        llm = llm_provider()
        stack.callback(llm.close)
        pair = Fallback("pair", llm, ScriptedProvider(WHOLE))
        stack.enter_context(register_provider("pair", lambda: pair))

        def perform(now: dt.datetime = NOW) -> queries.RunDetails:
            asked, _ = services.request_run(
                member_id=seller.id, listing_id=draft.id, now=now, provider="pair", department="women"
            )
            services.perform_run(run_id=asked.id, now=now)
            return queries.get_run(asked.id, member_id=seller.id)

        yield perform


def steps_of(details: queries.RunDetails) -> dict[str, tuple[str, str]]:
    rows = RunStep.objects.filter(run_id=details.run.id)
    return {row.name: (row.outcome, row.error_code) for row in rows}


def said_in(details: queries.RunDetails) -> dict[str, Any]:
    return {found.field: (found.state, found.step) for found in details.fields}


class TestRunWithAnLlm:
    def test_stores_its_fields_with_what_they_cost(self, run: Run, server: OpenAiServer) -> None:
        details = run()
        assert details.run.status == "succeeded"
        said = said_in(details)
        assert said["category"][1] == "llm"
        # The LLM was measured by nobody, so it fills nothing in and the second provider does.
        assert said["colours"] == ("proposed", "colour")
        usage = RunStep.objects.get(run_id=details.run.id, name="llm").usage
        call = LlmCall.objects.get()
        assert usage["cost_micro"] == call.cost_micro == LlmDay.objects.get().committed_micro > 0
        assert len(server.seen[0].images) == 1

    def test_says_when_the_second_provider_did_the_work(self, run: Run, server: OpenAiServer) -> None:
        server.default = fails(400, "This image is not allowed")
        details = run()
        assert details.run.status == "partial"
        assert steps_of(details)["llm"] == ("failed", "llm_bad_request")
        assert said_in(details)["colours"] == ("proposed", "colour")

    def test_again_on_the_same_photos_costs_nothing(self, run: Run, server: OpenAiServer) -> None:
        run()
        again = run()
        assert len(server.seen) == LlmCall.objects.count() == 1
        assert RunStep.objects.get(run_id=again.run.id, name="llm").usage == {}

    def test_whose_worker_is_killed_in_the_call_is_finished_and_not_paid_twice(
        self, run: Run, server: OpenAiServer, seller: Member, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        class Killed(BaseException):
            """As a process that is gone: nothing of ours runs after it."""

        def killed(*args: object, **kwargs: object) -> None:
            raise Killed

        with monkeypatch.context() as patch:
            patch.setattr(Endpoint, "call", killed)
            with pytest.raises(Killed):
                run()
        later = NOW + LEASE + dt.timedelta(seconds=5)
        services.sweep_runs(now=later)
        row = SuggestionRun.objects.get()
        services.perform_run(run_id=row.id, now=later)
        details = queries.get_run(row.id, member_id=seller.id)
        assert details.run.status == "partial"
        assert steps_of(details)["llm"] == ("failed", "llm_called_before")
        assert said_in(details)["colours"] == ("proposed", "colour")
        assert not server.seen

    def test_whose_seller_used_up_the_day_does_without_and_says_so(
        self, run: Run, server: OpenAiServer, settings: Settings
    ) -> None:
        settings.SUGGESTION_LLM_CALLS_PER_DAY = {"private": 1, "professional": 1}
        run()
        run()  # the same photos: the answer is known, and free
        assert MemberUsage.objects.get().llm_calls == 1
        MemberUsage.objects.update(llm_calls=0)
        settings.SUGGESTION_LLM_CALLS_PER_DAY = {"private": 0, "professional": 0}
        PhotoReading.objects.all().delete()
        LlmReservation.objects.all().delete()
        details = run()
        assert steps_of(details)["llm"] == ("failed", "llm_quota_spent")
        assert (details.run.status, said_in(details)["colours"]) == ("partial", ("proposed", "colour"))
        assert len(server.seen) == 1
        assert not LlmReservation.objects.exists(), "nothing is set aside for a call that is not made"

    def test_that_was_not_billed_is_given_back_to_the_seller(self, run: Run, server: OpenAiServer) -> None:
        server.default = fails(400)
        run()
        assert MemberUsage.objects.get().llm_calls == 0

    def test_of_a_batch_may_use_its_share_of_the_budget_only(
        self, run: Run, seller: Member, settings: Settings, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        settings.LLM_BATCH_SHARE = 0.0
        batch = SuggestionBatch.objects.create(member_id=seller.id, requested_at=NOW, ring_at=NOW)
        make = services.request_run
        monkeypatch.setattr(services, "request_run", partial(make, batch_id=batch.id))
        assert steps_of(run())["llm"] == ("failed", "llm_budget_spent")
        monkeypatch.setattr(services, "request_run", make)
        assert steps_of(run())["llm"][0] == "ok"


class TestRetry:
    """The LLM did not answer, and may yet: the other one's word is there at once, the LLM's may follow."""

    @pytest.fixture
    def rung(self, monkeypatch: pytest.MonkeyPatch) -> list[str]:
        from ai_suggestions.services import sweeping

        ids: list[str] = []
        monkeypatch.setattr(sweeping, "ring", lambda run_id, *, is_batch: ids.append(run_id))
        return ids

    def again(self, details: queries.RunDetails, *, now: dt.datetime) -> queries.RunDetails:
        """What the sweeper and a worker do about the run at a time."""
        services.sweep_runs(now=now)
        services.perform_run(run_id=details.run.id, now=now)
        return queries.get_run(details.run.id, member_id=details.run.member_id)

    def test_the_other_fields_are_there_at_once_and_the_llms_follow(
        self, run: Run, server: OpenAiServer, rung: list[str]
    ) -> None:
        server.play(fails(503, "Overloaded"))
        first = run()
        assert first.run.status == "queued"
        assert steps_of(first)["llm"] == ("failed", "llm_server_error")
        assert said_in(first)["colours"] == ("proposed", "colour")
        row = SuggestionRun.objects.get()
        assert row.retries == 1
        assert row.ring_at is not None
        assert NOW + dt.timedelta(seconds=4) <= row.ring_at <= NOW + dt.timedelta(seconds=20)
        services.sweep_runs(now=NOW + dt.timedelta(seconds=3))
        assert not rung, "not before the pause is over"

        last = self.again(first, now=NOW + dt.timedelta(seconds=20))

        assert rung == [first.run.id]
        assert last.run.status == "succeeded"
        assert {outcome for outcome, _ in steps_of(last).values()} == {"ok"}
        # It adds what the other one had not filled in, and leaves what it had.
        assert said_in(last)["colours"] == ("proposed", "colour")
        assert RunStep.objects.get(run_id=last.run.id, name="llm").attempt == 1
        assert len(server.seen) == 2
        assert LlmDay.objects.get().committed_micro == LlmCall.objects.get(outcome="ok").cost_micro

    def test_is_bounded_and_ends_partly(self, run: Run, server: OpenAiServer, rung: list[str]) -> None:
        server.default = fails(503, "Overloaded")
        details, now = run(), NOW
        for tries in (2, 3, 4):
            now += dt.timedelta(seconds=60)
            details = self.again(details, now=now)
            assert len(server.seen) == tries
        assert details.run.status == "partial"
        assert steps_of(details)["llm"] == ("failed", "llm_server_error")
        assert LlmDay.objects.get().committed_micro == 0

    def test_waits_as_long_as_the_endpoint_asks(self, run: Run, server: OpenAiServer) -> None:
        server.play(fails(429, "Slow down", headers={"Retry-After": "30"}))
        assert run().run.status == "queued"
        ring_at = SuggestionRun.objects.get().ring_at
        assert ring_at is not None
        assert ring_at >= NOW + dt.timedelta(seconds=29)

    def test_is_left_when_the_endpoint_asks_for_more_than_a_seller_waits(
        self, run: Run, server: OpenAiServer
    ) -> None:
        server.play(fails(429, "Come back later", headers={"Retry-After": "300"}))
        assert run().run.status == "partial"

    def test_of_what_may_be_billed_does_not_happen(self, run: Run, server: OpenAiServer) -> None:
        server.play(breaks_off(NAVY))
        details = run()
        assert details.run.status == "partial"
        assert steps_of(details)["llm"] == ("failed", "llm_connection_lost")

    def test_leaves_what_the_seller_decided_meanwhile(
        self, run: Run, server: OpenAiServer, rung: list[str]
    ) -> None:
        server.play(fails(503))
        details = run()
        services.decide(
            member_id=details.run.member_id,
            run_id=details.run.id,
            decisions=[services.FieldDecision("category", "accept", "men-t-shirts")],
            now=NOW,
        )
        last = self.again(details, now=NOW + dt.timedelta(seconds=20))
        category = next(found for found in last.fields if found.field == "category")
        assert (category.decided_value, category.step) == ("men-t-shirts", "category")

    def test_ends_when_the_photos_are_others_meanwhile(
        self, run: Run, server: OpenAiServer, rung: list[str], draft: ListingFacts
    ) -> None:
        server.play(fails(503))
        details = run()
        make_photo(draft, colour="red", now=NOW)
        last = self.again(details, now=NOW + dt.timedelta(seconds=20))
        assert last.run.status == "partial"
        assert len(server.seen) == 1

    def test_whose_worker_is_killed_keeps_what_was_there(
        self, run: Run, server: OpenAiServer, rung: list[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        class Killed(BaseException):
            pass

        def killed(*args: object, **kwargs: object) -> None:
            raise Killed

        server.play(fails(503))
        details = run()
        later = NOW + dt.timedelta(seconds=20)
        with monkeypatch.context() as patch:
            patch.setattr(Endpoint, "call", killed)
            with pytest.raises(Killed):
                self.again(details, now=later)
        assert said_in(queries.get_run(details.run.id, member_id=details.run.member_id))["colours"]
        last = self.again(details, now=later + LEASE + dt.timedelta(seconds=5))
        # The call that was under way may have been billed.
        assert (last.run.status, steps_of(last)["llm"]) == ("partial", ("failed", "llm_called_before"))

    def test_cancelled_while_it_waits_is_cancelled(self, run: Run, server: OpenAiServer) -> None:
        server.play(fails(503))
        details = run()
        services.cancel_run(member_id=details.run.member_id, run_id=details.run.id, now=NOW)
        services.perform_run(run_id=details.run.id, now=NOW + dt.timedelta(seconds=20))
        assert len(server.seen) == 1
