"""Many requests, many workers, and workers that are killed; on MySQL or MariaDB."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import pytest
from django.contrib.sessions.models import Session
from django.db import connection
from django.test import Client
from django.utils import timezone

from foundation.incoming import sign
from foundation.incoming.processing import LEASE, process_next
from foundation.models import IncomingEvent
from tests.foundation.incoming.conftest import ADDRESS, SECRET, SOURCE, body_of
from tests.repository.sources import REPOSITORY

pytestmark = [pytest.mark.needs_server, pytest.mark.django_db(transaction=True)]

COPIES = 50
WORKERS = 8


def at_once(work: Any, count: int) -> list[Any]:
    gate = threading.Barrier(count)

    def start(number: int) -> Any:
        gate.wait(30)
        try:
            return work(number)
        finally:
            connection.close()

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(start, range(count)))


def post(body: bytes) -> int:
    headers = {"Webhook-Signature": sign(body, secret=SECRET, at=timezone.now())}
    client = Client(raise_request_exception=False)
    return client.post(ADDRESS, body, content_type="application/json", headers=headers).status_code


class TestFiftyCopiesAtOnce:
    def test_are_one_row_and_one_effect(self, handled: list[str]) -> None:
        assert at_once(lambda _: post(body_of()), COPIES) == [200] * COPIES
        assert IncomingEvent.objects.count() == 1
        now = timezone.now()
        done = at_once(lambda _: process_next(source=SOURCE, subject_id="po_1", now=now), WORKERS)
        assert sorted(done) == [False] * (WORKERS - 1) + [True]
        assert (handled, Session.objects.count()) == (["evt_1"], 1)


class TestWorkersAtOnce:
    def test_keep_the_order_of_a_subject(self, handled: list[str]) -> None:
        start = datetime.fromisoformat("2026-04-02T10:00:00+00:00")
        for minute in reversed(range(12)):
            at = (start + timedelta(minutes=minute)).isoformat()
            assert post(body_of(f"evt_{minute:02}", at=at)) == 200
        until = timezone.now() + timedelta(seconds=30)

        def work(_: int) -> None:
            while IncomingEvent.objects.filter(status="waiting").exists() and timezone.now() < until:
                process_next(source=SOURCE, subject_id="po_1", now=timezone.now())

        at_once(work, 4)
        assert handled == [f"evt_{minute:02}" for minute in range(12)]


class TestKilledWorker:
    def run(self, now: datetime, *options: str) -> int:
        url = urlsplit(os.environ["DATABASE_URL"])
        own = urlunsplit(url._replace(path=f"/{connection.settings_dict['NAME']}"))
        command = [sys.executable, "-m", "tests.foundation.incoming.killed_worker", "po_1"]
        return subprocess.run(
            [*command, now.isoformat(), *options],
            cwd=REPOSITORY,
            env=os.environ | {"DATABASE_URL": own},
            check=False,
        ).returncode

    def test_between_effect_and_mark_leaves_neither_and_the_next_one_does_both(self) -> None:
        post(body_of())
        now = timezone.now()
        assert self.run(now, "die") == -signal.SIGKILL
        event = IncomingEvent.objects.get()
        assert (event.status, event.attempts, Session.objects.count()) == ("waiting", 1, 0)
        assert self.run(now + LEASE * 1.1) == 0
        event.refresh_from_db()
        assert (event.status, event.attempts, Session.objects.count()) == ("processed", 2, 1)
