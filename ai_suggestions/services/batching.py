"""Batches: many listings of one seller, one at a time, behind everybody who waits for a single one.

Fair by construction: a batch occupies one worker at most, gives it back after each listing and goes to the
end of the queue; of a seller's batches only the oldest has turns; and a turn is given away while a seller's
own run waits, though not for ever.
"""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Sequence
from dataclasses import dataclass

import structlog
from django.db import transaction
from django.db.models import Q

import listings.queries as listings
from ai_suggestions import batch_queries, metrics
from ai_suggestions.batch_tables import SuggestionBatch, SuggestionBatchItem
from ai_suggestions.errors import (
    BatchNotFound,
    BatchStatusConflict,
    ProfessionalSellersOnly,
    TooManyBatches,
)
from ai_suggestions.lifecycle import BATCH, BATCH_LIVE, LIVE, SELLER, WORKER, BatchStatus, RunStatus
from ai_suggestions.models import SuggestionRun
from ai_suggestions.services.moving import move
from ai_suggestions.services.performing import perform_run
from ai_suggestions.services.requesting import RING_AGAIN, check_department, request_run
from ai_suggestions.services.ringing import ring_for_batch_after_commit
from foundation.db import atomic_retry
from foundation.errors import DomainError
from foundation.lifecycle import UnknownTransition
from listings.errors import ListingNotFound
from members.queries import get_member_facts

logger = structlog.get_logger(__name__)

MAX_LISTINGS = 200
MAX_LIVE = 10
# Longer than a task may run (150 s): who has the turn longer than that is gone.
TURN = dt.timedelta(seconds=180)
# So long after a batch's last listing it has its turn although a seller's run waits.
MOST_PATIENCE = dt.timedelta(seconds=60)
_YIELD_S = 1.0
# Who waits longer than this waits for photos that are still being processed, not for a worker.
_WAITS_FOR_A_WORKER = dt.timedelta(seconds=30)


@dataclass(frozen=True, slots=True)
class Advanced:
    """What became of a ring. ``ring_again_s`` is set when there is more to do, that soon."""

    outcome: str
    ring_again_s: float | None = None


@atomic_retry
def request_batch(
    *, member_id: str, listing_ids: Sequence[str], now: dt.datetime, department: str | None = None
) -> batch_queries.BatchFacts:
    """Suggestions for these listings (at most MAX_LISTINGS, each once), when there is time for them.

    A listing that is not the member's is refused at once, by itself; whatever else is wrong with one is said
    when its turn comes. Raises ProfessionalSellersOnly, TooManyBatches, DepartmentUnknown.
    """
    if not get_member_facts(member_id).is_professional:
        raise ProfessionalSellersOnly(extra={"reason": "plan_private"})
    check_department(department)
    if SuggestionBatch.objects.filter(member_id=member_id, status__in=BATCH_LIVE).count() >= MAX_LIVE:
        raise TooManyBatches(f"At most {MAX_LIVE} at a time.")
    own = set(listings.own_rows(seller_id=member_id).filter(id__in=listing_ids).values_list("id", flat=True))
    batch = SuggestionBatch.objects.create(
        member_id=member_id, department=department or "", requested_at=now, ring_at=now + RING_AGAIN
    )
    SuggestionBatchItem.objects.bulk_create(
        SuggestionBatchItem(
            batch_id=batch.id,
            position=position,
            listing_id=listing_id,
            problem_code="" if listing_id in own else ListingNotFound.code,
        )
        for position, listing_id in enumerate(listing_ids)
    )
    metrics.BATCH_LISTINGS.labels("refused").inc(len(listing_ids) - len(own))
    ring_for_batch_after_commit(batch.id)
    logger.info(
        "suggestion_batch_requested",
        batch_id=batch.id,
        listings=len(listing_ids),
        refused=len(listing_ids) - len(own),
    )
    return batch_queries.get_batch(batch.id, member_id=member_id)


def advance_batch(*, batch_id: str, now: dt.datetime) -> Advanced:
    """Take one turn of a batch: begin its next listing and do its run.

    The outcome is ``performed``, ``finished``, ``waiting`` (nothing to begin, but runs that have not ended),
    ``yielded`` (a seller's own run goes first) or ``skipped`` (not its turn).
    """
    started = time.monotonic()

    def clock() -> dt.datetime:
        return now + dt.timedelta(seconds=time.monotonic() - started)

    batch = SuggestionBatch.objects.filter(id=batch_id, status__in=BATCH_LIVE).first()
    if batch is None or _older_one_is_live(batch):
        return Advanced("skipped")
    if _somebody_waits(now) and (batch.served_at or batch.requested_at) > now - MOST_PATIENCE:
        metrics.BATCH_YIELDS.inc()
        return Advanced("yielded", ring_again_s=_YIELD_S)
    if not _take_turn(batch, now):
        return Advanced("skipped")
    run_id = _begin_next(batch, now)
    if run_id is not None:
        perform_run(run_id=run_id, now=clock())
    return _end_turn(batch, clock())


def _older_one_is_live(batch: SuggestionBatch) -> bool:
    others = SuggestionBatch.objects.filter(member_id=batch.member_id, status__in=BATCH_LIVE)
    return bool(others.filter(id__lt=batch.id).exists())


