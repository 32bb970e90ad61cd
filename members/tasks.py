from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from members import services


@shared_task(name="members.tasks.forget_expired_sessions")
def forget_expired_sessions() -> None:
    """Daily."""
    services.forget_expired_sessions(now=timezone.now())
