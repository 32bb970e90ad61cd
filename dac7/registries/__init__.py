"""Registries that know whether a number was given to somebody. The one in use is VAT_REGISTRY's."""

from __future__ import annotations

import functools

from django.conf import settings

from dac7.registries.contract import VatRegistry
from dac7.registries.sandbox import SandboxVatRegistry
from dac7.registries.vies import Vies


@functools.lru_cache(maxsize=8)
def vat_registry(name: str | None = None) -> VatRegistry:
    """The registry of a name; by default the one that is configured."""
    if (name or settings.VAT_REGISTRY) == "vies":
        return Vies(settings.VIES_URL)
    return SandboxVatRegistry()
