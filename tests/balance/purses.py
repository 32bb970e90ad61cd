"""What the walk over the services believes: what members have, and where their withdrawals stand."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from django.db import transaction

from foundation.errors import DomainError


@dataclass
class Purse:
    """What the model says that a member has, in cents."""

    pending: int = 0
    available: int = 0
    held: int = 0
    in_transit: int = 0
    is_frozen: bool = False

    def numbers(self) -> dict[str, int]:
        return {name: getattr(self, name) for name in ("pending", "available", "held", "in_transit")}

    def refusal(self, cents: int, *, smallest: int = 0, out_of_range: str = "") -> str:
        """The code with which what the member asks for is refused; empty: it is done."""
        if self.is_frozen:
            return "account_frozen"
        if cents < smallest:
            return out_of_range
        return "insufficient_funds" if cents > self.available else ""


@dataclass
class Asked:
    """A withdrawal as the model knows it."""

    id: str
    who: int
    cents: int
    status: str = "requested"
    is_with_bank: bool = False
    contradicted: set[str] = field(default_factory=set)


def code_of(call: Callable[[], Any]) -> str:
    """The code of the refusal, which leaves nothing behind; empty when it was done."""
    try:
        with transaction.atomic():
            call()
    except DomainError as refused:
        return refused.code
    return ""
