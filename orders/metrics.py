"""Counters of what comes before an order, at /metrics."""

from __future__ import annotations

from prometheus_client import Counter

OFFER_MOVES = Counter("preloved_orders_offer_moves_total", "Offers made and answered", ["verb", "actor"])
OFFERS_REFUSED = Counter(
    "preloved_orders_offers_refused_total", "Rules that kept an offer from being made", ["code"]
)
BUNDLE_CHANGES = Counter("preloved_orders_bundle_changes_total", "Bundles of buyers", ["verb"])
ORDER_MOVES = Counter("preloved_orders_moves_total", "Steps of orders", ["verb", "actor"])
ORDERS_REFUSED = Counter(
    "preloved_orders_checkouts_refused_total", "Rules that kept a checkout away", ["code"]
)
ORDERS_STUCK = Counter("preloved_orders_stuck_total", "Orders on which the clock could not act")
CASES = Counter("preloved_orders_cases_total", "Matters for support, opened and resolved", ["kind", "what"])
LATE_PARCEL_EVENTS = Counter(
    "preloved_orders_parcel_events_overtaken_total", "Carrier events that changed no order", ["code"]
)
ISSUES = Counter("preloved_orders_issues_total", "Issues that buyers reported", ["kind"])
