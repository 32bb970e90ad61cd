"""Counters and gauges of the balance, at /metrics."""

from __future__ import annotations

from prometheus_client import Counter

POSTINGS = Counter("preloved_balance_postings_total", "Business facts recorded in the ledger", ["event"])
POSTINGS_REPLAYED = Counter(
    "preloved_balance_postings_replayed_total", "Postings whose key was recorded before; nothing was done"
)
