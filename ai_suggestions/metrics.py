"""Figures of suggestions."""

from __future__ import annotations

from prometheus_client import Counter, Histogram

RUNS = Counter("preloved_ai_suggestions_runs_total", "Runs that ended", ["outcome", "provider"])
STEP_SECONDS = Histogram(
    "preloved_ai_suggestions_step_seconds",
    "How long a step took",
    ["step", "outcome"],
    buckets=(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 25),
)
RUN_SECONDS = Histogram(
    "preloved_ai_suggestions_run_seconds",
    "From the request to the end of the run",
    buckets=(0.5, 1, 2, 5, 10, 20, 40, 80, 160, 600, 3600),
)
QUEUE_SECONDS = Histogram(
    "preloved_ai_suggestions_queue_seconds",
    "From the request to the first step, waiting for photos included",
    buckets=(0.1, 0.25, 0.5, 1, 2, 5, 10, 30, 120, 600, 3600),
)
PHOTOS_REUSED = Counter(
    "preloved_ai_suggestions_photo_readings_reused_total", "Photos that needed no second look", ["step"]
)
DECISIONS = Counter(
    "preloved_ai_suggestions_decisions_total", "What sellers did with suggestions", ["field", "decision"]
)
RUNS_RUNG_AGAIN = Counter(
    "preloved_ai_suggestions_runs_rung_again_total", "Queued runs that nobody had picked up in time"
)
LEASES_LOST = Counter(
    "preloved_ai_suggestions_leases_lost_total", "Runs taken back from a worker that was gone"
)
RUNS_FORGOTTEN = Counter(
    "preloved_ai_suggestions_runs_forgotten_total", "Runs deleted because SUGGESTION_KEEP_DAYS are over"
)
LLM_CALLS = Counter("preloved_ai_suggestions_llm_calls_total", "Requests to an LLM", ["outcome", "mode"])
LLM_SECONDS = Histogram(
    "preloved_ai_suggestions_llm_call_seconds",
    "How long an LLM took to answer, or not to",
    buckets=(0.25, 0.5, 1, 2, 4, 8, 15, 30, 60),
)
LLM_TOKENS = Counter(
    "preloved_ai_suggestions_llm_tokens_total", "Tokens that endpoints reported: in, cached, out", ["kind"]
)
LLM_COST = Counter(
    "preloved_ai_suggestions_llm_cost_total", "Cost of LLM calls, in units of the price list's currency"
)
PHOTO_CHECKS = Counter(
    "preloved_ai_suggestions_photo_checks_total", "Photos scored and fingerprinted", ["outcome"]
)
TWIN_CANDIDATES = Histogram(
    "preloved_ai_suggestions_twin_candidates",
    "Photos in the same buckets as one that was looked up; grows when the buckets become too coarse",
    buckets=(0, 1, 3, 10, 30, 100, 300, 1000),
)
PHOTO_TWINS = Counter(
    "preloved_ai_suggestions_photo_twins_total", "Pairs of photos that show the same picture", ["scope"]
)
TWIN_RULINGS = Counter(
    "preloved_ai_suggestions_twin_rulings_total", "What moderators said of such pairs", ["ruling"]
)
RUN_RETRIES = Counter(
    "preloved_ai_suggestions_run_retries_total", "Runs put back because a step may yet succeed"
)
QUOTA_SPENT = Counter(
    "preloved_ai_suggestions_quota_spent_total",
    "Runs refused (runs) or done without the LLM (llm_calls) because the seller's day was used up",
    ["kind", "plan"],
)
BATCHES = Counter("preloved_ai_suggestions_batches_total", "Batches that ended", ["outcome"])
BATCH_LISTINGS = Counter(
    "preloved_ai_suggestions_batch_listings_total", "Listings of batches: begun, or refused", ["outcome"]
)
BATCH_YIELDS = Counter(
    "preloved_ai_suggestions_batch_yields_total", "Turns of batches that let a waiting seller's run go first"
)
SHADOWS = Counter(
    "preloved_ai_suggestions_shadows_total",
    "Shadow runs that ended: answered, given_up",
    ["provider", "outcome"],
)
