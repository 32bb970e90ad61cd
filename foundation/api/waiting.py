"""`Prefer: wait=N` (RFC 7240): hold the answer until something changes, so that clients need not poll.

A waiting request occupies a thread of the web process; at most WAIT_SLOTS do at a time, further
ones are answered at once. Clients must therefore be ready to ask again, as the RFC says anyway.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable
from typing import TypeVar

from django.conf import settings
from rest_framework.request import Request

from foundation import metrics

T = TypeVar("T")

MAX_WAIT_S = 20
FIRST_PAUSE_S = 0.05
LONGEST_PAUSE_S = 0.5
# Preferences are separated by commas, except inside quotes.
_PREFERENCE = re.compile(r'(?:[^,"]|"[^"]*")+')
_slots = threading.BoundedSemaphore(settings.WAIT_SLOTS)


def prefer_wait(request: Request) -> int:
    """Seconds that the client is willing to wait, at most MAX_WAIT_S; 0 when it says nothing usable."""
    for preference in _PREFERENCE.findall(request.headers.get("Prefer", "")):
        # Names are case-insensitive, the value may be quoted, and what follows `;` belongs to the preference.
        name, _, value = preference.partition(";")[0].partition("=")
        seconds = value.strip().strip('"')
        # Of a preference given twice the first counts (RFC 7240 section 2).
        if name.strip().lower() == "wait":
            return min(int(seconds), MAX_WAIT_S) if re.fullmatch(r"[0-9]{1,9}", seconds) else 0
    return 0


def wait_for(read: Callable[[], T], done: Callable[[T], bool], *, seconds: int) -> T:
    """`read()` again and again until `done` or until the time is up; returns the last thing read.

    Call it outside a transaction, or a repeatable read would never see the change.
    """
    value = read()
    if seconds <= 0 or done(value):
        return value
    if not _slots.acquire(blocking=False):
        metrics.WAITING_REQUESTS_REFUSED.inc()
        return value
    try:
        until = time.monotonic() + seconds
        pause = FIRST_PAUSE_S
        while not done(value) and (left := until - time.monotonic()) > 0:
            time.sleep(min(pause, left))
            pause = min(pause * 1.5, LONGEST_PAUSE_S)
            value = read()
    finally:
        _slots.release()
    return value
