"""What may be spent on calls in a day (UTC), and the promise that no request is paid twice.

An amount that a call cannot exceed is set aside before it, and replaced by the true cost after it. Workers
that run side by side therefore cannot overspend together. A request that was paid, or whose call may have
been (the worker was killed in it, the line broke), is not made again on that day or the next: a run that is
delivered twice is billed once. Its answer, if it had a good one, is found among the readings.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import Protocol


class Refusal(StrEnum):
    """Why nothing was set aside."""

    SPENT = "spent"  # it would exceed what may be spent on that day
    MADE_BEFORE = "made_before"  # the same request was, or is being, made on that day or the day before


@dataclass(frozen=True, slots=True)
class Reservation:
    """An amount set aside for one request on one day."""

    request: str
    day: date
    amount_micro: int


class Budget(Protocol):
    """Where reservations are kept. Each method is one atomic step, safe between workers."""

    def reserve(
        self, *, request: str, day: date, amount_micro: int, share: float = 1.0
    ) -> Reservation | Refusal:
        """Set an amount aside for a request (its fingerprint), while ``share`` (0-1) of the day covers it."""

    def settle(self, reservation: Reservation, *, cost_micro: int) -> None:
        """The call was made and cost this. Settling twice counts once."""

    def release(self, reservation: Reservation) -> None:
        """The call was not made, or not billed: the request may be made again."""


class BudgetInMemory:
    """For one process: tests and programs. ``limit_micro`` None: no limit."""

    def __init__(self, *, limit_micro: int | None) -> None:
        self._limit_micro = limit_micro
        self._amounts: dict[tuple[str, date], int] = {}
        self._settled: set[tuple[str, date]] = set()
        self._lock = threading.Lock()

    def spent_micro(self, day: date) -> int:
        """What was spent and set aside on a day."""
        with self._lock:
            return self._committed(day)

    def _committed(self, day: date) -> int:
        return sum(amount for (_, made_on), amount in self._amounts.items() if made_on == day)

    def reserve(
        self, *, request: str, day: date, amount_micro: int, share: float = 1.0
    ) -> Reservation | Refusal:
        with self._lock:
            if any((request, made_on) in self._amounts for made_on in (day, day - timedelta(days=1))):
                return Refusal.MADE_BEFORE
            if self._limit_micro is not None:
                limit_micro = int(self._limit_micro * share)
                if self._committed(day) + amount_micro > limit_micro:
                    return Refusal.SPENT
            self._amounts[request, day] = amount_micro
            return Reservation(request, day, amount_micro)

    def settle(self, reservation: Reservation, *, cost_micro: int) -> None:
        key = (reservation.request, reservation.day)
        with self._lock:
            if key in self._amounts and key not in self._settled:
                self._amounts[key] = cost_micro
                self._settled.add(key)

    def release(self, reservation: Reservation) -> None:
        key = (reservation.request, reservation.day)
        with self._lock:
            if key not in self._settled:
                self._amounts.pop(key, None)
