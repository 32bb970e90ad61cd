"""Figures of callbacks. Sources are registered ones, so the labels are bounded."""

from __future__ import annotations

from prometheus_client import Counter, Histogram

RECEIVED = Counter("preloved_incoming_events_total", "Callbacks taken", ["source", "outcome"])
REJECTED = Counter("preloved_incoming_rejected_total", "Callbacks not taken", ["source", "reason"])
ATTEMPTS_FAILED = Counter(
    "preloved_incoming_attempts_failed_total",
    "Attempts to handle a callback that failed",
    ["source", "error"],
)
DEAD = Counter("preloved_incoming_dead_total", "Callbacks given up after the last attempt", ["source"])
LAG_SECONDS = Histogram(
    "preloved_incoming_lag_seconds",
    "From the arrival of a callback to its committed effect",
    ["source"],
    buckets=(0.1, 0.5, 1, 5, 15, 60, 300, 1800, 7200, 43200, 172800),
)
