"""What the provider of card payments needs to know, read from the environment."""

from __future__ import annotations

from config.env import ConfigurationError, env

PROVIDERS = ("sandbox", "stripe")


def payment_provider() -> str:
    """PAYMENT_PROVIDER. Raises ConfigurationError."""
    name = env.str("PAYMENT_PROVIDER", "sandbox")
    if name not in PROVIDERS:
        raise ConfigurationError(f"PAYMENT_PROVIDER is {name!r}, should be sandbox or stripe")
    return name


def stripe_settings(*, is_used: bool) -> dict[str, str]:
    """The settings of orders.providers.payments.stripe. Raises ConfigurationError for a gap."""
    found = {
        "api_key": env.str("STRIPE_API_KEY", ""),
        "webhook_secret": env.str("STRIPE_WEBHOOK_SECRET", ""),
    }
    if is_used and not all(found.values()):
        raise ConfigurationError("PAYMENT_PROVIDER=stripe needs STRIPE_API_KEY and STRIPE_WEBHOOK_SECRET")
    return found
