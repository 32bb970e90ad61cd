"""Doorbells: each makes one service call, and is safe to ring twice."""

from __future__ import annotations

from celery import shared_task

from foundation import clock
from orders.services import deadlines


@shared_task
def sweep_offers() -> None:
    """Every few seconds."""
    deadlines.sweep_offers(now=clock.now())


@shared_task
def remind_of_offers() -> None:
    """Every quarter of an hour."""
    deadlines.remind_of_offers(now=clock.now())
