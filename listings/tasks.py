"""Doorbells: each takes ids, makes one service call, and is safe to ring twice."""

from __future__ import annotations

from celery import shared_task

from foundation import clock
from listings.services import deadlines, developing
from listings.services.ringing import ring


@shared_task(soft_time_limit=developing.LONGEST_RUN_S - 10, time_limit=developing.LONGEST_RUN_S)
def process_photo(photo_id: str) -> None:
    """Rung by an upload, and again by the sweeper."""
    developing.process_photo(photo_id=photo_id, now=clock.now())


@shared_task
def sweep_photos() -> None:
    """Every few seconds: ring again for what nobody picked up or finished; take away what was removed."""
    now = clock.now()
    for photo_id in developing.photos_to_ring(now=now):
        ring(photo_id)
    developing.withdraw_photos(now=now)


@shared_task
def sweep_deadlines() -> None:
    """Every minute."""
    deadlines.sweep_deadlines(now=clock.now())


@shared_task
def remove_orphans() -> None:
    """Hourly."""
    developing.remove_orphans(now=clock.now())
