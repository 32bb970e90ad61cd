"""What names the provider of card payments, and where the sandbox is refused."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import SystemCheckError

from config.env import ConfigurationError
from config.payments import payment_provider, stripe_settings


class TestSettings:
    def test_name_a_provider_that_exists(self, monkeypatch: pytest.MonkeyPatch) -> None:
        assert payment_provider() == "sandbox"
        monkeypatch.setenv("PAYMENT_PROVIDER", "stripe")
        assert payment_provider() == "stripe"
        monkeypatch.setenv("PAYMENT_PROVIDER", "cash")
        with pytest.raises(ConfigurationError, match="should be sandbox or stripe"):
            payment_provider()

    def test_stripe_needs_key_and_secret(self, monkeypatch: pytest.MonkeyPatch) -> None:
        assert stripe_settings(is_used=False) == {"api_key": "", "webhook_secret": ""}
        monkeypatch.setenv("STRIPE_API_KEY", "sk_test")
        with pytest.raises(ConfigurationError, match="STRIPE_WEBHOOK_SECRET"):
            stripe_settings(is_used=True)
        monkeypatch.setenv("STRIPE_WEBHOOK_SECRET", "whsec")
        assert stripe_settings(is_used=True) == {"api_key": "sk_test", "webhook_secret": "whsec"}

    def test_the_sandbox_is_refused_in_production(self, settings: Any) -> None:
        settings.SANDBOX, settings.PAYOUT_PROVIDER = False, "adyen"
        with pytest.raises(SystemCheckError, match=r"preloved\.E004"):
            call_command("check", "--deploy", "--tag", "money")
        settings.PAYMENT_PROVIDER, settings.CARRIER_PROVIDER = "stripe", "sendcloud"
        call_command("check", "--deploy", "--tag", "money")
