"""Ring for a worker after the commit. The row carries the work: a ring that nobody hears is no error."""

from __future__ import annotations

import functools
from typing import Any

import structlog
from celery import Task
from django.db import transaction
from kombu.exceptions import OperationalError

from foundation import metrics
from foundation.outages import Outage

logger = structlog.get_logger(__name__)

outage = Outage()


def ring_after_commit(task: Task[Any, Any], *ids: str) -> None:
    """Ring for `task` once what it is about is in the database; at once outside a transaction."""
    transaction.on_commit(functools.partial(ring, task, *ids))


def ring(task: Task[Any, Any], *ids: str) -> None:
    """Ring for `task` now. While the broker is down nothing is raised: the app's sweeper rings again."""
    if outage.lasts():
        metrics.UNHEARD_RINGS.labels(task.name).inc()
        return
    try:
        task.delay(*ids)
    except (OperationalError, OSError) as error:
        outage.begin()
        metrics.UNHEARD_RINGS.labels(task.name).inc()
        logger.warning("ring_not_heard", task=task.name, error=type(error).__name__)
