"""What `manage.py check --deploy` says beyond Django's own checks."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.checks import Error

from config.keys import GENERATED_ID


def generated_keys(**_: Any) -> list[Error]:
    """In server mode a key made by one replica would be unknown to the others, and lost with its disk."""
    if not settings.SERVER_MODE:
        return []
    return [
        Error(
            f"{name} seals with a key that this machine made for itself.",
            hint=f"Set {name} to the same keys on every replica (docs/security.md).",
            id="preloved.E001",
        )
        for name in ("ENCRYPTION_KEYS", "BLIND_INDEX_KEYS")
        if next(iter(getattr(settings, name))) == GENERATED_ID
    ]


def sandboxes(**_: Any) -> list[Error]:
    """Where real members are, nobody plays bank."""
    found = []
    if settings.SANDBOX:
        found.append(
            Error(
                "SANDBOX is on: members could play bank.",
                hint="Set SANDBOX=false.",
                id="preloved.E002",
            )
        )
    if settings.PAYOUT_PROVIDER == "sandbox":
        found.append(
            Error(
                "The sandbox bank pays nobody.",
                hint="Set PAYOUT_PROVIDER=adyen and ADYEN_… (docs/money.md).",
                id="preloved.E003",
            )
        )
    if settings.PAYMENT_PROVIDER == "sandbox":
        found.append(
            Error(
                "The sandbox's cards are charged by nobody.",
                hint="Set PAYMENT_PROVIDER=stripe and STRIPE_… (docs/payments.md).",
                id="preloved.E004",
            )
        )
    if settings.CARRIER_PROVIDER == "sandbox":
        found.append(
            Error(
                "The sandbox's carrier carries nothing.",
                hint="Set CARRIER_PROVIDER=sendcloud and SENDCLOUD_… (docs/parcels.md).",
                id="preloved.E005",
            )
        )
    if settings.HTTPS and settings.VAT_REGISTRY == "sandbox":
        found.append(
            Error(
                "The sandbox's registry takes any VAT number whose digits fit.",
                hint="Set VAT_REGISTRY=vies (docs/dac7.md).",
                id="preloved.E006",
            )
        )
    return found
