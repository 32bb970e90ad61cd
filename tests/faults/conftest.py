"""A real worker beside the test, on the test's own database, broker and folders; killed without warning."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from celery import current_app
from django.conf import settings as django_settings
from django.db import connection

from tests import environment
from tests.environment import REPOSITORY

if TYPE_CHECKING:
    from pytest_django import Settings


def database_url() -> str:
    """The test's own database, as a worker's DATABASE_URL."""
    facts = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{facts['NAME']}"
    user = facts["USER"] + (f":{facts['PASSWORD']}" if facts["PASSWORD"] else "")
    return f"mysql://{user}@{facts['HOST']}:{facts['PORT']}/{facts['NAME']}"


class Worker:
    """`celery worker` with one child process, in a process group of its own."""

    def __init__(self, log: Path) -> None:
        self.log = log
        variables = {
            "DATABASE_URL": database_url(),
            "REDIS_URL": django_settings.REDIS_URL,
            "SANDBOX": str(django_settings.SANDBOX).lower(),
            "LOG_FORMAT": "console",
            # Models are loaded when a run needs them: most of a worker's start otherwise.
            "SUGGESTIONS_WARM_UP": "false",
        }
        with log.open("ab") as output:
            self.process = subprocess.Popen(
                [
                    *(sys.executable, "-m", "celery", "-A", "config", "worker", "--concurrency", "1"),
                    *(
                        "--queues",
                        "default,money,photos,suggestions,suggestions_batch,shadows,webhooks",
                        "--without-gossip",
                        "--without-mingle",
                    ),
                ],
                cwd=REPOSITORY,
                env=os.environ | variables,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def children(self) -> list[int]:
        """Processes that run its tasks."""
        listed = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text()
        return [int(pid) for pid in listed.split()]

    def kill(self) -> None:
        """All of it at once, as a power cut does."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(10)

    def kill_children(self) -> None:
        """What the kernel does when memory runs out."""
        for pid in self.children():
            os.kill(pid, signal.SIGKILL)


@pytest.fixture
def storage_folder(settings: Settings) -> Iterator[Path]:
    """The folders of this process's own PRELOVED_HOME, which a worker shares by the same variable."""
    home = Path(os.environ[environment.HOME])
    yield home
    for name in ("media", "originals", "broker"):
        shutil.rmtree(home / name, ignore_errors=True)
    for name in ("queue", "control"):
        (home / "broker" / name).mkdir(parents=True, exist_ok=True)


@pytest.fixture
def start_worker(
    transactional_db: None, storage_folder: Path, tmp_path: Path
) -> Iterator[Callable[[], Worker]]:
    """Starts workers; whatever is still running at the test's end is killed, before its database goes."""
    from foundation import doorbell

    # A test before this one may have found the broker silent: then nobody rings for a while.
    doorbell.outage.end()
    started: list[Worker] = []

    def start() -> Worker:
        started.append(Worker(tmp_path / "worker.log"))
        return started[-1]

    yield start
    for worker in started:
        worker.kill()


StartWorker = Callable[[], Worker]


def wait_until(reached: Callable[[], bool], *, seconds: float = 60, what: str) -> None:
    """Fails the test when it does not become true in time."""
    until = time.monotonic() + seconds
    while not reached():
        if time.monotonic() > until:
            pytest.fail(f"after {seconds} s still not: {what}")
        # Short, to catch a worker in the middle of its work.
        time.sleep(0.005)


def empty_the_broker() -> None:
    with current_app.connection_for_write() as broker:
        channel: Any = broker.default_channel
        for queue in ("default", "money", "photos", "suggestions"):
            channel.queue_purge(queue)
