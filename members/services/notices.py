"""Telling members, and what they do with what they were told."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import structlog
from django.conf import settings
from django.db import connection, transaction
from django.db.models import F
from ulid import ULID

from foundation.compiled import insert_rows
from foundation.db import atomic_retry
from foundation.errors import PreconditionFailed
from members import metrics
from members.errors import NoticeNotFound
from members.lifecycle import NOTICE_MAIL
from members.models import KEY_MAX_LENGTH, SUBJECT_MAX_LENGTH, Notice, NotificationSettings
from members.notices.kinds import SWITCHABLE, Category, Mail, kind_named

logger = structlog.get_logger(__name__)

BATCH = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class NewNotice:
    """`params` are those of the kind: ids, Money, aware datetimes, titles. Never an e-mail address.

    `subject` is what it is about ("order:01J…"). Of the notices of one member at most one has this `key`.
    """

    member_id: str
    kind: str
    params: Mapping[str, Any]
    subject: str
    key: str


def notify(
    *, member_id: str, kind: str, params: Mapping[str, Any], subject: str, key: str, now: dt.datetime
) -> None:
    """Tell one member; see notify_many."""
    notice = NewNotice(member_id=member_id, kind=kind, params=params, subject=subject, key=key)
    notify_many([notice], now=now)


def notify_many(notices: Iterable[NewNotice], *, now: dt.datetime) -> None:
    """Put notices into their members' inboxes, and mail those whose kind says so.

    One INSERT, no call to broker or mail server: a sweeper sends the mails of what was committed. A key that
    the member has been told under changes nothing. Call it inside the transaction of what it tells, else
    RuntimeError; raises LookupError, ValueError or TypeError for an unknown kind or other parameters.
    """
    if not connection.in_atomic_block:
        raise RuntimeError("notify() belongs into the transaction of what it tells")
    rows = [_row(notice, now) for notice in notices]
    if not rows:
        return
    insert_rows(rows, ignores_known=True)
    for row in rows:
        logger.info("notice_written", notice_id=row.id, member_id=row.member_id, kind=row.kind)
    counted = Counter(row.kind for row in rows)
    transaction.on_commit(lambda: _count(counted))


def _row(notice: NewNotice, now: dt.datetime) -> Notice:
    kind = kind_named(notice.kind)
    row = Notice(
        member_id=notice.member_id,
        kind=kind.name,
        category=kind.category.value,
        subject=notice.subject,
        key=notice.key,
        params=kind.stored(notice.params),
        created_at=now,
    )
    if kind.mail is not Mail.NEVER:
        row.mail_status, row.mail_due_at = NOTICE_MAIL.initial, now
    # MySQL's INSERT IGNORE would cut what is too long.
    if len(row.subject) > SUBJECT_MAX_LENGTH or len(row.key) > KEY_MAX_LENGTH:
        raise ValueError(f"{kind.name}: the subject or the key is too long")
    return row


def _count(counted: Counter[str]) -> None:
    for kind, number in counted.items():
        metrics.NOTICES.labels(kind).inc(number)


@atomic_retry
def mark_read(*, member_id: str, notice_id: str, now: dt.datetime) -> None:
    """The first time counts. Raises NoticeNotFound."""
    mine = Notice.objects.filter(id=notice_id, member_id=member_id)
    if not mine.filter(read_at__isnull=True).update(read_at=now) and not mine.exists():
        raise NoticeNotFound


@atomic_retry
def mark_read_until(*, member_id: str, notice_id: str, now: dt.datetime) -> int:
    """This one and all before it; returns how many were unread. Raises NoticeNotFound."""
    if not Notice.objects.filter(id=notice_id, member_id=member_id).exists():
        raise NoticeNotFound
    unread = Notice.objects.filter(member_id=member_id, read_at__isnull=True, id__lte=notice_id)
    return unread.update(read_at=now)


@atomic_retry
def choose_mails(*, member_id: str, mail: Mapping[Category, bool], expected_version: int) -> None:
    """Whether optional mails are sent, for each of SWITCHABLE.

    Of two at once the first wins (compare-and-set on `version`). Raises PreconditionFailed.
    """
    off = sorted(category.value for category in SWITCHABLE if not mail[category])
    NotificationSettings.objects.bulk_create(
        [NotificationSettings(member_id=member_id)], ignore_conflicts=True
    )
    changed = NotificationSettings.objects.filter(member_id=member_id, version=expected_version).update(
        mail_off=off, version=F("version") + 1
    )
    if not changed:
        raise PreconditionFailed("Read your settings again and retry.")
    logger.info("notification_mails_chosen", member_id=member_id, off=off)


@atomic_retry
def switch_off_mails(*, member_id: str, category: Category) -> None:
    """What the link in a mail does; safe to repeat."""
    NotificationSettings.objects.bulk_create(
        [NotificationSettings(member_id=member_id)], ignore_conflicts=True
    )
    own = NotificationSettings.objects.select_for_update().get(member_id=member_id)
    if category in own.mail_off:
        return
    own.mail_off = sorted({*own.mail_off, category.value})
    own.version += 1
    own.save(force_update=True)
    logger.info("notification_mails_switched_off", member_id=member_id, category=category.value)


def forget_notices(*, now: dt.datetime) -> int:
    """Delete what was told more than NOTICE_KEEP_DAYS ago, read or not; return how many."""
    until = now - dt.timedelta(days=settings.NOTICE_KEEP_DAYS)
    # Ids begin with the time they were made at, so no index on created_at is needed.
    old = Notice.objects.filter(id__lt=str(ULID.from_timestamp(until.timestamp())), created_at__lt=until)
    forgotten = 0
    while ids := list(old.order_by("id").values_list("id", flat=True)[:BATCH]):
        forgotten += Notice.objects.filter(id__in=ids).delete()[0]
    logger.info("old_notices_forgotten", notices=forgotten)
    return forgotten
