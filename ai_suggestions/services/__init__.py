"""Verbs of suggestions. Keyword-only, typed, ids and ``now`` in, frozen dataclasses out."""

from __future__ import annotations

from ai_suggestions.services.deciding import FieldDecision, decide
from ai_suggestions.services.performing import Performed, perform_run
from ai_suggestions.services.requesting import cancel_run, request_run, retry_run
from ai_suggestions.services.sweeping import forget_readings, sweep_runs

__all__ = [
    "FieldDecision",
    "Performed",
    "cancel_run",
    "decide",
    "forget_readings",
    "perform_run",
    "request_run",
    "retry_run",
    "sweep_runs",
]
