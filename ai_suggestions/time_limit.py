"""End a step that runs past its time.

In the main thread of a process (where a Celery child runs its tasks) a timer signal interrupts the step,
wherever it is in Python code; in another thread Python has no way to interrupt, so there the step is only
judged when it comes back. A call that hangs inside C code is ended by the worker's hard limit, and its run
is taken up again when the lease has run out.
"""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

AGAIN_S = 0.5  # the signal comes again: a first one may be swallowed where Python cannot raise (``__del__``)


class TimeLimitReached(BaseException):
    """The step's time is over. Not an ``Exception``: no ``except Exception`` of a library may hold it up."""


@contextmanager
def limited_to(seconds: float) -> Iterator[None]:
    """Raises TimeLimitReached inside the block, or after it, when it takes longer than ``seconds``."""
    if threading.current_thread() is not threading.main_thread():
        started = time.monotonic()
        yield
        if time.monotonic() - started > seconds:
            raise TimeLimitReached
        return

    def over(_signal: int, _frame: FrameType | None) -> None:
        raise TimeLimitReached

    before = signal.signal(signal.SIGALRM, over)
    # Somebody else's timer (a test runner's, say) goes on afterwards with what was left of it.
    started = time.monotonic()
    left, interval = signal.setitimer(signal.ITIMER_REAL, seconds, AGAIN_S)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
        if left:
            signal.setitimer(signal.ITIMER_REAL, max(0.001, left - (time.monotonic() - started)), interval)
