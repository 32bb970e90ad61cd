"""Figures of outgoing webhooks."""

from __future__ import annotations

from prometheus_client import Counter, Histogram

APPENDED = Counter("preloved_outgoing_events_total", "Events appended", ["kind"])
DELIVERIES = Counter(
    "preloved_outgoing_attempts_total", "Attempts to deliver, by what came of it", ["outcome"]
)
DEAD = Counter("preloved_outgoing_dead_total", "Deliveries given up after the last attempt")
LAG_SECONDS = Histogram(
    "preloved_outgoing_lag_seconds",
    "From what happened to the subscriber's answer 2xx",
    buckets=(0.5, 1, 5, 15, 60, 300, 1800, 7200, 43200, 172800),
)
