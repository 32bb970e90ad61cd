"""Who of the two is told what when an order moves. A table: orders/notices.py has the texts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from orders.models import Order


def tell(orders: Sequence[Order], verb: str, *, now: datetime, amount_minor: int | None) -> None:
    """Write the notices of a step into the inboxes of its members, in the step's transaction."""


def remind(orders: Iterable[Order], *, now: datetime) -> None:
    """Write the notices of deadlines that come near."""
