from __future__ import annotations

from collections.abc import Iterable

from celery import shared_task

from foundation import clock, doorbell
from foundation.api import idempotency
from foundation.incoming import processing
from foundation.outgoing import delivering
from foundation.sandbox import advancing


@shared_task
def purge_idempotency_records() -> None:
    """Hourly."""
    idempotency.purge(now=clock.real_now())


@shared_task
def process_incoming_event(event_id: str) -> None:
    """Rung when a provider's callback was stored: its subject's events, as far as they are due."""
    while processing.process_event(event_id=event_id, now=clock.now()):
        pass


@shared_task
def sweep_incoming_events() -> None:
    """Every few seconds: what nobody was rung for, what failed and is due again."""
    for source, subject_id in processing.due_subjects(now=clock.now()):
        while processing.process_next(source=source, subject_id=subject_id, now=clock.now()):
            pass


@shared_task
def purge_incoming_bodies() -> None:
    """Daily."""
    processing.purge_bodies(now=clock.now())


@shared_task
def deliver_outgoing_events() -> None:
    """Rung when an event was appended: whatever is new, to all its subscribers."""
    doorbell.answer(deliver_outgoing_events)
    _deliver(delivering.fan_out(now=clock.now()))


@shared_task
def sweep_outgoing_events() -> None:
    """Every few seconds: what nobody was rung for, what failed and is due again."""
    now = clock.now()
    _deliver([*delivering.fan_out(now=now), *delivering.due_heads(now=now)])


def _deliver(heads: Iterable[delivering.Head]) -> None:
    for endpoint_id, subject in dict.fromkeys(heads):
        while delivering.deliver_next(
            endpoint_id=endpoint_id, subject=subject, now=clock.now(), real_now=clock.real_now()
        ):
            pass


@shared_task
def forget_outgoing_events() -> None:
    """Daily."""
    delivering.forget_events(now=clock.now())


@shared_task
def advance_sandbox_clock() -> None:
    """Rung by who advances the clock and cannot wait, and every few seconds: takes it where it is to go."""
    advancing.advance(seconds=60)
