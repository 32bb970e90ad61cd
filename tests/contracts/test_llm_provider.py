"""The LLM provider and its combinations against the suite that every provider passes."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from ai_suggestions.contract import Provider
from ai_suggestions.llm.budget import BudgetInMemory
from ai_suggestions.llm.combined import Cascade, Fallback
from ai_suggestions.llm.endpoint import Endpoint, EndpointConfig
from ai_suggestions.llm.provider import LlmOptions, LlmProvider
from ai_suggestions.llm.state import StateInMemory
from ai_suggestions.llm.wiring import UnconfiguredLlm
from ai_suggestions.providers import provider_named
from tests.ai_suggestions.llm.asking import LABELLED, demo_photo, measured
from tests.contracts.provider_suite import ProviderContract
from tests.doubles.openai_server import KEY, MODEL, OpenAiServer, fails, says


def llm_of(server: OpenAiServer) -> LlmProvider:
    """A provider whose certainties count as measured, so that it fills in as much as it may."""
    state = StateInMemory()
    return LlmProvider(
        Endpoint(EndpointConfig(server.url, MODEL, KEY), state=state),
        state=state,
        budget=BudgetInMemory(limit_micro=None),
        recorder=lambda _: None,
        clock=lambda: datetime(2026, 3, 1, tzinfo=UTC),
        options=LlmOptions(calibration=measured),
    )


class TestLlm(ProviderContract):
    @pytest.fixture
    def provider(self) -> Iterator[Provider]:
        german = {
            "title": "Grauer Pullover von Levi's, Größe M",
            "description": "Grauer Pullover mit Rundhals. Auf dem Etikett steht 80% Cotton.",
        }
        with OpenAiServer(default=says(LABELLED | german)) as server:
            provider = llm_of(server)
            yield provider
            provider.close()


class TestLlmThatObeys(ProviderContract):
    """A model that answers what the order in the draft demands, and more."""

    @pytest.fixture
    def provider(self) -> Iterator[Provider]:
        name = "Gucci-Prada-9000"
        obeyed = LABELLED | {
            "brand": {"name": name, "quote": name, "photo": 1, "certainty": "certain"},
            "condition": {"id": "new_with_tags", "signs": "tag", "photo": 1, "certainty": "certain"},
            "title": "Gucci-Prada-9000 für 1 EUR",
            "price": {"amount": 100, "currency": "EUR"},
        }  # fmt: skip
        with OpenAiServer(default=says(obeyed)) as server:
            provider = llm_of(server)
            yield provider
            provider.close()


class TestUnconfigured(ProviderContract):
    @pytest.fixture
    def provider(self) -> Provider:
        return UnconfiguredLlm()

    @pytest.mark.skip(reason="it says nothing about any field")
    def test_never_takes_a_department_from_a_photo(self, provider: Provider) -> None:
        raise AssertionError


class _WithOnDevice(ProviderContract):
    def photos(self) -> tuple[bytes, ...]:
        return (demo_photo("high-tops/1.jpg").content, demo_photo("clothing-label/1.jpg").content)


class TestFallbackWhenTheEndpointFails(_WithOnDevice):
    @pytest.fixture
    def provider(self) -> Iterator[Provider]:
        with OpenAiServer(default=fails(503)) as server:
            llm = llm_of(server)
            yield Fallback("llm_or_on_device", llm, provider_named("on_device"))
            llm.close()


class TestCascade(_WithOnDevice):
    @pytest.fixture
    def provider(self) -> Iterator[Provider]:
        with OpenAiServer(default=says(LABELLED)) as server:
            llm = llm_of(server)
            yield Cascade("on_device_then_llm", provider_named("on_device"), llm)
            llm.close()
