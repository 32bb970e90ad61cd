"""Doorbells: each takes ids, makes one service call, and is safe to ring twice."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from balance.services import holds


@shared_task
def expire_holds() -> None:
    """Every few seconds: money set aside for longer than was asked goes back."""
    holds.expire_holds(now=timezone.now())
