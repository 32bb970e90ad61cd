"""Metrics of the house itself; each app declares its own beside its code."""

from __future__ import annotations

from prometheus_client import Counter, Gauge

TRANSACTION_RETRIES = Counter(
    "preloved_foundation_transaction_retries_total",
    "Transactions run again after a deadlock or lock timeout",
)
IDEMPOTENT_REPLAYS = Counter(
    "preloved_foundation_idempotent_replays_total", "POSTs answered from the stored first answer"
)
RATE_LIMITED = Counter(
    "preloved_foundation_rate_limited_total", "Requests refused by a rate limit", ["policy"]
)
RATE_LIMIT_STORE_ERRORS = Counter(
    "preloved_foundation_rate_limit_store_errors_total",
    "Requests let through because the rate limit store did not answer",
)
CACHE_OUTAGES = Counter("preloved_foundation_cache_outages_total", "Times that the cache stopped answering")
UNHEARD_RINGS = Counter(
    "preloved_foundation_unheard_rings_total",
    "Tasks not rung for because the broker did not answer",
    ["task"],
)
PROBLEMS = Counter("preloved_foundation_problems_total", "Problem documents answered", ["code", "status"])
WAITING_REQUESTS_REFUSED = Counter(
    "preloved_foundation_waits_cut_short_total", "Prefer: wait requests answered at once for want of a slot"
)
EVENT_STREAMS_OPEN = Gauge(
    "preloved_foundation_event_streams_open", "Clients that follow something", multiprocess_mode="livesum"
)
EVENT_STREAMS_REFUSED = Counter(
    "preloved_foundation_event_streams_refused_total", "Event streams refused for want of a place"
)
UNOPENED = Counter(
    "preloved_foundation_unopened_secrets_total",
    "Encrypted values that did not open: an unknown key, changed, or moved to another row",
    ["column", "reason"],
)
CLOCK_AHEAD_SECONDS = Gauge(
    "preloved_foundation_clock_ahead_seconds",
    "How far a sandbox's business time is ahead of real time; 0 in production",
    multiprocess_mode="max",
)
SANDBOX_SWEPT = Counter(
    "preloved_foundation_sandbox_swept_total",
    "What was done because a sandbox's clock was advanced",
    ["sweeper"],
)
SANDBOX_SWEEPS_FAILED = Counter(
    "preloved_foundation_sandbox_sweeps_failed_total",
    "Sweeps that failed while a sandbox's clock was advanced",
    ["sweeper"],
)
