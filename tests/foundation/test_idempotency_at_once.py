"""Two of the same at once, with real threads and connections on MySQL or MariaDB."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.sessions.models import Session
from django.db import connection, transaction
from django.utils import timezone
from rest_framework.request import Request
from rest_framework.test import APIClient

from foundation.errors import Conflict
from foundation.models import IdempotencyRecord
from tests.foundation.conftest import ANNA
from tests.foundation.probe import EffectView

pytestmark = [pytest.mark.needs_server, pytest.mark.django_db(transaction=True)]

AT_ONCE = 8


@pytest.fixture(autouse=True)
def _calm_middle() -> Iterator[None]:
    yield
    EffectView.middle = staticmethod(lambda request: None)


def ask(key: str) -> Any:
    client = APIClient(raise_request_exception=False, headers={"Member": ANNA})
    try:
        return client.post("/api/v1/effects", {"name": "bag"}, headers={"Idempotency-Key": key})
    finally:
        connection.close()


def at_once(work: Callable[[int], Any]) -> list[Any]:
    gate = threading.Barrier(AT_ONCE)

    def start(number: int) -> Any:
        gate.wait(10)
        return work(number)

    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(start, range(AT_ONCE)))


def wait_until_locked(transactions: int) -> None:
    """Until so many transactions wait for a lock."""
    until = time.monotonic() + 4  # shorter than the lock timeout
    with connection.cursor() as cursor:
        while time.monotonic() < until:
            cursor.execute("SELECT COUNT(*) FROM information_schema.innodb_trx WHERE trx_state = 'LOCK WAIT'")
            if cursor.fetchone()[0] >= transactions:
                return
            time.sleep(0.15)  # InnoDB renews this table only when it was left alone for 0.1 s
    raise AssertionError("they do not wait for the lock")


class TestSameKeyAtOnce:
    def test_has_one_effect_and_every_answer_is_it_or_wait(self) -> None:
        answers = at_once(lambda _: ask("k"))
        assert Session.objects.count() == 1
        statuses = Counter(answer.status_code for answer in answers)
        assert set(statuses) <= {201, 409}
        assert len({answer.json()["number"] for answer in answers if answer.status_code == 201}) == 1
        assert sum("Idempotent-Replayed" not in a for a in answers if a.status_code == 201) == 1
        assert ask("k")["Idempotent-Replayed"] == "true"

    def test_while_every_try_is_refused_is_never_a_fault_of_ours(self) -> None:
        def refuse(request: Request) -> None:
            raise Conflict("Closed.")

        EffectView.middle = staticmethod(refuse)
        assert {answer.status_code for answer in at_once(lambda _: ask("k"))} == {409}
        assert Session.objects.count() == 0
        assert not IdempotencyRecord.objects.exists()

    def test_that_wait_for_a_refusal_to_free_the_key_do_not_end_in_a_deadlock(self) -> None:
        ask("k")
        Session.objects.all().delete()
        with ThreadPoolExecutor(AT_ONCE) as pool:
            with transaction.atomic():
                # What a refusal does, caught before its commit: all inserts wait, then all want the row.
                IdempotencyRecord.objects.all().delete()
                waiting = [pool.submit(ask, "k") for _ in range(AT_ONCE)]
                wait_until_locked(AT_ONCE)
            statuses = {answer.result(10).status_code for answer in waiting}
        assert 201 in statuses
        assert statuses <= {201, 409}
        assert Session.objects.count() == 1

    def test_take_over_of_a_dead_request_has_one_winner(self) -> None:
        ask("k")
        Session.objects.all().delete()
        IdempotencyRecord.objects.update(
            status="running", response_status=None, lease_until=timezone.now() - timedelta(seconds=1)
        )
        answers = at_once(lambda _: ask("k"))
        assert Session.objects.count() == 1
        assert {answer.status_code for answer in answers} <= {201, 409}

    def test_take_over_of_a_slow_request_leaves_one_effect(self) -> None:
        slow_is_inside, slow_may_go_on = threading.Event(), threading.Event()

        def first_is_slow(request: Request) -> None:
            if not slow_is_inside.is_set():
                slow_is_inside.set()
                assert slow_may_go_on.wait(10)

        EffectView.middle = staticmethod(first_is_slow)
        with ThreadPoolExecutor(1) as pool:
            slow = pool.submit(ask, "k")
            assert slow_is_inside.wait(10)
            # Its lease runs out while it still works; the retry takes over, answers, and the slow one undoes.
            IdempotencyRecord.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
            assert ask("k").status_code == 201
            slow_may_go_on.set()
            assert slow.result(10).status_code == 409
        assert Session.objects.count() == 1


class TestDifferentKeysAtOnce:
    def test_do_not_wait_for_each_other(self) -> None:
        gate = threading.Barrier(AT_ONCE)

        def meet(request: Request) -> None:
            # Only if all are in the middle of their effect at the same time does anyone get further.
            gate.wait(10)

        EffectView.middle = staticmethod(meet)
        assert {answer.status_code for answer in at_once(lambda number: ask(f"k{number}"))} == {201}
        assert Session.objects.count() == AT_ONCE
