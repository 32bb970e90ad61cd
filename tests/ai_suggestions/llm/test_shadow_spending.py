"""What shadows that ask an LLM may spend, and that they cannot hold up the provider of sellers' runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from django.db import IntegrityError, OperationalError, transaction
from django.utils import timezone

from ai_suggestions.contract import Outcome, StepReport
from ai_suggestions.llm.bookkeeping import BudgetInDatabase, ShadowBudgetInDatabase
from ai_suggestions.llm.breaker import BreakerRules
from ai_suggestions.llm.budget import Refusal, Reservation
from ai_suggestions.llm.tables import LlmDay
from ai_suggestions.llm.wiring import llm_provider
from ai_suggestions.providers import shadow_named
from tests.ai_suggestions.llm.asking import SNEAKERS, a_request
from tests.doubles.openai_server import KEY, MODEL, OpenAiServer, breaks_off, fails

if TYPE_CHECKING:
    from datetime import date

    from pytest_django import Settings

pytestmark = pytest.mark.django_db


def today() -> date:
    return timezone.now().date()


@pytest.fixture
def configured(settings: Settings, server: OpenAiServer) -> Settings:
    settings.OPENAI_BASE_URL, settings.OPENAI_API_KEY, settings.LLM_MODEL = server.url, KEY, MODEL
    settings.LLM_PRICES, settings.LLM_DAILY_BUDGET = {"input": "2.5", "output": "10"}, "5"
    return settings


def shadow_report(*, cap_micro: int | None, name: str = "llm") -> StepReport:
    with shadow_named(name, daily_cap_micro=cap_micro) as shadow:
        return next(report for report in shadow.run(a_request()) if report.step == "llm")


def live_report() -> StepReport:
    llm = llm_provider()
    try:
        return next(iter(llm.run(a_request())))
    finally:
        llm.close()


class TestShadowBudget:
    def test_is_part_of_the_days_budget_with_its_own_cap(self) -> None:
        shadows = ShadowBudgetInDatabase(limit_micro=100, cap_micro=30)
        assert isinstance(shadows.reserve(request="a", day=today(), amount_micro=30), Reservation)
        assert shadows.reserve(request="b", day=today(), amount_micro=1) is Refusal.SPENT
        sellers = BudgetInDatabase(limit_micro=100)
        assert sellers.reserve(request="c", day=today(), amount_micro=71) is Refusal.SPENT
        assert isinstance(sellers.reserve(request="c", day=today(), amount_micro=70), Reservation)

    def test_is_given_back_and_settled_in_both(self) -> None:
        shadows = ShadowBudgetInDatabase(limit_micro=100, cap_micro=30)
        kept, back = (shadows.reserve(request=name, day=today(), amount_micro=10) for name in "ab")
        assert isinstance(kept, Reservation)
        assert isinstance(back, Reservation)
        shadows.settle(kept, cost_micro=4)
        shadows.release(back)
        assert LlmDay.objects.values_list("committed_micro", "shadow_micro").get() == (4, 4)

    def test_ends_with_the_days(self) -> None:
        shadows = ShadowBudgetInDatabase(limit_micro=5, cap_micro=None)
        assert shadows.reserve(request="a", day=today(), amount_micro=6) is Refusal.SPENT

    def test_llm_day_shadow_is_part(self) -> None:
        # MariaDB reports a failed CHECK as an operational error.
        failures = (IntegrityError, OperationalError)
        with pytest.raises(failures, match="llm_day_shadow_is_part"), transaction.atomic():
            LlmDay.objects.create(day=today(), committed_micro=1, shadow_micro=2)


class TestShadowOfAnLlm:
    def test_counts_what_it_costs(self, configured: Settings, server: OpenAiServer) -> None:
        report = shadow_report(cap_micro=1_000_000)
        day = LlmDay.objects.get()
        assert report.outcome is Outcome.OK
        assert day.committed_micro == day.shadow_micro == report.usage["cost_micro"] > 0

    def test_asks_nothing_above_its_cap(self, configured: Settings, server: OpenAiServer) -> None:
        assert shadow_report(cap_micro=10).error_code == "llm_budget_spent"
        assert not server.seen

    def test_of_a_combination_is_the_same_llm(self, configured: Settings, server: OpenAiServer) -> None:
        assert shadow_report(cap_micro=10, name="llm_or_on_device").error_code == "llm_budget_spent"

    def test_that_fails_keeps_no_seller_from_asking_the_same(
        self, configured: Settings, server: OpenAiServer
    ) -> None:
        failures = BreakerRules().failures
        server.play(*[fails(500)] * failures)
        for _ in range(failures):
            assert shadow_report(cap_micro=None).error_code == "llm_server_error"
        assert shadow_report(cap_micro=None).error_code == "llm_circuit_open"
        assert live_report().outcome is Outcome.OK

    def test_that_was_lost_keeps_no_seller_from_asking_the_same(
        self, configured: Settings, server: OpenAiServer
    ) -> None:
        server.play(breaks_off(SNEAKERS))
        assert shadow_report(cap_micro=None).error_code == "llm_connection_lost"
        assert shadow_report(cap_micro=None).error_code == "llm_called_before"
        assert live_report().outcome is Outcome.OK
