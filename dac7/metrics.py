"""Counters of tax reporting, at /metrics."""

from __future__ import annotations

from prometheus_client import Counter, Gauge

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
