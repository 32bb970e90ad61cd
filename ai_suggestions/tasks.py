"""Doorbells: each takes ids, makes one service call, and is safe to ring twice."""

from __future__ import annotations

from typing import Any

from celery import shared_task, signals
from django.conf import settings

from ai_suggestions import services
from ai_suggestions.evaluation.rolling_up import roll_up
from ai_suggestions.llm.bookkeeping import forget_old_calls
from ai_suggestions.providers import provider_named
from foundation import clock


@shared_task
def perform_run(run_id: str) -> None:
    """Rung by a request, by itself while photos are being processed, and by the sweeper."""
    done = services.perform_run(run_id=run_id, now=clock.now())
    if done.ring_again_s is not None:
        # Only a quicker ring than the sweeper's; when it is lost, nothing else is.
        perform_run.apply_async((run_id,), countdown=done.ring_again_s)


@shared_task
def advance_batch(batch_id: str) -> None:
    """Rung by a request, by itself while listings are left, and by the sweeper."""
    done = services.advance_batch(batch_id=batch_id, now=clock.now())
    if done.ring_again_s is not None:
        # To the end of the queue, behind other sellers' batches; the sweeper makes up for a lost one.
        advance_batch.apply_async((batch_id,), countdown=done.ring_again_s)


@shared_task
def sweep_runs() -> None:
    """Every few seconds: runs, then batches."""
    now = clock.now()
    services.sweep_runs(now=now)
    services.sweep_batches(now=now)


@shared_task
def check_photo(photo_id: str) -> None:
    """Rung by the sweeper."""
    services.check_photo(photo_id=photo_id, now=clock.now())


@shared_task
def sweep_photo_checks() -> None:
    """Every ten seconds."""
    if settings.PHOTO_CHECK:
        services.sweep_checks(now=clock.now())


@shared_task
def refresh_photo_checks() -> None:
    """Daily."""
    services.refresh_checks(now=clock.now())


@shared_task
def perform_shadow(shadow_id: str) -> None:
    """Rung when a run has ended, and by the sweeper; in a queue of its own: no seller waits for it."""
    services.perform_shadow(shadow_id=shadow_id, now=clock.now())


@shared_task
def sweep_shadows() -> None:
    """Every minute."""
    services.sweep_shadows(now=clock.now())


@shared_task
def roll_up_acceptance() -> None:
    """Hourly; what was decided late changes the days it belongs to."""
    roll_up(now=clock.now())


@shared_task
def forget_readings() -> None:
    """Daily."""
    services.forget_readings(now=clock.now())


@shared_task
def forget_runs() -> None:
    """Daily."""
    services.forget_runs(now=clock.now())


@shared_task
def forget_llm_calls() -> None:
    """Daily: calls, and what members used on which day."""
    forget_old_calls(now=clock.real_now())
    services.forget_usage(now=clock.now())


@signals.worker_process_init.connect
def warm_up(**_: Any) -> None:
    """Load the models before the first seller waits for them. A child that cannot still serves the rest."""
    if settings.SUGGESTIONS_WARM_UP and settings.PHOTO_CHECK:
        services.warm_up_checks()
    if settings.SUGGESTIONS_WARM_UP:
        provider_named(settings.SUGGESTIONS_PROVIDER).warm_up()
