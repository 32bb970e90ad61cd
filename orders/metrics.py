"""Figures of offers, bundles, payments and orders, at /metrics."""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

OFFER_MOVES = Counter("preloved_orders_offer_moves_total", "Offers made and answered", ["verb", "actor"])
OFFERS_REFUSED = Counter(
    "preloved_orders_offers_refused_total", "Rules that kept an offer from being made", ["code"]
)
BUNDLE_CHANGES = Counter("preloved_orders_bundle_changes_total", "Bundles of buyers", ["verb"])
PAYMENT_MOVES = Counter("preloved_orders_payment_moves_total", "Changes of status", ["verb", "actor"])
PAYMENT_CALLS = Counter(
    "preloved_orders_payment_calls_total", "Calls to the card's provider", ["provider", "outcome"]
)
PAYMENT_CALL_SECONDS = Histogram(
    "preloved_orders_payment_call_seconds",
    "How long the card's provider took to answer, or not to",
    buckets=(0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 30),
)
PAYMENT_REPORTS = Counter(
    "preloved_orders_payment_reports_total",
    "What answers and callbacks of the card's provider did",
    ["provider", "about", "effect"],
)
# Measured by one sweep at a time; of several processes' figures the latest is true.
PAYMENTS_OPEN = Gauge(
    "preloved_orders_payments_open",
    "Payments under way",
    ["status"],
    multiprocess_mode="mostrecent",
)
OLDEST_UNKNOWN_SECONDS = Gauge(
    "preloved_orders_oldest_unknown_payment_seconds",
    "Since when the outcome of a charge has been open at the provider",
    multiprocess_mode="mostrecent",
)
OLDEST_REFUND_SECONDS = Gauge(
    "preloved_orders_oldest_open_refund_seconds",
    "Since when a refund has been owed to a card",
    multiprocess_mode="mostrecent",
)
REFUND_MOVES = Counter("preloved_orders_refund_moves_total", "Refunds that ended at the provider", ["verb"])
DISPUTE_MOVES = Counter("preloved_orders_dispute_moves_total", "Chargebacks opened, won and lost", ["verb"])
ORDER_MOVES = Counter("preloved_orders_moves_total", "Steps of orders", ["verb", "actor"])
ORDERS_REFUSED = Counter(
    "preloved_orders_checkouts_refused_total", "Rules that kept a checkout away", ["code"]
)
ORDERS_STUCK = Counter("preloved_orders_stuck_total", "Orders on which the clock could not act")
CASES = Counter("preloved_orders_cases_total", "Matters for support, opened and resolved", ["kind", "what"])
CASES_OPEN = Gauge(
    "preloved_orders_cases_open", "Matters that wait for support", ["kind"], multiprocess_mode="mostrecent"
)
CASES_OVERDUE = Gauge(
    "preloved_orders_cases_overdue",
    "Matters that should have been dealt with",
    ["kind"],
    multiprocess_mode="mostrecent",
)
LATE_PARCEL_EVENTS = Counter(
    "preloved_orders_parcel_events_overtaken_total", "Carrier events that changed no order", ["code"]
)
ISSUES = Counter("preloved_orders_issues_total", "Issues that buyers reported", ["kind"])
DETAILS_FORGOTTEN = Counter(
    "preloved_orders_details_forgotten_total", "Old orders whose addresses, labels and evidence were deleted"
)
REVIEWS = Counter("preloved_orders_reviews_total", "Reviews of members", ["by", "rating"])
