"""What nobody else will do: ring again, take runs back from workers that are gone, forget what is old."""

from __future__ import annotations

import datetime as dt

import structlog
from django.db.models import Exists, OuterRef

from ai_suggestions import metrics, queries
from ai_suggestions.batch_tables import SuggestionBatch, SuggestionBatchItem
from ai_suggestions.lifecycle import BATCH_LIVE, LIVE, RunStatus
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


def forget_runs(*, now: dt.datetime) -> int:
    """Delete runs that were requested before queries.first_day_kept, with all that was said, seen and decided
    in them, and the batches that ended before it. Returns how many runs. What has not ended stays.
    """
    before = dt.datetime.combine(queries.first_day_kept(now=now), dt.time(), dt.UTC)
    SuggestionBatchItem.objects.filter(batch__finished_at__lt=before).delete()
    # A younger batch may have taken over an older run.
    wanted = Exists(SuggestionBatchItem.objects.filter(run_id=OuterRef("id")))
    old = SuggestionRun.objects.filter(~wanted, requested_at__lt=before).exclude(status__in=LIVE)
    forgotten = 0
    while ids := list(old.order_by("requested_at").values_list("id", flat=True)[:BATCH]):
        SuggestionRun.objects.filter(id__in=ids).delete()
        forgotten += len(ids)
    has_runs = Exists(SuggestionRun.objects.filter(batch_id=OuterRef("id")))
    SuggestionBatch.objects.filter(~has_runs, finished_at__lt=before).delete()
    if forgotten:
        metrics.RUNS_FORGOTTEN.inc(forgotten)
        logger.info("suggestion_runs_forgotten", count=forgotten)
    return forgotten
