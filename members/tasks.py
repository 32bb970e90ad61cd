from __future__ import annotations

import time

from celery import shared_task

from foundation import clock
from members import services
from members.services import notice_mails, notices

# Well below the limit of a task: what is claimed is also sent.
SEND_FOR_S = 60.0


@shared_task(name="members.tasks.forget_expired_sessions")
def forget_expired_sessions() -> None:
    """Daily."""
    services.forget_expired_sessions(now=clock.real_now())


@shared_task(name="members.tasks.send_notice_mails")
def send_notice_mails() -> None:
    """Every few seconds: what notices were written, and what failed and is due again."""
    ends = time.monotonic() + SEND_FOR_S
    while notice_mails.send_due_mails(now=clock.now()) and time.monotonic() < ends:
        pass


@shared_task(name="members.tasks.forget_notices")
def forget_notices() -> None:
    """Daily."""
    notices.forget_notices(now=clock.now())
