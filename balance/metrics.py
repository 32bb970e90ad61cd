"""Counters and gauges of the balance, at /metrics."""

from __future__ import annotations

from prometheus_client import Counter

POSTINGS = Counter("preloved_balance_postings_total", "Business facts recorded in the ledger", ["event"])
POSTINGS_REPLAYED = Counter(
    "preloved_balance_postings_replayed_total", "Postings whose key was recorded before; nothing was done"
)
HOLDS = Counter("preloved_balance_holds_total", "Money set aside, and how it ended", ["outcome"])
HOLDS_STUCK = Counter("preloved_balance_holds_stuck_total", "Expired holds that could not be given back")
STATEMENTS = Counter("preloved_balance_statements_total", "Monthly statements given", ["format"])
