"""A run of a listing with an LLM in it, from the request to the stored fields."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import pytest

from ai_suggestions import queries, services
from ai_suggestions.lifecycle import LEASE
from ai_suggestions.llm.combined import Fallback
from ai_suggestions.llm.endpoint import Endpoint
from ai_suggestions.llm.tables import LlmCall, LlmDay
from ai_suggestions.llm.wiring import llm_provider
from ai_suggestions.models import RunStep, SuggestionRun
from ai_suggestions.providers import register_provider
from tests.ai_suggestions.llm.asking import answer
from tests.doubles.openai_server import KEY, MODEL, OpenAiServer, fails, says
from tests.doubles.scripted_provider import WHOLE, ScriptedProvider
from tests.factories.listings import NOW

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
        server.default = fails(503)
        details = run()
        assert details.run.status == "partial"
        assert steps_of(details)["llm"] == ("failed", "llm_server_error")
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
