"""Counters of tax reporting, at /metrics."""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

PROFILES_GIVEN = Counter(
    "preloved_dac7_profiles_given_total", "Tax profiles given or changed", ["entity_type"]
)
PROFILES_REFUSED = Counter(
    "preloved_dac7_profile_problems_total", "Problems found in tax profiles that were sent", ["code"]
)
DOCUMENTS = Counter("preloved_dac7_documents_total", "Evidence documents sent", ["outcome"])
REGISTRY_CALLS = Counter(
    "preloved_dac7_registry_calls_total", "Look-ups in registries", ["registry", "outcome"]
)
CHECK_MOVES = Counter("preloved_dac7_check_moves_total", "Moves of checks on tax profiles", ["kind", "verb"])
CHECKS_PENDING = Gauge(
    "preloved_dac7_checks_pending", "Checks that wait for a person", multiprocess_mode="mostrecent"
)
REVEALS = Counter("preloved_dac7_reveals_total", "Dossiers and documents opened by staff", ["what"])
PURGED = Counter("preloved_dac7_purged_total", "Dossiers deleted after their time")

# Figures and due diligence
EXCHANGE_RATES_LOADED = Counter("preloved_dac7_exchange_rates_loaded_total", "Reference rates that were new")
COMPILED_SELLERS = Counter(
    "preloved_dac7_compiled_sellers_total", "Sellers whose year was compiled for a filing", ["decision"]
)
COMPILE_SECONDS = Histogram(
    "preloved_dac7_compile_seconds",
    "How long compiling the figures of a filing took",
    buckets=(1, 5, 15, 60, 300, 900, 1800, 3600),
)
REQUEST_MOVES = Counter(
    "preloved_dac7_request_moves_total", "Requests for tax information, by what happened", ["verb", "actor"]
)
REQUESTS_OPEN = Gauge(
    "preloved_dac7_requests_open",
    "Requests for tax information without an answer",
    ["status"],
    multiprocess_mode="mostrecent",
)
SALES_READ_LAG_SECONDS = Gauge(
    "preloved_dac7_sales_read_lag_seconds",
    "How far the watch over sales is behind the ledger",
    multiprocess_mode="mostrecent",
)
