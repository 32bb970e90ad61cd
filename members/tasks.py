from __future__ import annotations

from celery import shared_task
from django.core.management import call_command


@shared_task(name="members.tasks.forget_expired_sessions")
def forget_expired_sessions() -> None:
    """Delete sessions whose refresh tokens have run out; harmless to repeat."""
    call_command("clearsessions")
