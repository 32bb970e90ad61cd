"""The worker's part: the mails of notices, each once as far as SMTP allows.

Rows that are due are claimed in a batch with a lease, sent outside any transaction over one connection, and
each outcome is recorded at once. A worker that dies between the server's "250" and the record leaves the row
"sending": after the lease it is sent again under the same Message-ID, by which mail programs see one mail.
"""

from __future__ import annotations

import datetime as dt
import logging
from smtplib import SMTPRecipientsRefused, SMTPResponseException

import structlog
from django.core.mail import get_connection
from django.core.mail.backends.base import BaseEmailBackend
from django.db import connection
from django.db.models import F

from foundation.db import atomic_retry
from foundation.lifecycle import UnknownTransition
from members import metrics
from members.errors import MailNotGivenUp, NoticeNotFound
from members.lifecycle import NOTICE_MAIL, STAFF, WORKER, MailStatus
from members.models import Member, Notice, NotificationSettings
from members.notices.kinds import Mail, NoticeKind, find_kind
from members.notices.mails import compose

logger = structlog.get_logger(__name__)

BATCH = 25
# Longer than a task may run.
LEASE = dt.timedelta(seconds=180)
# About two days.
BACKOFF = tuple(dt.timedelta(minutes=m) for m in (1, 5, 30, 120, 360, 720, 1440))
MAX_ATTEMPTS = len(BACKOFF) + 1


def send_due_mails(*, now: dt.datetime) -> int:
    """Send a batch of what is due; any number of workers may. Returns how many it took in hand."""
    oldest = Notice.objects.filter(mail_due_at__lte=now).order_by("mail_due_at").first()
    if oldest is None or oldest.mail_due_at is None:
        metrics.NOTICE_MAIL_OVERDUE_SECONDS.set(0)
        return 0
    metrics.NOTICE_MAIL_OVERDUE_SECONDS.set((now - oldest.mail_due_at).total_seconds())
    claimed = _claim(now=now)
    if claimed:
        _send(claimed, now=now)
    return len(claimed)


@atomic_retry
def _claim(*, now: dt.datetime) -> list[Notice]:
    skips = connection.features.has_select_for_update_skip_locked
    due = Notice.objects.filter(mail_due_at__lte=now).order_by("mail_due_at", "id")
    notices = list(due.select_for_update(skip_locked=skips)[:BATCH])
    for notice in notices:
        notice.mail_status = NOTICE_MAIL.row(notice.mail_status, "claim", WORKER).target
        notice.mail_attempts += 1
    Notice.objects.filter(id__in=[notice.id for notice in notices]).update(
        mail_status=MailStatus.SENDING, mail_attempts=F("mail_attempts") + 1, mail_due_at=now + LEASE
    )
    return notices


def _send(notices: list[Notice], *, now: dt.datetime) -> None:
    members = Member.objects.filter(is_active=True).in_bulk([notice.member_id for notice in notices])
    off: dict[str, list[str]] = dict(
        NotificationSettings.objects.filter(member_id__in=list(members)).values_list("member_id", "mail_off")
    )
    server = get_connection()
    outage = _open(server)
    for notice in notices:
        kind, member = find_kind(notice.kind), members.get(notice.member_id)
        if kind is None:
            # Of a newer release: its workers know it.
            _record(notice, "postpone", now=now, error="unknown_kind")
        elif member is None or (kind.mail is Mail.OPTIONAL and kind.category in off.get(member.id, [])):
            _record(notice, "drop", now=now)
        elif outage:
            _record(notice, "postpone", now=now, error=outage)
        else:
            outage = _send_one(server, kind, notice, member, now=now)
    if not outage:
        server.close()


def _open(server: BaseEmailBackend) -> str:
    """The name of what is in the way of sending anything; empty when nothing is."""
    try:
        server.open()
    except OSError as error:  # smtplib's errors are OSErrors too
        return type(error).__name__
    return ""


def _send_one(
    server: BaseEmailBackend, kind: NoticeKind, notice: Notice, member: Member, *, now: dt.datetime
) -> str:
    """Send and record; like _open, what is in the way of the next ones.

    Errors are recorded and logged by their name: their text may hold the address.
    """
    try:
        server.send_messages([compose(kind, notice, member)])
    except SMTPRecipientsRefused as error:
        is_for_good = all(code >= 500 for code, _ in error.recipients.values())
        _record(notice, "give_up" if is_for_good else "postpone", now=now, error=type(error).__name__)
    except SMTPResponseException as error:
        _record(notice, "postpone", now=now, error=type(error).__name__)
    except OSError as error:
        _record(notice, "postpone", now=now, error=type(error).__name__)
        return type(error).__name__
    else:
        _record(notice, "send", now=now)
    return ""


def _record(notice: Notice, verb: str, *, now: dt.datetime, error: str = "") -> None:
    if verb == "postpone" and notice.mail_attempts >= MAX_ATTEMPTS:
        verb = "give_up"
    status = NOTICE_MAIL.row(MailStatus.SENDING, verb, WORKER).target
    due_at = now + BACKOFF[notice.mail_attempts - 1] if verb == "postpone" else None
    # Unless its lease was over and another worker has it in hand.
    recorded = Notice.objects.filter(
        id=notice.id, mail_status=MailStatus.SENDING, mail_attempts=notice.mail_attempts
    ).update(
        mail_status=status,
        mail_due_at=due_at,
        mail_sent_at=now if verb == "send" else None,
        mail_error=error,
    )
    outcome = "postponed" if verb == "postpone" else status
    metrics.NOTICE_MAILS.labels(notice.kind, outcome).inc()
    logger.log(
        logging.WARNING if error else logging.INFO,
        "notice_mail_attempted",
        notice_id=notice.id,
        kind=notice.kind,
        outcome=outcome,
        attempts=notice.mail_attempts,
        error=error,
        recorded=bool(recorded),
    )


@atomic_retry
def send_again(*, notice_id: str, now: dt.datetime) -> None:
    """Give a mail that was given up all attempts again. Raises NoticeNotFound, MailNotGivenUp."""
    notice = Notice.objects.select_for_update().filter(id=notice_id).first()
    if notice is None:
        raise NoticeNotFound
    try:
        row = NOTICE_MAIL.row(notice.mail_status, "send_again", STAFF)
    except UnknownTransition:
        raise MailNotGivenUp(f"It is {notice.mail_status or 'not mailed'}.") from None
    notice.mail_status, notice.mail_attempts, notice.mail_due_at = row.target, 0, now
    notice.save(force_update=True)
    logger.info("notice_mail_sent_again", notice_id=notice_id)
