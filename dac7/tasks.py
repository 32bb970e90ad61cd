"""Doorbells: each makes one service call, and is safe to ring twice."""

from __future__ import annotations

from celery import shared_task

from dac7.services import erasing, verifying
from foundation import clock


@shared_task
def ask_registry(check_id: str) -> None:
    """Rung when a seller gave a number that a registry knows, and by the sweeper."""
    verifying.ask_registry(check_id=check_id, now=clock.now())


@shared_task
def sweep_profile_checks() -> None:
    """Every minute: registries that did not answer, and confirmations that grew old."""
    verifying.sweep_checks(now=clock.now())


@shared_task
def purge_dossiers() -> None:
    """Every day; something happens in January."""
    erasing.purge_dossiers(now=clock.now())
