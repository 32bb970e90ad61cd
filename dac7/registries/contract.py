"""What a registry of VAT numbers answers. The double and the real one pass one suite."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True, slots=True)
class VatAnswer:
    """Whether the number is registered now; name and address only where the state gives them away."""

    is_registered: bool
    name: str = field(default="", repr=False)
    address: str = field(default="", repr=False)


class RegistryUnavailable(Exception):
    """No answer: down, busy, too slow, or not to be understood. It says nothing about the number.

    `reason` is a stable word for metrics and logs.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class VatRegistry(Protocol):
    """`name` stands in the records of checks."""

    name: str

    def look_up(self, vat_number: str) -> VatAnswer:
        """Of a whole number with its prefix (EL for Greece). Raises RegistryUnavailable."""
        ...
