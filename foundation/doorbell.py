"""Ring for a worker after the commit. The row carries the work: a ring that nobody hears is no error."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import structlog
from celery import Task
from django.conf import settings
from django.core.cache import cache
from django.db import connection, transaction
from kombu.exceptions import OperationalError

from foundation import metrics
from foundation.outages import Outage

logger = structlog.get_logger(__name__)

outage = Outage()


ANSWERED_WITHIN_S = 1
"""How long an unanswered shared ring keeps others from ringing: it may have been lost."""


@dataclass(frozen=True, slots=True)
class _Ring:
    task: Task[Any, Any]
    ids: tuple[str, ...]
    is_shared: bool

    def __call__(self) -> None:
        # Without Redis each process has a cache of its own, and does not see that its ring was answered.
        if self.is_shared and settings.REDIS_URL and not cache.add(_key(self.task), 1, ANSWERED_WITHIN_S):
            return
        ring(self.task, *self.ids)


def ring_after_commit(task: Task[Any, Any], *ids: str, is_shared: bool = False) -> None:
    """Ring for `task` once what it is about is in the database; at once outside a transaction.

    A transaction rings once for the same task and ids, however often it asks. A task that does whatever
    there is may be rung by many at once (`is_shared`): while a ring waits for a worker no other is sent. Such
    a task says `answer` before it looks.
    """
    asked = _Ring(task, ids, is_shared)
    if not _will_be_rung(asked):
        transaction.on_commit(asked)


def answer(task: Task[Any, Any]) -> None:
    """A worker has begun on a shared ring: whoever commits from now on rings again."""
    cache.delete(_key(task))


def _key(task: Task[Any, Any]) -> str:
    return f"doorbell:{task.name}"


def _will_be_rung(asked: _Ring) -> bool:
    if not connection.in_atomic_block:
        return False
    # One of a savepoint that we are not in may be rolled back with it, and then not ring for us.
    ours = set(connection.savepoint_ids)
    return any(entry[1] == asked and entry[0] <= ours for entry in connection.run_on_commit)


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
