"""A server, and a way to ask it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

from ai_suggestions.contract import StepReport, SuggestionRequest
from ai_suggestions.llm.budget import BudgetInMemory
from ai_suggestions.llm.calls import CallRecord
from ai_suggestions.llm.endpoint import Endpoint, EndpointConfig
from ai_suggestions.llm.provider import LlmOptions, LlmProvider
from ai_suggestions.llm.state import StateInMemory
from tests.doubles.openai_server import KEY, MODEL, OpenAiServer, says

if TYPE_CHECKING:
    from tests.ai_suggestions.llm.asking import Clock


@dataclass
class Asker:
    """A provider with everything that it remembers, open to the test."""

    provider: LlmProvider
    state: StateInMemory
    budget: BudgetInMemory
    clock: Clock
    calls: list[CallRecord] = field(default_factory=list)

    def ask(self, request: SuggestionRequest) -> StepReport:
        reports = list(self.provider.run(request))
        assert [report.step for report in reports] == [plan.name for plan in self.provider.plan(request)]
        return reports[0]


@pytest.fixture
def server() -> Iterator[OpenAiServer]:
    """An endpoint whose model recognises sneakers."""
    from tests.ai_suggestions.llm.asking import (
        SNEAKERS,  # needs Django, which is not up yet when this is read
    )

    with OpenAiServer(default=says(SNEAKERS)) as running:
        yield running


AskerMaker = Callable[..., Asker]


@pytest.fixture
def asker_of() -> Iterator[AskerMaker]:
    """Makes providers for an address."""
    from tests.ai_suggestions.llm.asking import Clock, measured

    endpoints: list[Endpoint] = []

    def make(
        url: str,
        *,
        key: str = KEY,
        model: str = MODEL,
        options: LlmOptions | None = None,
        state: StateInMemory | None = None,
        budget: BudgetInMemory | None = None,
        answer_bytes: int = 1_000_000,
    ) -> Asker:
        state = state or StateInMemory()
        budget = budget or BudgetInMemory(limit_micro=None)
        clock = Clock()
        calls: list[CallRecord] = []
        endpoint = Endpoint(EndpointConfig(url, model, key, answer_bytes=answer_bytes), state=state)
        endpoints.append(endpoint)
        provider = LlmProvider(
            endpoint,
            state=state,
            budget=budget,
            recorder=calls.append,
            clock=clock,
            options=options or LlmOptions(calibration=measured),
        )
        return Asker(provider, state, budget, clock, calls)

    yield make
    for endpoint in endpoints:
        endpoint.close()


@pytest.fixture
def asker(server: OpenAiServer, asker_of: AskerMaker) -> Asker:
    """A provider of ``server`` whose certainties were measured."""
    return asker_of(server.url)
