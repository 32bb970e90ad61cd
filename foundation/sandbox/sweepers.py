"""What the clock brings about, as each app says it: who does what is due, and when there will be more."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from django.db.models import QuerySet


class Sweep(Protocol):
    """Do what is due, some of it at least; returns how much was done, 0 when nothing is left to do.

    It does the work itself rather than ring for a worker. Safe to call at the same time as the worker's own
    sweep. What it raises is logged and holds up no other sweeper.
    """

    def __call__(self, *, now: datetime) -> int: ...


class NextDue(Protocol):
    """The first instant after this one at which there will be something to do; None when there is none."""

    def __call__(self, *, after: datetime) -> datetime | None: ...


@dataclass(frozen=True, slots=True)
class Sweeper:
    """One kind of deadlines, named "<app>.<what>". Without `next_due` it is swept where others stop."""

    name: str
    sweep: Sweep
    next_due: NextDue | None = None


def earliest(rows: QuerySet[Any], column: str) -> NextDue:
    """The NextDue of rows with an indexed column of deadlines."""

    def next_due(*, after: datetime) -> datetime | None:
        later = rows.filter(**{f"{column}__gt": after}).order_by(column)
        found: datetime | None = later.values_list(column, flat=True).first()
        return found

    return next_due


_registry: dict[str, Sweeper] = {}


def register(sweeper: Sweeper) -> None:
    """Have it swept when the clock is advanced. Raises ValueError when its name is taken."""
    if sweeper.name in _registry:
        raise ValueError(f"two sweepers are called {sweeper.name}")
    _registry[sweeper.name] = sweeper


def registered() -> Iterator[Sweeper]:
    """In the order of registration: apps below first, as settings.INSTALLED_APPS lists them."""
    yield from tuple(_registry.values())


def first_stop(*, after: datetime) -> datetime | None:
    """When the next deadline of any sweeper is."""
    asked = (sweeper.next_due(after=after) for sweeper in registered() if sweeper.next_due is not None)
    return min((due for due in asked if due is not None), default=None)
