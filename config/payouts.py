"""What the payout provider needs to know, read from the environment."""

from __future__ import annotations

import re

from config.env import ConfigurationError, env


def adyen_settings(*, is_used: bool) -> dict[str, str]:
    """The settings of balance.providers.adyen. Raises ConfigurationError for a gap."""
    found = {
        "api_key": env.str("ADYEN_API_KEY", ""),
        "platform": env.str("ADYEN_PLATFORM", "test"),
        "balance_account_id": env.str("ADYEN_BALANCE_ACCOUNT_ID", ""),
        "hmac_key": env.str("ADYEN_HMAC_KEY", ""),
    }
    if found["platform"] not in ("test", "live"):
        raise ConfigurationError(f"ADYEN_PLATFORM is {found['platform']!r}, should be test or live")
    if is_used and not all(found.values()):
        raise ConfigurationError(
            "PAYOUT_PROVIDER=adyen needs ADYEN_API_KEY, ADYEN_BALANCE_ACCOUNT_ID and ADYEN_HMAC_KEY"
        )
    if not re.fullmatch(r"([0-9A-Fa-f]{2})*", found["hmac_key"]):
        raise ConfigurationError("ADYEN_HMAC_KEY should be hexadecimal, as the Customer Area shows it")
    return found
