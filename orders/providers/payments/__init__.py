"""Who charges cards (PAYMENT_PROVIDER): the sandbox, or Stripe. See docs/adr/0011."""

from __future__ import annotations

from collections.abc import Callable

from orders.providers.payments.contract import PaymentProvider
from orders.providers.payments.sandbox import SandboxCards


def _stripe() -> PaymentProvider:
    # Inside: the library costs half a second and 15 MB, which only those pay who use it.
    from orders.providers.payments.stripe import from_settings

    return from_settings()


PROVIDERS: dict[str, Callable[[], PaymentProvider]] = {"sandbox": SandboxCards, "stripe": _stripe}


def provider_named(name: str) -> PaymentProvider:
    """Raises KeyError for a name that is not in PROVIDERS."""
    return PROVIDERS[name]()
