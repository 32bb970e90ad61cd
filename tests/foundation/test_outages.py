"""Redis down or hanging: the cache forgets, rings are not heard, nothing raises, nobody waits for long."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from typing import Any

import pytest
from celery import Celery, Task
from django.core.cache import caches
from django.db import transaction
from prometheus_client import REGISTRY

from foundation import cache as patient
from foundation import doorbell

NOBODY = "redis://127.0.0.1:9/0"


@pytest.fixture(autouse=True)
def _no_outage() -> Iterator[None]:
    patient.outage.end()
    doorbell.outage.end()
    yield
    patient.outage.end()
    doorbell.outage.end()


@pytest.fixture
def silent() -> Iterator[str]:
    """A Redis that accepts connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"redis://127.0.0.1:{server.getsockname()[1]}/0"


def a_cache(settings: Any, url: str) -> Any:
    settings.CACHES = {"default": {"BACKEND": "foundation.cache.PatientRedisCache", "LOCATION": url}}
    return caches["default"]


class TestCacheWithoutRedis:
    def test_forgets_and_never_raises(self, settings: Any) -> None:
        cache = a_cache(settings, NOBODY)
        answers = {
            "get": cache.get("k"),
            "get with default": cache.get("k", 7),
            "get_or_set": cache.get_or_set("k", 5),
            "add": cache.add("k", 1),
            "set": cache.set("k", 1),
            "touch": cache.touch("k"),
            "delete": cache.delete("k"),
            "get_many": cache.get_many(["k"]),
            "has_key": cache.has_key("k"),
            "in": "k" in cache,
            "incr": cache.incr("k"),
            "decr": cache.decr("k"),
            "set_many": cache.set_many({"k": 1}),
            "delete_many": cache.delete_many(["k"]),
            "clear": cache.clear(),
        }
        assert answers == {
            "get": None,
            "get with default": 7,
            "get_or_set": 5,
            "add": True,
            "set": None,
            "touch": False,
            "delete": False,
            "get_many": {},
            "has_key": False,
            "in": False,
            "incr": 1,
            "decr": -1,
            "set_many": ["k"],
            "delete_many": None,
            "clear": False,
        }

    def test_waits_once_and_then_pauses(self, settings: Any, silent: str) -> None:
        cache = a_cache(settings, silent)
        started = time.monotonic()
        for _ in range(50):
            assert cache.get("k") is None
        assert time.monotonic() - started < 2.5
        assert patient.outage.lasts()


@pytest.mark.needs_redis
class TestCacheWithRedis:
    def test_remembers(self, settings: Any) -> None:
        cache = a_cache(settings, settings.REDIS_URL)
        cache.set("k", [1, 2])
        assert cache.get("k") == [1, 2]
        assert cache.add("k", 3) is False
        cache.set("n", 0)
        assert cache.incr("n") == 1
        assert cache.get_many(["k", "n"]) == {"k": [1, 2], "n": 1}
        cache.clear()
        assert cache.get("k") is None


def a_task(settings: Any, url: str) -> Task[Any, Any]:
    """A task of an app like ours whose broker is elsewhere."""
    app = Celery("probe", broker=url, set_as_current=False)
    app.conf.task_publish_retry = False
    app.conf.broker_transport_options = {
        "socket_connect_timeout": 0.5,
        "socket_timeout": 0.5,
        "max_retries": 1,
        "interval_start": 0,
        "interval_step": 0,
        "interval_max": 0,
    }

    @app.task(name="probe.knock")
    def knock(*ids: str) -> None:
        return None

    return knock


def unheard() -> float:
    return REGISTRY.get_sample_value("preloved_foundation_unheard_rings_total", {"task": "probe.knock"}) or 0


class TestRing:
    def test_that_nobody_hears_is_counted_and_no_error(self, settings: Any) -> None:
        before = unheard()
        doorbell.ring(a_task(settings, NOBODY), "id")
        doorbell.ring(a_task(settings, NOBODY), "id")
        assert unheard() == before + 2

    def test_does_not_hold_every_client_while_the_broker_hangs(self, settings: Any, silent: str) -> None:
        task = a_task(settings, silent)
        started = time.monotonic()
        for _ in range(20):
            doorbell.ring(task, "id")
        assert time.monotonic() - started < 6

    @pytest.mark.django_db(transaction=True)
    def test_waits_for_the_commit(self) -> None:
        rung, task = a_listener()
        with transaction.atomic():
            doorbell.ring_after_commit(task, "a", "b")
            assert rung == []
        assert rung == [("a", "b")]

    @pytest.mark.django_db(transaction=True)
    def test_is_not_given_for_what_was_undone(self) -> None:
        rung, task = a_listener()
        with transaction.atomic():
            doorbell.ring_after_commit(task, "a")
            transaction.set_rollback(True)
        assert rung == []

    @pytest.mark.django_db(transaction=True)
    def test_is_given_once_for_what_a_transaction_asks_for_often(self) -> None:
        rung, task = a_listener()
        with transaction.atomic():
            for id in ("a", "a", "b", "a"):
                doorbell.ring_after_commit(task, id)
        with transaction.atomic():
            doorbell.ring_after_commit(task, "a")
        assert rung == [("a",), ("b",), ("a",)]

    @pytest.mark.django_db(transaction=True)
    def test_that_many_share_waits_for_no_second_until_it_is_answered(self, settings: Any) -> None:
        settings.REDIS_URL = "redis://shared"  # as if the cache of the tests were everybody's
        heard, task = a_listener()
        for _ in range(3):
            doorbell.ring_after_commit(task, is_shared=True)
        assert heard == [()]
        doorbell.answer(task)
        doorbell.ring_after_commit(task, is_shared=True)
        assert heard == [(), ()]

    @pytest.mark.django_db(transaction=True)
    def test_that_many_share_is_given_each_time_where_caches_are_not_shared(self, settings: Any) -> None:
        settings.REDIS_URL = ""
        heard, task = a_listener()
        for _ in range(3):
            doorbell.ring_after_commit(task, is_shared=True)
        assert heard == [()] * 3

    @pytest.mark.django_db(transaction=True)
    def test_is_not_lost_with_a_savepoint_that_asked_first(self) -> None:
        rung, task = a_listener()
        with transaction.atomic():
            with transaction.atomic():
                doorbell.ring_after_commit(task, "a")
                transaction.set_rollback(True)
            with transaction.atomic():
                doorbell.ring_after_commit(task, "a")
            doorbell.ring_after_commit(task, "a")
            with transaction.atomic():
                doorbell.ring_after_commit(task, "a")
                transaction.set_rollback(True)
        assert set(rung) == {("a",)}


def a_listener() -> tuple[list[tuple[str, ...]], Task[Any, Any]]:
    """A task that runs at once, and what it was called with."""
    rung: list[tuple[str, ...]] = []
    app = Celery("probe", broker="memory://", set_as_current=False)
    app.conf.task_always_eager = True

    @app.task(name="probe.listen")
    def listen(*ids: str) -> None:
        rung.append(ids)

    return rung, listen
