"""Who carries parcels, and what the adapter needs to know, read from the environment."""

from __future__ import annotations

from config.env import ConfigurationError, env


def carrier_settings() -> tuple[str, dict[str, str]]:
    """CARRIER_PROVIDER, and the settings of its adapter. Raises ConfigurationError for a gap."""
    provider = env.str("CARRIER_PROVIDER", "sandbox")
    if provider not in ("sandbox", "sendcloud"):
        raise ConfigurationError(f"CARRIER_PROVIDER is {provider!r}, should be sandbox or sendcloud")
    sendcloud = {
        "public_key": env.str("SENDCLOUD_PUBLIC_KEY", ""),
        "secret_key": env.str("SENDCLOUD_SECRET_KEY", ""),
        # Some kinds of integrations sign with a key of its own; the others with the secret key.
        "signature_key": env.str("SENDCLOUD_SIGNATURE_KEY", "") or env.str("SENDCLOUD_SECRET_KEY", ""),
    }
    if provider == "sendcloud" and not all(sendcloud.values()):
        raise ConfigurationError(
            "CARRIER_PROVIDER=sendcloud needs SENDCLOUD_PUBLIC_KEY and SENDCLOUD_SECRET_KEY"
        )
    return provider, sendcloud


def verification_hub() -> dict[str, str]:
    """Where items are looked at before they go on to their buyers, as an address on labels."""
    return {
        "name": env.str("HUB_NAME", "Preloved verification"),
        "street": env.str("HUB_STREET", "Gedimino pr. 1"),
        "postal_code": env.str("HUB_POSTAL_CODE", "01103"),
        "city": env.str("HUB_CITY", "Vilnius"),
        "country": env.str("HUB_COUNTRY", "LT"),
    }
