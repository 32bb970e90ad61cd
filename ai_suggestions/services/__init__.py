"""Verbs of suggestions. Keyword-only, typed, ids and ``now`` in, frozen dataclasses out."""

from __future__ import annotations

from ai_suggestions.services.batching import Advanced, advance_batch, cancel_batch, request_batch
from ai_suggestions.services.calibrating import approve_calibration, withdraw_calibration
from ai_suggestions.services.checking import (
    check_photo,
    plan_checks,
    refresh_checks,
    sweep_checks,
    warm_up_checks,
)
from ai_suggestions.services.deciding import FieldDecision, decide
from ai_suggestions.services.limits import keep_llm_policy, keep_plan_quota
from ai_suggestions.services.performing import Performed, perform_run
from ai_suggestions.services.quotas import forget_usage
from ai_suggestions.services.requesting import cancel_run, request_run, retry_run
from ai_suggestions.services.routes import keep_route
from ai_suggestions.services.shadowing import perform_shadow, sweep_shadows
from ai_suggestions.services.sweeping import forget_readings, forget_runs, sweep_batches, sweep_runs
from ai_suggestions.services.twins import dismiss_twin, uphold_twin

__all__ = [
    "Advanced",
    "FieldDecision",
    "Performed",
    "advance_batch",
    "approve_calibration",
    "cancel_batch",
    "cancel_run",
    "check_photo",
    "decide",
    "dismiss_twin",
    "forget_readings",
    "forget_runs",
    "forget_usage",
    "keep_llm_policy",
    "keep_plan_quota",
    "keep_route",
    "perform_run",
    "perform_shadow",
    "plan_checks",
    "refresh_checks",
    "request_batch",
    "request_run",
    "retry_run",
    "sweep_batches",
    "sweep_checks",
    "sweep_runs",
    "sweep_shadows",
    "uphold_twin",
    "warm_up_checks",
    "withdraw_calibration",
]
