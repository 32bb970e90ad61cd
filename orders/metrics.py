"""Counters of what comes before an order, at /metrics."""

from __future__ import annotations

from prometheus_client import Counter

OFFER_MOVES = Counter("preloved_orders_offer_moves_total", "Offers made and answered", ["verb", "actor"])
OFFERS_REFUSED = Counter(
    "preloved_orders_offers_refused_total", "Rules that kept an offer from being made", ["code"]
)
BUNDLE_CHANGES = Counter("preloved_orders_bundle_changes_total", "Bundles of buyers", ["verb"])
