"""Figures of parcels and carriers, at /metrics."""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

PARCEL_MOVES = Counter("preloved_orders_parcel_moves_total", "Parcels that advanced", ["verb", "leg"])
PARCEL_EVENTS = Counter(
    "preloved_orders_parcel_events_total",
    "News of carriers: moved, kept (known or overtaken), repeated, unknown (no parcel of ours)",
    ["provider", "effect"],
)
CARRIER_CALLS = Counter(
    "preloved_orders_carrier_calls_total", "Calls to carriers", ["provider", "call", "outcome"]
)
CARRIER_CALL_SECONDS = Histogram(
    "preloved_orders_carrier_call_seconds",
    "How long carriers take to answer",
    ["provider", "call"],
    buckets=(0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20),
)
ADDRESSES_AWAITED = Counter(
    "preloved_orders_addresses_awaited_total",
    "Parcels that waited for where their seller sends from: asked, given",
    ["what"],
)
PARCELS_DUE = Gauge(
    "preloved_orders_parcels_due",
    "Parcels for which a carrier is still to be called",
    ["status"],
    multiprocess_mode="mostrecent",
)
OLDEST_LABEL_SECONDS = Gauge(
    "preloved_orders_oldest_label_seconds",
    "Since the oldest label was asked for that is not there; 0 when none",
    multiprocess_mode="mostrecent",
)
