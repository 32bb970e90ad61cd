"""The provider as the settings describe it."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import closing
from typing import TYPE_CHECKING

import pytest
from django.core.exceptions import ImproperlyConfigured

from ai_suggestions.contract import Field, Outcome
from ai_suggestions.llm.tables import LlmCall, LlmDay
from ai_suggestions.llm.wiring import llm_provider
from ai_suggestions.providers import provider_named, registry
from tests.ai_suggestions.llm.asking import REPOSITORY, a_request, field_of
from tests.doubles.openai_server import KEY, MODEL, OpenAiServer

if TYPE_CHECKING:
    from pytest_django import Settings


@pytest.fixture
def configured(settings: Settings, server: OpenAiServer) -> Settings:
    settings.OPENAI_BASE_URL = server.url
    settings.OPENAI_API_KEY = KEY
    settings.LLM_MODEL = MODEL
    settings.LLM_PRICES = {"input": "2.50", "cached": "1.25", "output": "10"}
    settings.LLM_DAILY_BUDGET = "5.00"
    return settings


@pytest.mark.django_db
class TestLlmProvider:
    def test_asks_the_endpoint_of_the_settings(self, configured: Settings, server: OpenAiServer) -> None:
        with closing(llm_provider()) as provider:
            (report,) = provider.run(a_request())
        assert report.outcome is Outcome.OK
        # Nobody measured this model, so it fills nothing in.
        assert field_of(report, Field.COLOURS).note == "not_measured"
        call = LlmCall.objects.get()
        assert call.cost_micro == LlmDay.objects.get().committed_micro > 0

    def test_stops_at_the_budget(self, configured: Settings, server: OpenAiServer) -> None:
        configured.LLM_DAILY_BUDGET = "0.01"
        with closing(llm_provider()) as provider:
            (report,) = provider.run(a_request())
        assert report.error_code == "llm_budget_spent"
        assert not server.seen


class TestSettings:
    @pytest.mark.parametrize(
        "changed",
        [{"LLM_MODEL": ""}, {"OPENAI_API_KEY": "", "OPENAI_BASE_URL": "https://api.openai.com/v1"}],
    )
    def test_that_lack_something_are_a_stated_outcome(
        self, configured: Settings, changed: dict[str, str]
    ) -> None:
        for name, value in changed.items():
            setattr(configured, name, value)
        provider = llm_provider()
        provider.warm_up()
        (report,) = provider.run(a_request())
        assert (report.outcome, report.error_code) == (Outcome.FAILED, "llm_not_configured")
        assert [step.name for step in provider.plan(a_request())] == [report.step]

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("LLM_DAILY_BUDGET", "a lot"),
            ("LLM_DAILY_BUDGET", "-1"),
            ("LLM_DAILY_BUDGET", "NaN"),
            ("LLM_PRICES", {}),
            ("LLM_PRICES", {"input": "cheap"}),
        ],
    )
    def test_that_make_no_sense_are_refused(self, configured: Settings, name: str, value: object) -> None:
        setattr(configured, name, value)
        with pytest.raises(ImproperlyConfigured, match="LLM_"):
            llm_provider()

    def test_with_a_key_and_without_a_budget_stop_the_start(self) -> None:
        done = subprocess.run(
            [sys.executable, "-c", "import config.settings"],
            cwd=REPOSITORY,
            env=os.environ | {"LLM_MODEL": "model", "OPENAI_API_KEY": "key"},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode != 0
        assert "LLM_DAILY_BUDGET and LLM_PRICES are needed" in done.stderr


class TestRegistry:
    @pytest.mark.parametrize("name", ["llm", "llm_or_on_device", "on_device_then_llm"])
    def test_knows_the_combinations(self, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(registry, "_made", {})
        assert provider_named(name).name == name
