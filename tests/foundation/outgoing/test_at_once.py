"""Several workers, on MySQL or MariaDB: each event goes out once, and in its subject's order."""

from __future__ import annotations

import threading
import time

import pytest
from django.db import connection

from foundation.models import WebhookDelivery, WebhookEndpoint
from tests.foundation.outgoing.subscriber import Subscriber
from tests.foundation.outgoing.telling import deliver, tell

pytestmark = [pytest.mark.needs_server, pytest.mark.django_db(transaction=True)]

SUBJECTS, EACH, WORKERS = 3, 6, 4


class TestWorkersAtOnce:
    def test_deliver_once_and_in_order(self, endpoint: WebhookEndpoint, shop: Subscriber) -> None:
        told: dict[str, list[str]] = {f"order:{number}": [] for number in range(SUBJECTS)}
        stop = threading.Event()
        wrong: list[Exception] = []

        def work() -> None:
            try:
                while not stop.is_set():
                    deliver()
            except Exception as error:  # noqa: BLE001  # whatever it is, the test tells
                wrong.append(error)
            finally:
                connection.close()

        workers = [threading.Thread(target=work) for _ in range(WORKERS)]
        for worker in workers:
            worker.start()
        for _ in range(EACH):
            for subject, ids in told.items():
                ids.append(tell(subject=subject))
        until = time.monotonic() + 30
        while WebhookDelivery.objects.filter(status="delivered").count() < SUBJECTS * EACH:
            assert time.monotonic() < until
            time.sleep(0.05)
        stop.set()
        for worker in workers:
            worker.join(30)
        assert not wrong
        for ids in told.values():
            assert [event_id for event_id in shop.ids if event_id in ids] == ids
