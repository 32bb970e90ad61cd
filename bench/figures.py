"""How a figure is measured and printed."""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class Figure:
    """One line of output. `ratio` is this against the peer, higher is better; `target` its minimum."""

    bench: str
    figure: str
    value: float
    unit: str
    against: str
    ratio: float | None
    target: float | None

    def show(self) -> None:
        fields = {k: round(v, 4) if isinstance(v, float) else v for k, v in asdict(self).items()}
        print(json.dumps(fields), flush=True)


Clock = Callable[[], float]


def rate(action: Callable[[], object], *, seconds: float, clock: Clock = time.perf_counter) -> float:
    """Calls per second over about `seconds` of the clock, after one call that warms up."""
    action()
    count, started = 0, clock()
    while (elapsed := clock() - started) < seconds:
        action()
        count += 1
    return count / elapsed


def interleaved_rates(
    actions: dict[str, Callable[[], object]],
    *,
    rounds: int = 5,
    seconds: float = 1.0,
    clock: Clock = time.perf_counter,
) -> dict[str, float]:
    """The median rate of each, measured in turns: what else the machine does then falls on all of them.

    `time.process_time` as the clock counts this process's work only.
    """
    found: dict[str, list[float]] = {name: [] for name in actions}
    for _ in range(rounds):
        for name, action in actions.items():
            found[name].append(rate(action, seconds=seconds, clock=clock))
    return {name: statistics.median(rates) for name, rates in found.items()}


def percentile(values: list[float], share: float) -> float:
    """The value below which `share` (0-1) of the values lie (nearest rank)."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]
