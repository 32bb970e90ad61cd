"""Who carries parcels (CARRIER_PROVIDER): the sandbox's own carrier, or Sendcloud. See docs/adr/0010."""

from __future__ import annotations

from collections.abc import Callable

from orders.providers.carriers.contract import Carrier
from orders.providers.carriers.sandbox import SandboxCarrier
from orders.providers.carriers.sendcloud import from_settings as sendcloud

CARRIERS: dict[str, Callable[[], Carrier]] = {"sandbox": SandboxCarrier, "sendcloud": sendcloud}


def carrier_named(name: str) -> Carrier:
    """Raises KeyError for a name that is not in CARRIERS."""
    return CARRIERS[name]()
