"""The LLM provider by the settings and the policy of staff, its memory in the database and the cache."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

import structlog
from django.conf import settings

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
from ai_suggestions.llm.policy import Policy, current_policy, policy_of_settings
from ai_suggestions.llm.proposals import FIELDS
from ai_suggestions.llm.provider import STEP, LlmOptions, LlmProvider
from foundation import clock

logger = structlog.get_logger(__name__)

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


class GovernedLlm:
    """The LLM of the settings under the policy of the moment, which is read anew for each run.

    Processes keep their providers for long; budget, prices and rules of the circuit change meanwhile.
    """

    name = "llm"

    def __init__(
        self, endpoint: Endpoint, state: StateInCache, budget: Callable[[int | None], BudgetInDatabase]
    ) -> None:
        self._endpoint = endpoint
        self._state = state
        self._budget = budget
        self._as_configured = self._under(policy_of_settings())
        self.version = self._as_configured.version

    def plan(self, request: SuggestionRequest) -> tuple[StepPlan, ...]:
        """See ``LlmProvider``: no policy changes it."""
        return self._as_configured.plan(request)

    def run(self, request: SuggestionRequest) -> Iterator[StepReport]:
        """Yield the one report; all of a run is under the same policy."""
        try:
            provider = self._under(current_policy())
        except Exception:
            # A provider reports and does not raise. What may be spent is unknown, so nothing is.
            logger.exception("llm_policy_unreadable")
            code = Problem.INTERNAL_ERROR.value
            yield StepReport(STEP, self.version, Outcome.FAILED, elapsed_ms=0, error_code=code)
            return
        yield from provider.run(request)

    def warm_up(self) -> None:
        """See ``LlmProvider``."""
        self._as_configured.warm_up()

    def close(self) -> None:
        """Close the connections to the endpoint."""
        self._endpoint.close()

    def _under(self, policy: Policy) -> LlmProvider:
        return LlmProvider(
            self._endpoint,
            state=self._state,
            budget=self._budget(policy.limit_micro),
            recorder=CallBook(clock=clock.real_now),
            clock=clock.real_now,
            options=LlmOptions(
                timeout_s=settings.LLM_TIMEOUT_S,
                prices=policy.prices,
                calibration=approved_calibration,
                breaker=policy.breaker,
            ),
        )


def llm_provider() -> GovernedLlm | UnconfiguredLlm:
    """The provider of LLM_MODEL at OPENAI_BASE_URL.

    Raises:
        ImproperlyConfigured: a budget or a price that is no amount, a budget without prices.
    """
    return _provider(StateInCache(), lambda limit: BudgetInDatabase(limit_micro=limit))


def shadow_llm_provider(*, daily_cap_micro: int | None) -> GovernedLlm | UnconfiguredLlm:
    """As ``llm_provider``, for runs that no seller waits for: within the same budget and at most the cap,
    with modes and a circuit of its own. None: no cap. Raises ImproperlyConfigured.
    """
    return _provider(
        StateInCache("shadow:"),
        lambda limit: ShadowBudgetInDatabase(limit_micro=limit, cap_micro=daily_cap_micro),
    )


def _provider(
    state: StateInCache, budget: Callable[[int | None], BudgetInDatabase]
) -> GovernedLlm | UnconfiguredLlm:
    missing_key = not settings.OPENAI_API_KEY and urlsplit(settings.OPENAI_BASE_URL).hostname == _WANTS_A_KEY
    if not settings.LLM_MODEL or missing_key:
        return UnconfiguredLlm()
    endpoint = Endpoint(
        EndpointConfig(settings.OPENAI_BASE_URL, settings.LLM_MODEL, settings.OPENAI_API_KEY), state=state
    )
    return GovernedLlm(endpoint, state, budget)
