"""What the clock brings about with notices (foundation.sandbox)."""

from __future__ import annotations

from foundation.sandbox import Sweeper, earliest, register
from members.models import Notice
from members.services.notice_mails import send_due_mails


def register_sweepers() -> None:
    """Called once the apps are loaded."""
    due = earliest(Notice.objects.all(), "mail_due_at")
    register(Sweeper("members.notice_mails", sweep=send_due_mails, next_due=due))
