"""What time it is: for the business by ``now()``, for everybody else by ``real_now()``.

In production they are the same. A sandbox's clock can be advanced (docs/sandbox.md), and business time is
then real time plus what a row of the database says. An API request reads that row when it first asks for
the time: who has advanced the clock is answered by it, by whichever process. Workers read it at most once in
READ_EVERY_S. So all agree within a second, on SQLite as on a server; production pays nothing for it.

Doors (api, tasks, admin, management) read the clock and pass ``now`` on. Which of them need real time, and
why, is listed in tests/repository/test_clock.py.
"""

from __future__ import annotations

import time
from datetime import datetime, timedelta

from django.conf import settings
from django.db import connection
from django.utils import timezone

from foundation import metrics
from foundation.models import SandboxClock

READ_EVERY_S = 0.25
_NONE = timedelta(0)

# How far ahead of real time, and until when (time.monotonic()) that needs no other look.
_known: tuple[timedelta, float] = (_NONE, 0.0)


def now() -> datetime:
    """Business time: when something happened, which day it is, what is due. Aware, in UTC."""
    return timezone.now() + ahead() if settings.SANDBOX else timezone.now()


def real_now() -> datetime:
    """Real time, for what other clocks than ours take part in: sessions, signatures, leases of requests."""
    return timezone.now()


def ahead() -> timedelta:
    """How far business time is ahead of real time; always nothing without SANDBOX."""
    if not settings.SANDBOX:
        return _NONE
    known, until = _known
    # A transaction that has failed answers no questions until it is rolled back.
    if time.monotonic() < until or connection.needs_rollback:
        return known
    read = SandboxClock.objects.values_list("ahead", flat=True).first()
    # The clock never goes back: who read the row before it was advanced comes too late.
    return learn(max(read or _NONE, _known[0]))


def learn(found: timedelta) -> timedelta:
    """Take what was just read or written for this process's knowledge."""
    global _known
    _known = (found, time.monotonic() + READ_EVERY_S)
    metrics.CLOCK_AHEAD_SECONDS.set(found.total_seconds())
    return found


def doubt() -> None:
    """Read it again when next asked: another process may have advanced it since."""
    global _known
    _known = (_known[0], 0.0)


def forget() -> None:
    """Know nothing, as a fresh process: for tests, which empty the database."""
    global _known
    _known = (_NONE, 0.0)
