"""Waking a worker. A ring may get lost: the row is the work, and a sweeper rings again."""

from __future__ import annotations

from typing import Any, cast

from celery import Task, current_app

from foundation import doorbell

# By name: services stand below tasks and do not import them.
PERFORM_RUN = "ai_suggestions.tasks.perform_run"
CHECK_PHOTO = "ai_suggestions.tasks.check_photo"
ADVANCE_BATCH = "ai_suggestions.tasks.advance_batch"
PERFORM_SHADOW = "ai_suggestions.tasks.perform_shadow"
# A queue of their own: a worker takes from each queue in turn, so that two hundred listings of one seller do
# not stand in front of everybody else.
BATCH_QUEUE = "suggestions_batch"


def _bell(task: str, queue: str | None = None) -> Task[Any, Any]:
    # Without a queue named here, CELERY_TASK_ROUTES says which.
    options = {} if queue is None else {"queue": queue}
    return cast("Task[Any, Any]", current_app.signature(task, options=options))


def ring_after_commit(run_id: str) -> None:
    """Ring once the run is in the database."""
    doorbell.ring_after_commit(_bell(PERFORM_RUN), run_id)


def ring(run_id: str, *, is_batch: bool = False) -> None:
    """Ring now; never raises for a broker's sake."""
    doorbell.ring(_bell(PERFORM_RUN, BATCH_QUEUE if is_batch else None), run_id)


def ring_for_batch_after_commit(batch_id: str) -> None:
    """Ring once the batch is in the database."""
    doorbell.ring_after_commit(_bell(ADVANCE_BATCH), batch_id)


def ring_for_batch(batch_id: str) -> None:
    """Ring now; never raises for a broker's sake."""
    doorbell.ring(_bell(ADVANCE_BATCH), batch_id)


def ring_for_photo(photo_id: str) -> None:
    """Have a photo checked; never raises for a broker's sake."""
    doorbell.ring(_bell(CHECK_PHOTO), photo_id)


def ring_for_shadow(shadow_id: str) -> None:
    """Ring once the shadow is in the database."""
    doorbell.ring_after_commit(_bell(PERFORM_SHADOW), shadow_id)


def ring_shadow(shadow_id: str) -> None:
    """Ring now; never raises for a broker's sake."""
    doorbell.ring(_bell(PERFORM_SHADOW), shadow_id)
