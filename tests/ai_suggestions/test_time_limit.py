"""A step that runs past its time is ended, also when it swallows every exception."""

from __future__ import annotations

import contextlib
import signal
import threading
import time

import pytest

from ai_suggestions.time_limit import TimeLimitReached, limited_to


class TestInTheMainThread:
    def test_ends_what_hangs(self) -> None:
        started = time.monotonic()
        with pytest.raises(TimeLimitReached), limited_to(0.05):
            time.sleep(10)
        assert time.monotonic() - started < 5

    def test_ends_what_swallows_exceptions(self) -> None:
        def stubborn() -> None:
            while True:
                with contextlib.suppress(Exception):
                    time.sleep(10)

        started = time.monotonic()
        with pytest.raises(TimeLimitReached), limited_to(0.05):
            stubborn()
        assert time.monotonic() - started < 5

    def test_what_is_done_in_time_is_left_alone(self) -> None:
        with limited_to(0.2):
            pass
        time.sleep(0.3)

    def test_somebody_elses_timer_goes_on(self) -> None:
        heard: list[int] = []
        before = signal.signal(signal.SIGALRM, lambda number, _: heard.append(number))
        left_before, interval = signal.setitimer(signal.ITIMER_REAL, 0.2)
        try:
            with limited_to(5):
                pass
            time.sleep(0.4)
            assert heard == [signal.SIGALRM]
        finally:
            signal.signal(signal.SIGALRM, before)
            signal.setitimer(signal.ITIMER_REAL, left_before, interval)


class TestInAnotherThread:
    def test_is_judged_when_it_comes_back(self) -> None:
        judged: list[bool] = []

        def work() -> None:
            try:
                with limited_to(0.05):
                    time.sleep(0.2)
            except TimeLimitReached:
                judged.append(True)

        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
        assert judged == [True]
