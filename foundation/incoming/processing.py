"""The worker's part: one event after the other of each subject, each once.

The head of a subject's queue is claimed by putting its `due_at` off for the length of a lease, in a
transaction of its own, so that attempts which end a worker are counted too. Handler and mark then share
one transaction: killed in between, there is neither effect nor mark. Those behind a head wait for it.
"""

from __future__ import annotations

from datetime import datetime, timedelta

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet

from foundation.db import atomic_retry
from foundation.incoming import metrics
from foundation.incoming.errors import IncomingEventNotDead, IncomingEventPurged
from foundation.incoming.lifecycle import INCOMING_EVENT, STAFF, WORKER, EventStatus
from foundation.incoming.sources import ReceivedEvent, find_source
from foundation.lifecycle import UnknownTransition
from foundation.models import IncomingEvent

logger = structlog.get_logger(__name__)

# Longer than a task may run: whose lease ran out is not running any more.
LEASE = timedelta(seconds=180)
# Waiting after each failed attempt but the last, after which the event is dead: 21 hours in all.
BACKOFF = tuple(
    timedelta(seconds=seconds) for seconds in (5, 30, 120, 600, 1800, 2 * 3600, 6 * 3600, 12 * 3600)
)
MAX_ATTEMPTS = len(BACKOFF) + 1
BATCH = 200


class NoSource(LookupError):
    """No app handles this source (any more)."""


class WorkerLost(RuntimeError):
    """Every attempt ended the worker that made it."""


def process_next(*, source: str, subject_id: str, now: datetime) -> bool:
    """Handle the first waiting event of a subject if it is due. False when there is nothing to do now."""
    head = _claim(source=source, subject_id=subject_id, now=now)
    if head is None:
        return False
    try:
        if head.attempts > MAX_ATTEMPTS:
            raise WorkerLost
        done = _handle(head, now)
    except Exception as error:  # noqa: BLE001  # whatever a handler raises is an attempt that failed
        _fail(head, error, now)
        return False
    if done:
        metrics.LAG_SECONDS.labels(source).observe(max(0.0, (now - head.received_at).total_seconds()))
        logger.info(
            "incoming_event_processed", source=source, incoming_event_id=head.id, attempts=head.attempts
        )
    return done


def process_event(*, event_id: str, now: datetime) -> bool:
    """process_next() of the subject that a row is about; False when the row is gone."""
    row = IncomingEvent.objects.filter(id=event_id).values("source", "subject_id").first()
    return row is not None and process_next(**row, now=now)


def due_subjects(*, now: datetime) -> list[tuple[str, str]]:
    """(source, subject id) of what is due and was not handled when it was rung for; of BATCH rows."""
    rows = IncomingEvent.objects.filter(due_at__lte=now).order_by("due_at")
    return list(dict.fromkeys(rows.values_list("source", "subject_id")[:BATCH]))


@atomic_retry
def process_again(*, event_id: str, now: datetime) -> None:
    """Give a dead event all its attempts again. Raises IncomingEventNotDead or IncomingEventPurged."""
    row = IncomingEvent.objects.select_for_update().get(id=event_id)
    try:
        target = INCOMING_EVENT.row(row.status, "process_again", STAFF).target
    except UnknownTransition:
        raise IncomingEventNotDead(f"It is {row.status}.") from None
    if row.body is None:
        raise IncomingEventPurged
    _waiting(row.id, EventStatus.DEAD).update(status=target, attempts=0, due_at=now)
    logger.info("incoming_event_revived", incoming_event_id=row.id)


def purge_bodies(*, now: datetime) -> int:
    """Delete what providers sent, WEBHOOK_KEEP_DAYS after its arrival, unless it waits. Returns how many.

    The row stays without it: the fence against the same callback, and the history.
    """
    until = now - timedelta(days=settings.WEBHOOK_KEEP_DAYS)
    purged = 0
    while True:
        old = list(
            IncomingEvent.objects.filter(received_at__lt=until, body__isnull=False)
            .exclude(status=EventStatus.WAITING)
            .order_by("received_at")
            .values_list("id", flat=True)[:BATCH]
        )
        if not old:
            return purged
        purged += (
            IncomingEvent.objects.filter(id__in=old).exclude(status=EventStatus.WAITING).update(body=None)
        )


def _waiting(event_id: str, status: str = EventStatus.WAITING) -> QuerySet[IncomingEvent]:
    return IncomingEvent.objects.filter(id=event_id, status=status)


def _queue(source: str, subject_id: str) -> QuerySet[IncomingEvent]:
    return IncomingEvent.objects.filter(source=source, subject_id=subject_id, status=EventStatus.WAITING)


@atomic_retry
def _claim(*, source: str, subject_id: str, now: datetime) -> IncomingEvent | None:
    head = _queue(source, subject_id).order_by("occurred_at", "id").first()
    if head is None or head.due_at is None:
        return None
    if head.due_at > now:
        # Its turn comes first; the sweep need not look at those behind it before that. Under the head's
        # lock: who is handling it right now will wake them, and must not be overtaken by this.
        locked = _waiting(head.id).filter(due_at=head.due_at).select_for_update(skip_locked=True).first()
        if locked is not None:
            _queue(source, subject_id).filter(due_at__lte=now).update(due_at=head.due_at)
        return None
    claimed = _waiting(head.id).filter(due_at=head.due_at, attempts=head.attempts)
    head.attempts += 1
    return head if claimed.update(attempts=head.attempts, due_at=now + LEASE) else None


@atomic_retry
def _handle(head: IncomingEvent, now: datetime) -> bool:
    row = IncomingEvent.objects.select_for_update().get(id=head.id)
    if row.status != EventStatus.WAITING or row.attempts != head.attempts or row.body is None:
        return False  # our lease ran out, and somebody else has it
    source = find_source(row.source)
    if source is None:
        raise NoSource(row.source)
    event = ReceivedEvent(
        id=row.id,
        source=row.source,
        event_id=row.event_id,
        subject_id=row.subject_id,
        occurred_at=row.occurred_at,
        received_at=row.received_at,
        body=row.body,
    )
    with transaction.atomic():
        source.handle(event, now=now)
    _waiting(row.id).update(
        status=INCOMING_EVENT.row(row.status, "process", WORKER).target, due_at=None, processed_at=now
    )
    _queue(row.source, row.subject_id).update(due_at=now)
    return True


@atomic_retry
def _fail(head: IncomingEvent, error: Exception, now: datetime) -> None:
    """Only the error's name is kept and logged: its text may quote the body."""
    mine = _waiting(head.id).filter(attempts=head.attempts)
    name = type(error).__name__[:64]
    dead = head.attempts >= MAX_ATTEMPTS
    if dead:
        target = INCOMING_EVENT.row(head.status, "give_up", WORKER).target
        kept = mine.update(status=target, due_at=None, last_error=name)
        _queue(head.source, head.subject_id).update(due_at=now)
    else:
        kept = mine.update(due_at=now + BACKOFF[head.attempts - 1], last_error=name)
    if kept:
        metrics.ATTEMPTS_FAILED.labels(head.source, name).inc()
        log = logger.error if dead else logger.warning
        log(
            "incoming_event_dead" if dead else "incoming_event_attempt_failed",
            source=head.source,
            incoming_event_id=head.id,
            attempts=head.attempts,
            error=name,
        )
        if dead:
            metrics.DEAD.labels(head.source).inc()
