"""A circuit breaker per endpoint, shared by all workers.

Closed: calls go through and failures are counted. Open: nobody calls until a time. Half-open: one worker
probes; its success closes the circuit, its failure opens it again, for longer.

Our own because the kept libraries do not fit: pybreaker 1.4 and purgatory 3 share their state only through a
Redis client of their own (ours is a cache that may be in memory and that outlives an outage of Redis), let
every worker probe at once, and cannot be held open for a Retry-After.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from ai_suggestions.llm.state import SharedState

_FORGET_S = 24 * 3600.0


class Circuit(StrEnum):
    """The state of the circuit."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


@dataclass(frozen=True, slots=True)
class BreakerRules:
    """When the circuit opens, and for how long. All times in seconds."""

    failures: int = 5  # so many failures …
    within_s: float = 60.0  # … within this time open it
    pause_s: float = 30.0  # for this long; doubled with each probe that fails
    longest_pause_s: float = 600.0
    probe_s: float = 45.0  # a probe that has not ended by then is given up; longer than any call


class CircuitBreaker:
    """The circuit of one endpoint (``name``)."""

    def __init__(self, state: SharedState, *, name: str, rules: BreakerRules | None = None) -> None:
        self._state = state
        self._rules = rules or BreakerRules()
        prefix = f"llm:circuit:{name}"
        self._opened_until = f"{prefix}:until"
        self._failures = f"{prefix}:failures"
        self._pauses = f"{prefix}:pauses"
        self._probe = f"{prefix}:probe"

    def circuit(self, *, now: datetime) -> Circuit:
        """The state at a time."""
        until = self._state.get(self._opened_until)
        if until is None:
            return Circuit.CLOSED
        return Circuit.OPEN if now.timestamp() < float(until) else Circuit.HALF_OPEN

    def wait_s(self, *, now: datetime) -> float:
        """How long the circuit stays open, in seconds; 0 when it does not."""
        until = self._state.get(self._opened_until)
        return 0.0 if until is None else max(0.0, float(until) - now.timestamp())

    def lets_through(self, *, now: datetime) -> bool:
        """Whether a call may be made. In a half-open circuit: to the one worker that asks first."""
        circuit = self.circuit(now=now)
        if circuit is Circuit.HALF_OPEN:
            return self._state.add(self._probe, 1, life_s=self._rules.probe_s)
        return circuit is Circuit.CLOSED

    def succeeded(self) -> None:
        """A call was answered: the circuit is closed."""
        for key in (self._opened_until, self._failures, self._pauses, self._probe):
            self._state.drop(key)

    def failed(self, *, now: datetime) -> None:
        """A call failed for a reason that is the endpoint's."""
        if self.circuit(now=now) is Circuit.CLOSED:
            count = self._state.increment(self._failures, life_s=self._rules.within_s)
            if count < self._rules.failures:
                return
        pauses = self._state.increment(self._pauses, life_s=_FORGET_S) - 1
        # The exponent is bounded so that a long outage makes no huge number.
        pause_s = min(self._rules.pause_s * 2 ** min(pauses, 16), self._rules.longest_pause_s)
        self._open_for(pause_s, now=now)

    def hold(self, seconds: float, *, now: datetime) -> None:
        """The endpoint asked for a pause (Retry-After)."""
        self._open_for(min(seconds, self._rules.longest_pause_s), now=now)

    def gave_up(self) -> None:
        """A call that was let through told nothing about the endpoint: the next worker may probe."""
        self._state.drop(self._probe)

    def _open_for(self, seconds: float, *, now: datetime) -> None:
        if seconds >= self.wait_s(now=now):
            self._state.put(self._opened_until, now.timestamp() + seconds, life_s=_FORGET_S)
        self._state.drop(self._failures)
        self._state.drop(self._probe)
