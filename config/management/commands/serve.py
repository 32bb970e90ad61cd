"""The embedded default's two processes under one command: web and worker (with its beat).

A server install runs the same two entry points under its own supervisor (docker-compose.yml).
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError

# What does not stop by then is killed; rows carry the work, so the next start goes on with it.
STOP_WITHIN_S = 5
# A process that dies this often in a row within this time will not get better by itself.
MAX_RESTARTS = 5
HEALTHY_AFTER_S = 30


class Child:
    """A supervised process: started again when it dies, until it dies too often."""

    def __init__(self, name: str, command: list[str], log: Path | None) -> None:
        self.name, self.command, self.log = name, command, log
        self.failures = 0
        self.start()

    def start(self) -> None:
        self.started = time.monotonic()
        with contextlib.ExitStack() as stack:
            out = stack.enter_context(self.log.open("ab")) if self.log else None
            # In a session of its own, so that Ctrl-C reaches the supervisor alone and it stops the
            # children in order.
            self.process = subprocess.Popen(  # noqa: S603  # our own interpreter and modules
                self.command, stdout=out, stderr=subprocess.STDOUT if out else None, start_new_session=True
            )

    def check(self) -> None:
        """Restart when dead. Raises CommandError when that does not help."""
        if self.process.poll() is None:
            if time.monotonic() - self.started > HEALTHY_AFTER_S:
                self.failures = 0
            return
        self.failures += 1
        where = f"; its log is {self.log}" if self.log else ""
        if self.failures > MAX_RESTARTS:
            raise CommandError(
                f"The {self.name} ends with status {self.process.returncode} again and again{where}."
            )
        sys.stderr.write(f"The {self.name} ended with status {self.process.returncode}: starting it again.\n")
        time.sleep(min(0.2 * 2**self.failures, 5))
        self.start()

    def stop(self, deadline: float) -> None:
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(max(0.1, deadline - time.monotonic()))
        # Pool children and web workers too, whatever state they are in.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, signal.SIGKILL)


class Command(BaseCommand):
    help = "Serve the API with a worker beside it, and keep both running until Ctrl-C."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default 127.0.0.1)")
        parser.add_argument("--port", type=int, default=int(os.environ.get("PORT") or 8000))
        parser.add_argument(
            "--logs", type=Path, help="write web.log and worker.log to this folder, not to the terminal"
        )
        parser.add_argument(
            "--worker-processes", type=int, default=1, help="tasks that run at once (default 1)"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        host, port = options["host"], options["port"]
        _refuse_taken_port(host, port)
        call_command("prepare", verbosity=0)
        logs: Path | None = options["logs"]
        if logs:
            logs.mkdir(parents=True, exist_ok=True)
        metrics = settings.HOME / "metrics"
        shutil.rmtree(metrics, ignore_errors=True)
        metrics.mkdir(parents=True)
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(metrics)
        os.environ["BIND"] = f"{host}:{port}"
        stopping = threading.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: stopping.set())
        children = [
            Child("worker", _worker_command(options["worker_processes"]), logs and logs / "worker.log"),
            Child("web process", _web_command(), logs and logs / "web.log"),
        ]
        self.stdout.write(f"Serving on http://{host}:{port} (Ctrl-C stops).")
        try:
            while not stopping.wait(0.5):
                for child in children:
                    child.check()
        finally:
            deadline = time.monotonic() + STOP_WITHIN_S
            for child in children:
                child.process.terminate()
            for child in children:
                child.stop(deadline)


def _web_command() -> list[str]:
    return [sys.executable, "-m", "gunicorn", "-c", "ops/gunicorn.conf.py", "config.wsgi:application"]


def _worker_command(processes: int) -> list[str]:
    return [
        *(sys.executable, "-m", "celery", "-A", "config", "worker", "--beat"),
        *("--queues", "default,money,photos,suggestions,suggestions_batch,shadows,tax,webhooks"),
        *("--concurrency", str(processes)),
        *("--loglevel", settings.LOG_LEVEL, "--without-gossip", "--without-mingle"),
    ]


def _refuse_taken_port(host: str, port: int) -> None:
    """Raises CommandError; gunicorn would retry for a while and then only log it."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        # As servers do: a port in TIME_WAIT after a restart is free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise CommandError(
                f"Port {port} on {host} cannot be used ({error.strerror}). "
                f"Choose another: make run PORT={port + 1}"
            ) from None
