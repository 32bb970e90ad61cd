from __future__ import annotations

from celery import shared_task

from foundation import clock
from members import services


@shared_task(name="members.tasks.forget_expired_sessions")
def forget_expired_sessions() -> None:
    """Daily."""
    services.forget_expired_sessions(now=clock.real_now())
