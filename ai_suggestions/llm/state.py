"""What workers tell each other: which mode an endpoint understands, and whether it is up.

A small atomic store with expiry. ``wiring`` puts Django's cache behind it (Redis in server mode); losing
what it holds costs a probe or a few failing calls, never money or a run.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Protocol, TypeAlias

Value: TypeAlias = str | int | float


class SharedState(Protocol):
    """Values by key, each with a life in seconds. Every method is atomic and none raises."""

    def get(self, key: str) -> Value | None:
        """The value, or None when there is none or its life is over."""

    def put(self, key: str, value: Value, *, life_s: float) -> None:
        """Set the value."""

    def add(self, key: str, value: Value, *, life_s: float) -> bool:
        """Set the value if there is none; whether it was set."""

    def increment(self, key: str, *, life_s: float) -> int:
        """Count one up from 0 and return the count; the life starts with the first."""

    def drop(self, key: str) -> None:
        """Remove the value, if there is one."""


class StateInMemory:
    """For one process: tests, programs, and a worker without a shared cache."""

    def __init__(self, elapsed_s: Callable[[], float] = time.monotonic) -> None:
        self._elapsed_s = elapsed_s
        self._values: dict[str, tuple[Value, float]] = {}
        self._lock = threading.Lock()

    def _living(self, key: str) -> tuple[Value, float] | None:
        found = self._values.get(key)
        if found is not None and found[1] <= self._elapsed_s():
            del self._values[key]
            return None
        return found

    def get(self, key: str) -> Value | None:
        with self._lock:
            found = self._living(key)
            return None if found is None else found[0]

    def put(self, key: str, value: Value, *, life_s: float) -> None:
        with self._lock:
            self._values[key] = (value, self._elapsed_s() + life_s)

    def add(self, key: str, value: Value, *, life_s: float) -> bool:
        with self._lock:
            if self._living(key) is not None:
                return False
            self._values[key] = (value, self._elapsed_s() + life_s)
            return True

    def increment(self, key: str, *, life_s: float) -> int:
        with self._lock:
            found = self._living(key)
            count, ends = (0, self._elapsed_s() + life_s) if found is None else (int(found[0]), found[1])
            self._values[key] = (count + 1, ends)
            return count + 1

    def drop(self, key: str) -> None:
        with self._lock:
            self._values.pop(key, None)
