"""What workers share and what is written down: in memory and in Django alike, and with workers at once."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any, TypeAlias

import pytest
from django.db import IntegrityError, connection, transaction
from django.test import Client

from ai_suggestions.contract import Outcome, SuggestionRequest
from ai_suggestions.llm.bookkeeping import BudgetInDatabase, CallBook, StateInCache, forget_old_calls
from ai_suggestions.llm.budget import Budget, BudgetInMemory, Refusal, Reservation
from ai_suggestions.llm.calls import CallRecord
from ai_suggestions.llm.state import SharedState, StateInMemory
from ai_suggestions.llm.tables import LlmCall, LlmDay, LlmReservation
from tests.ai_suggestions.llm.asking import a_request
from tests.ai_suggestions.llm.conftest import AskerMaker
from tests.doubles.openai_server import OpenAiServer, fails
from tests.factories.members import make_member

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
TODAY = NOW.date()
TOMORROW = TODAY + timedelta(days=1)

BudgetMaker: TypeAlias = Callable[[int | None], Budget]


def spent_micro(budget: Budget, day: date) -> int:
    if isinstance(budget, BudgetInMemory):
        return budget.spent_micro(day)
    return LlmDay.objects.get(day=day).committed_micro


@pytest.fixture(params=["memory", pytest.param("database", marks=pytest.mark.django_db)])
def budget_of(request: pytest.FixtureRequest) -> BudgetMaker:
    if request.param == "memory":
        return lambda limit: BudgetInMemory(limit_micro=limit)
    return lambda limit: BudgetInDatabase(limit_micro=limit)


@pytest.fixture(params=["memory", "cache", pytest.param("redis", marks=pytest.mark.needs_redis)])
def state(request: pytest.FixtureRequest) -> SharedState:
    return StateInMemory() if request.param == "memory" else StateInCache()


def reserved(budget: Budget, name: str, amount: int, day: date = TODAY) -> Reservation:
    found = budget.reserve(request=name, day=day, amount_micro=amount)
    assert isinstance(found, Reservation)
    return found


class TestBudget:
    def test_sets_aside_what_a_call_can_cost_and_keeps_what_it_did(self, budget_of: BudgetMaker) -> None:
        budget = budget_of(100)
        first = reserved(budget, "a", 80)
        assert budget.reserve(request="b", day=TODAY, amount_micro=30) is Refusal.SPENT
        budget.settle(first, cost_micro=10)
        reserved(budget, "b", 30)
        assert spent_micro(budget, TODAY) == 40

    def test_may_be_spent_to_the_last_unit_and_not_beyond(self, budget_of: BudgetMaker) -> None:
        budget = budget_of(100)
        reserved(budget, "a", 100)
        assert budget.reserve(request="b", day=TODAY, amount_micro=1) is Refusal.SPENT

    def test_refused_for_want_of_money_may_be_asked_again(self, budget_of: BudgetMaker) -> None:
        budget = budget_of(100)
        first = reserved(budget, "a", 100)
        assert budget.reserve(request="b", day=TODAY, amount_micro=1) is Refusal.SPENT
        budget.release(first)
        reserved(budget, "b", 1)

    def test_begins_anew_each_day(self, budget_of: BudgetMaker) -> None:
        budget = budget_of(100)
        reserved(budget, "a", 100)
        reserved(budget, "b", 100, TOMORROW)

    def test_may_have_no_limit(self, budget_of: BudgetMaker) -> None:
        budget = budget_of(None)
        reserved(budget, "a", 10**12)
        assert spent_micro(budget, TODAY) == 10**12

    @pytest.mark.parametrize("settled", [True, False])
    @pytest.mark.parametrize("day", [TODAY, TOMORROW])
    def test_pays_a_request_once(self, budget_of: BudgetMaker, day: date, settled: bool) -> None:
        budget = budget_of(None)
        first = reserved(budget, "a", 10)
        if settled:
            budget.settle(first, cost_micro=3)
        assert budget.reserve(request="a", day=day, amount_micro=10) is Refusal.MADE_BEFORE

    def test_forgets_a_request_after_a_day(self, budget_of: BudgetMaker) -> None:
        budget = budget_of(None)
        reserved(budget, "a", 10)
        reserved(budget, "a", 10, TOMORROW + timedelta(days=1))

    def test_settles_once(self, budget_of: BudgetMaker) -> None:
        budget = budget_of(None)
        first = reserved(budget, "a", 10)
        budget.settle(first, cost_micro=3)
        budget.settle(first, cost_micro=8)
        budget.release(first)
        assert spent_micro(budget, TODAY) == 3

    def test_lets_a_request_be_made_again_that_was_not_billed(self, budget_of: BudgetMaker) -> None:
        budget = budget_of(10)
        first = reserved(budget, "a", 10)
        budget.release(first)
        budget.release(first)
        reserved(budget, "a", 10)
        assert spent_micro(budget, TODAY) == 10


@pytest.mark.needs_server
@pytest.mark.django_db(transaction=True)
class TestBudgetAtOnce:
    AT_ONCE = 8

    def at_once(self, work: Callable[[int], Any]) -> list[Any]:
        gate = threading.Barrier(self.AT_ONCE)

        def start(number: int) -> Any:
            gate.wait(10)
            try:
                return work(number)
            finally:
                connection.close()

        with ThreadPoolExecutor(self.AT_ONCE) as pool:
            return list(pool.map(start, range(self.AT_ONCE)))

    def test_is_not_exceeded(self) -> None:
        budget = BudgetInDatabase(limit_micro=300)
        found = self.at_once(lambda number: budget.reserve(request=f"r{number}", day=TODAY, amount_micro=100))
        assert sum(isinstance(one, Reservation) for one in found) == 3
        assert found.count(Refusal.SPENT) == self.AT_ONCE - 3
        assert LlmDay.objects.get(day=TODAY).committed_micro == 300

    def test_pays_the_same_request_once(self) -> None:
        budget = BudgetInDatabase(limit_micro=None)
        found = self.at_once(lambda _: budget.reserve(request="same", day=TODAY, amount_micro=100))
        assert sum(isinstance(one, Reservation) for one in found) == 1
        assert found.count(Refusal.MADE_BEFORE) == self.AT_ONCE - 1
        assert LlmDay.objects.get(day=TODAY).committed_micro == 100

    def test_settles_to_the_sum_of_the_costs(self) -> None:
        budget = BudgetInDatabase(limit_micro=None)

        def work(number: int) -> None:
            budget.settle(reserved(budget, f"r{number}", 100), cost_micro=number)

        self.at_once(work)
        assert LlmDay.objects.get(day=TODAY).committed_micro == sum(range(self.AT_ONCE))


class TestSharedState:
    def test_keeps_values(self, state: SharedState) -> None:
        assert state.get("a model/with spaces é") is None
        state.put("a model/with spaces é", "json_object", life_s=60)
        assert state.get("a model/with spaces é") == "json_object"
        state.drop("a model/with spaces é")
        assert state.get("a model/with spaces é") is None

    def test_adds_once(self, state: SharedState) -> None:
        assert [state.add("probe", 1, life_s=60) for _ in range(3)] == [True, False, False]
        state.drop("probe")
        assert state.add("probe", 1, life_s=60)

    def test_counts(self, state: SharedState) -> None:
        assert [state.increment("failures", life_s=60) for _ in range(3)] == [1, 2, 3]
        state.drop("failures")
        assert state.increment("failures", life_s=60) == 1

    def test_adds_for_one_of_many_at_once(self, state: SharedState) -> None:
        with ThreadPoolExecutor(8) as pool:
            assert sum(pool.map(lambda _: state.add("probe", 1, life_s=60), range(8))) == 1


CALL = CallRecord(
    request="f" * 64,
    endpoint="llm.example:443",
    model="model",
    served_model="model-2026",
    prompt_version="llm-prompt-1",
    mode="json_schema",
    outcome="ok",
    status=200,
    photos=2,
    photo_bytes=200_000,
    tokens_in=3000,
    tokens_cached=2000,
    tokens_out=150,
    usage_reported=True,
    cost_micro=6500,
    latency_ms=2100,
    retry_after_s=None,
)


@pytest.mark.django_db
class TestCallBook:
    def test_keeps_a_row(self) -> None:
        CallBook(clock=lambda: NOW)(CALL)
        row = LlmCall.objects.get()
        assert (row.called_at, row.outcome, row.tokens_in, row.cost_micro) == (NOW, "ok", 3000, 6500)

    def test_keeps_names_that_are_not_ours_within_their_columns(self) -> None:
        CallBook(clock=lambda: NOW)(replace(CALL, served_model="\0" + "模" * 400, status=None))
        assert len(LlmCall.objects.get().served_model) <= 255


@pytest.mark.django_db
class TestForgetting:
    def test_leaves_what_is_still_needed(self) -> None:
        budget = BudgetInDatabase(limit_micro=None)
        for days in (0, 7, 8):
            reserved(budget, f"r{days}", 10, TODAY - timedelta(days=days))
        for days in (0, 396, 397):
            LlmCall.objects.create(called_at=NOW - timedelta(days=days), **asdict(CALL))
        assert forget_old_calls(now=NOW) == 2
        assert forget_old_calls(now=NOW) == 0
        assert LlmReservation.objects.count() == LlmCall.objects.count() == 2
        # What a day cost is kept for good.
        assert LlmDay.objects.count() == 3


@pytest.mark.django_db
class TestAdmin:
    @pytest.fixture
    def moderator(self) -> Client:
        client = Client()
        client.force_login(make_member("Rūta", is_staff=True, is_superuser=True))
        return client

    def test_shows_calls_and_costs(self, moderator: Client) -> None:
        CallBook(clock=lambda: NOW)(CALL)
        reserved(BudgetInDatabase(limit_micro=None), "a", 1_500_000)
        calls = moderator.get("/admin/ai_suggestions/llmcall/").content.decode()
        assert "json_schema" in calls
        assert "0.0065" in calls
        assert "1.5000" in moderator.get("/admin/ai_suggestions/llmday/").content.decode()

    def test_changes_nothing(self, moderator: Client) -> None:
        CallBook(clock=lambda: NOW)(CALL)
        page = f"/admin/ai_suggestions/llmcall/{LlmCall.objects.get().id}/"
        assert moderator.post(f"{page}change/", {"cost_micro": 1}).status_code == 403
        assert moderator.get(f"{page}delete/").status_code == 403


@pytest.mark.django_db
class TestTables:
    def test_refuse_a_day_below_nothing(self) -> None:
        """llm_day_not_negative"""
        with pytest.raises(IntegrityError), transaction.atomic():
            LlmDay.objects.create(day=TODAY, committed_micro=-1)

    def test_refuse_a_reservation_below_nothing(self) -> None:
        """llm_reservation_not_negative"""
        with pytest.raises(IntegrityError), transaction.atomic():
            LlmReservation.objects.create(request="a", day=TODAY, amount_micro=-1)

    def test_refuse_the_same_request_twice_a_day(self) -> None:
        """llm_reservation_once"""
        LlmReservation.objects.create(request="a", day=TODAY, amount_micro=1)
        with pytest.raises(IntegrityError), transaction.atomic():
            LlmReservation.objects.create(request="a", day=TODAY, amount_micro=1)

    @pytest.mark.parametrize("changed", [{"cost_micro": -1}, {"tokens_cached": 3001}])
    def test_refuse_calls_that_cannot_be(self, changed: dict[str, int]) -> None:
        """llm_call_cost_not_negative, llm_call_cached_is_part"""
        values = asdict(replace(CALL, served_model="")) | changed
        with pytest.raises(IntegrityError), transaction.atomic():
            LlmCall.objects.create(called_at=NOW, **values)


@pytest.mark.django_db
class TestProviderWithDjango:
    def request(self) -> SuggestionRequest:
        return a_request()

    def test_writes_down_calls_and_costs(self, server: OpenAiServer, asker_of: AskerMaker) -> None:
        asker = asker_of(server.url, state=StateInCache(), budget=BudgetInDatabase(limit_micro=10**9))
        asker.provider._recorder = CallBook(clock=asker.clock)
        server.play(fails(500))
        assert asker.ask(self.request()).error_code == "llm_server_error"
        assert asker.ask(self.request()).outcome is Outcome.OK
        assert list(LlmCall.objects.order_by("id").values_list("outcome", flat=True)) == [
            "llm_server_error",
            "ok",
        ]
        (reservation,) = LlmReservation.objects.all()
        assert reservation.settled
