"""Waking a worker. A ring may get lost: the row is the work, and a sweeper rings again."""

from __future__ import annotations

from typing import Any, cast

from celery import Task, current_app

from foundation import doorbell

# By name: services stand below tasks and do not import them.
PERFORM_RUN = "ai_suggestions.tasks.perform_run"


def _bell() -> Task[Any, Any]:
    return cast("Task[Any, Any]", current_app.signature(PERFORM_RUN))


def ring_after_commit(run_id: str) -> None:
    """Ring once the run is in the database."""
    doorbell.ring_after_commit(_bell(), run_id)


def ring(run_id: str) -> None:
    """Ring now; never raises for a broker's sake."""
    doorbell.ring(_bell(), run_id)
