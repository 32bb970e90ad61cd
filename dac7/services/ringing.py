"""Waking a worker. A ring may get lost: the row is the work, and a sweeper rings again."""

from __future__ import annotations

from typing import Any, cast

from celery import Task, current_app

from foundation.doorbell import ring_after_commit

# By name: services stand below tasks and do not import them.
ASK_REGISTRY = "dac7.tasks.ask_registry"


def ring_for_check(check_id: str) -> None:
    """Ask a worker to call the registry, once this is committed."""
    ring_after_commit(cast("Task[Any, Any]", current_app.signature(ASK_REGISTRY)), check_id)
