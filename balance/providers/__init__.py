"""Who pays withdrawals out (PAYOUT_PROVIDER): the sandbox's own bank, or Adyen. See docs/adr/0007."""

from __future__ import annotations

from collections.abc import Callable

from balance.providers.adyen import from_settings as adyen
from balance.providers.contract import PayoutProvider
from balance.providers.sandbox import SandboxBank

PROVIDERS: dict[str, Callable[[], PayoutProvider]] = {"sandbox": SandboxBank, "adyen": adyen}


def provider_named(name: str) -> PayoutProvider:
    """Raises KeyError for a name that is not in PROVIDERS."""
    return PROVIDERS[name]()