def _somebody_waits(now: dt.datetime) -> bool:
    """Whether a run that a seller asked for by itself waits for its first look."""
    own = SuggestionRun.objects.filter(status=RunStatus.QUEUED, batch__isnull=True, retries=0)
    return bool(own.filter(requested_at__gt=now - _WAITS_FOR_A_WORKER).exists())


@atomic_retry
def _take_turn(batch: SuggestionBatch, now: dt.datetime) -> bool:
    """The one worker that has the batch in hand. A turn whose worker died ends by itself."""
    free = SuggestionBatch.objects.filter(Q(turn_until__isnull=True) | Q(turn_until__lte=now), id=batch.id)
    taken = free.filter(status=batch.status).update(turn_until=now + TURN, ring_at=now + TURN, served_at=now)
    return bool(taken) and (batch.status != BatchStatus.QUEUED or _move(batch, "start", WORKER, now))


def _begin_next(batch: SuggestionBatch, now: dt.datetime) -> str | None:
    """The run of the next listing that is not refused; None when no listing is left to begin."""
    while True:
        item = (
            SuggestionBatchItem.objects.filter(batch_id=batch.id, run__isnull=True, problem_code="")
            .order_by("position")
            .first()
        )
        if item is None:
            return None
        mine = SuggestionBatchItem.objects.filter(id=item.id)
        try:
            run_id = _begin(batch, item, now)
        except DomainError as refusal:
            mine.update(problem_code=refusal.code)
            metrics.BATCH_LISTINGS.labels("refused").inc()
            logger.info("suggestion_batch_listing_refused", batch_id=batch.id, code=refusal.code)
        else:
            metrics.BATCH_LISTINGS.labels("begun").inc(run_id is not None)
            return run_id


@atomic_retry
def _begin(batch: SuggestionBatch, item: SuggestionBatchItem, now: dt.datetime) -> str | None:
    # Locked, so that a batch that is being cancelled sees this run or begins none.
    live = SuggestionBatch.objects.select_for_update().filter(id=batch.id, status__in=BATCH_LIVE)
    if live.first() is None:
        return None
    run, _ = request_run(
        member_id=batch.member_id,
        listing_id=item.listing_id,
        department=batch.department or None,
        batch_id=batch.id,
        now=now,
    )
    SuggestionBatchItem.objects.filter(id=item.id).update(run_id=run.id)
    return run.id


@atomic_retry
def _end_turn(batch: SuggestionBatch, now: dt.datetime) -> Advanced:
    items = SuggestionBatchItem.objects.filter(batch_id=batch.id)
    if items.filter(run__isnull=True, problem_code="").exists():
        advanced = Advanced("performed", ring_again_s=0.0)
    elif items.filter(run__status__in=LIVE).exists():
        # Photos that are being processed, or a step that is taken again: the sweeper asks from time to time.
        advanced = Advanced("waiting")
    else:
        return Advanced("finished" if _move(batch, "finish", WORKER, now) else "skipped")
    kept = SuggestionBatch.objects.filter(id=batch.id, status__in=BATCH_LIVE).update(
        turn_until=None, ring_at=now + RING_AGAIN
    )
    return advanced if kept else Advanced("skipped")


@atomic_retry
def cancel_batch(*, member_id: str, batch_id: str, now: dt.datetime) -> batch_queries.BatchFacts:
    """Begin no more listings, and stop the run in hand. Cancelling twice is once.

    Raises BatchNotFound, BatchStatusConflict (it has finished).
    """
    batch = SuggestionBatch.objects.select_for_update().filter(id=batch_id, member_id=member_id).first()
    if batch is None:
        raise BatchNotFound
    if batch.status != BatchStatus.CANCELLED:
        if not _move(batch, "cancel", SELLER, now):
            raise BatchStatusConflict(retry_after_s=1)
        for run in SuggestionRun.objects.filter(batch_id=batch_id, status__in=LIVE).order_by("id"):
            move(run, verb="cancel", actor=SELLER, now=now)  # one that ended meanwhile has ended
    return batch_queries.get_batch(batch_id, member_id=member_id)


def _move(batch: SuggestionBatch, verb: str, actor: str, now: dt.datetime) -> bool:
    """The one place that changes a batch's status (a compare-and-set); True when it was as ``batch`` says."""
    try:
        row = BATCH.row(batch.status, verb, actor)
    except UnknownTransition:
        raise BatchStatusConflict(
            f"{verb} is not possible while the batch is {batch.status}.",
            extra={"allowed_actions": list(BATCH.verbs(batch.status, SELLER))},
        ) from None
    changed: dict[str, object] = {"status": row.target}
    if row.target not in BATCH_LIVE:
        changed |= {"finished_at": now, "ring_at": None, "turn_until": None}
    source = batch.status
    if not SuggestionBatch.objects.filter(id=batch.id, status=source).update(**changed):
        return False
    batch.status = row.target
    if row.target not in BATCH_LIVE:
        transaction.on_commit(lambda: metrics.BATCHES.labels(row.target).inc())
    logger.info("suggestion_batch_moved", batch_id=batch.id, verb=verb, source=source, target=row.target)
    return True
