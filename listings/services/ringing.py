"""Waking a worker. A ring may get lost: the row is the work, and a sweeper rings again."""

from __future__ import annotations

from typing import Any, cast

from celery import Task, current_app

from foundation import doorbell

# By name: services stand below tasks and do not import them.
PROCESS_PHOTO = "listings.tasks.process_photo"


def ring(photo_id: str) -> None:
    """Ask a worker to process a photo. Call it after the commit; it never raises for a broker's sake."""
    doorbell.ring(cast("Task[Any, Any]", current_app.signature(PROCESS_PHOTO)), photo_id)
