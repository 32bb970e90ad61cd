"""What nobody else will do: ring again, take runs back from workers that are gone, forget old readings."""

from __future__ import annotations

import datetime as dt

import structlog

from ai_suggestions import metrics, queries
from ai_suggestions.batch_tables import SuggestionBatch
from ai_suggestions.lifecycle import BATCH_LIVE, RunStatus
from ai_suggestions.models import PhotoReading, SuggestionRun
from ai_suggestions.services.moving import move
from ai_suggestions.services.requesting import RING_AGAIN
from ai_suggestions.services.ringing import ring, ring_for_batch
from foundation.db import atomic_retry
from foundation.lifecycle import CLOCK

logger = structlog.get_logger(__name__)

BATCH = 200


def sweep_runs(*, now: dt.datetime) -> int:
    """Take back lost runs, then ring for every queued run whose ring is due. Returns how many it rang for."""
    for run_id in queries.lost_run_ids(now=now, limit=BATCH):
        _take_back(run_id, now)
    due = queries.runs_to_ring(now=now, limit=BATCH)
    for run_id, batch_id in due:
        # Whoever puts the next ring off rings now; another sweeper at the same time finds it not due.
        if SuggestionRun.objects.filter(id=run_id, status=RunStatus.QUEUED, ring_at__lte=now).update(
            ring_at=now + RING_AGAIN
        ):
            ring(run_id, is_batch=batch_id is not None)
    if due:
        metrics.RUNS_RUNG_AGAIN.inc(len(due))
        logger.info("suggestion_runs_rung_again", count=len(due))
    return len(due)


def sweep_batches(*, now: dt.datetime) -> int:
    """Ring for every batch whose ring is due. Returns how many."""
    due = queries.batch_ids_to_ring(now=now, limit=BATCH)
    for batch_id in due:
        if SuggestionBatch.objects.filter(id=batch_id, status__in=BATCH_LIVE, ring_at__lte=now).update(
            ring_at=now + RING_AGAIN
        ):
            ring_for_batch(batch_id)
    return len(due)


@atomic_retry
def _take_back(run_id: str, now: dt.datetime) -> None:
    run = SuggestionRun.objects.filter(id=run_id, status=RunStatus.RUNNING, lease_until__lte=now).first()
    if run is not None and move(run, verb="take_back", actor=CLOCK, now=now):
        metrics.LEASES_LOST.inc()
        logger.warning("suggestion_run_taken_back", run_id=run_id, attempts=run.attempts)


def forget_readings(*, now: dt.datetime) -> int:
    """Delete readings older than queries.KEEP_READINGS, in batches. Returns how many."""
    forgotten = 0
    while True:
        ids = list(
            PhotoReading.objects.filter(read_at__lt=now - queries.KEEP_READINGS)
            .order_by("read_at")
            .values_list("id", flat=True)[:BATCH]
        )
        if not ids:
            return forgotten
        forgotten += PhotoReading.objects.filter(id__in=ids).delete()[0]
