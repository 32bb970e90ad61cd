"""A registry that asks nobody: every number whose check digits fit is registered, but for three endings.

Like the Commission's test service it answers by the number: …00 is not registered, …01 is down, …02 is busy.
"""

from __future__ import annotations

from dac7.registries.contract import RegistryUnavailable, VatAnswer

_DOWN = {"01": "MS_UNAVAILABLE", "02": "MS_MAX_CONCURRENT_REQ"}


class SandboxVatRegistry:
    """For the embedded default, tests and demos."""

    name = "sandbox"

    def look_up(self, vat_number: str) -> VatAnswer:
        """See VatRegistry."""
        ending = vat_number[-2:]
        if reason := _DOWN.get(ending):
            raise RegistryUnavailable(reason)
        return VatAnswer(is_registered=ending != "00")
