from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from foundation.api import idempotency


@shared_task
def purge_idempotency_records() -> None:
    """Hourly."""
    idempotency.purge(now=timezone.now())
