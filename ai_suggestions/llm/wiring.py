"""The LLM provider as the settings describe it, with its memory in the database and the cache."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal, InvalidOperation
from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.utils import timezone

from ai_suggestions.contract import Outcome, StepPlan, StepReport, SuggestionRequest
from ai_suggestions.llm.approved import approved_calibration
from ai_suggestions.llm.bookkeeping import (
    BudgetInDatabase,
    CallBook,
    ShadowBudgetInDatabase,
    StateInCache,
)
from ai_suggestions.llm.endpoint import Endpoint, EndpointConfig
from ai_suggestions.llm.outcomes import Problem
from ai_suggestions.llm.prices import Prices
from ai_suggestions.llm.proposals import FIELDS
from ai_suggestions.llm.provider import STEP, LlmOptions, LlmProvider

_WANTS_A_KEY = "api.openai.com"
_NOT_CONFIGURED = "not-configured"


class UnconfiguredLlm:
    """Stands where the LLM would, so that a combination says what is missing and does without."""

    name = "llm"

    def plan(self, request: SuggestionRequest) -> tuple[StepPlan, ...]:
        """The step that will not be taken."""
        return (StepPlan(STEP, _NOT_CONFIGURED, 1.0, FIELDS),)

    def run(self, request: SuggestionRequest) -> Iterator[StepReport]:
        """Say so."""
        code = Problem.NOT_CONFIGURED.value
        yield StepReport(STEP, _NOT_CONFIGURED, Outcome.FAILED, elapsed_ms=0, error_code=code)

    def warm_up(self) -> None:
        """Nothing to load."""

    def close(self) -> None:
        """Nothing to close."""


def llm_provider() -> LlmProvider | UnconfiguredLlm:
    """The provider of LLM_MODEL at OPENAI_BASE_URL.

    Raises:
        ImproperlyConfigured: a budget or a price that is no amount, a budget without prices.
    """
    return _provider(StateInCache(), BudgetInDatabase(limit_micro=_daily_budget_micro()))


def shadow_llm_provider(*, daily_cap_micro: int | None) -> LlmProvider | UnconfiguredLlm:
    """As ``llm_provider``, for runs that no seller waits for: within the same budget and at most the cap,
    with modes and a circuit of its own. None: no cap. Raises ImproperlyConfigured.
    """
    budget = ShadowBudgetInDatabase(limit_micro=_daily_budget_micro(), cap_micro=daily_cap_micro)
    return _provider(StateInCache("shadow:"), budget)


def _provider(state: StateInCache, budget: BudgetInDatabase) -> LlmProvider | UnconfiguredLlm:
    missing_key = not settings.OPENAI_API_KEY and urlsplit(settings.OPENAI_BASE_URL).hostname == _WANTS_A_KEY
    if not settings.LLM_MODEL or missing_key:
        return UnconfiguredLlm()
    endpoint = Endpoint(
        EndpointConfig(settings.OPENAI_BASE_URL, settings.LLM_MODEL, settings.OPENAI_API_KEY), state=state
    )
    return LlmProvider(
        endpoint,
        state=state,
        budget=budget,
        recorder=CallBook(clock=timezone.now),
        clock=timezone.now,
        options=LlmOptions(
            timeout_s=settings.LLM_TIMEOUT_S, prices=_prices(), calibration=approved_calibration
        ),
    )


def _prices() -> Prices:
    try:
        return Prices.of(settings.LLM_PRICES)
    except ValueError as error:
        raise ImproperlyConfigured(f"LLM_PRICES: {error}") from error


def _daily_budget_micro() -> int | None:
    if not settings.LLM_DAILY_BUDGET:
        return None
    try:
        amount = Decimal(settings.LLM_DAILY_BUDGET)
    except InvalidOperation as error:
        raise ImproperlyConfigured("LLM_DAILY_BUDGET should be an amount like 5.00") from error
    if not amount.is_finite() or amount < 0:
        raise ImproperlyConfigured("LLM_DAILY_BUDGET should be an amount like 5.00")
    if not settings.LLM_PRICES:
        raise ImproperlyConfigured("LLM_DAILY_BUDGET needs LLM_PRICES: nothing would count against it")
    return int(amount * 1_000_000)
