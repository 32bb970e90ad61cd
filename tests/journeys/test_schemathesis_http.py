"""The same over a real connection to gunicorn, and what only a real connection can say."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import hypothesis
import pytest
import requests
import schemathesis

from tests import template
from tests.journeys.test_schemathesis import CONFIG, DOCUMENT, schema
from tests.servers.processes import answers_on, free_port, running

ROOT = DOCUMENT.parents[2]
EXAMPLES = int(os.environ.get("SCHEMATHESIS_EXAMPLES", "2"))

pytestmark = [pytest.mark.slow, pytest.mark.second_round, pytest.mark.timeout(600)]


@dataclass
class Service:
    """A web process with a world of its own."""

    port: int
    headers: dict[str, str]
    things: dict[str, list[str]]
    log: Path

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def exchange(self, *parts: bytes, hang_up: bool = False) -> bytes:
        """Send bytes as they are over a connection of their own; everything until it is closed."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=15) as connection:
            for part in parts:
                connection.sendall(part)
            if hang_up:
                return b""
            answer = b""
            while chunk := connection.recv(1 << 16):
                answer += chunk
            return answer


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    home = tmp_path_factory.mktemp("service")
    port = free_port()
    environment = {n: v for n, v in os.environ.items() if n not in ("DATABASE_URL", "REDIS_URL")} | {
        "PRELOVED_HOME": str(home),
        "BIND": f"127.0.0.1:{port}",
        "WEB_PROCESSES": "1",
        "WEB_THREADS": "4",
        # A stream over a run that nobody performs would go on for minutes.
        "EVENT_STREAMS": "0",
        "RATE_LIMITS": ",".join(f"{name}=1000000/minute" for name in ("read", "write", "upload", "stranger")),
    }

    def manage(*arguments: str) -> str:
        command = [sys.executable, "manage.py", *arguments]
        done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr[-3000:]
        return done.stdout

    if not template.lay_out(home / "preloved.sqlite3"):
        manage("migrate", "--verbosity", "0")
    made = manage("shell", "-c", "from tests.journeys.schemathesis_world import print_world; print_world()")
    world = json.loads(next(line for line in made.splitlines() if line.startswith('{"headers"')))
    web = [sys.executable, "-m", "gunicorn", "-c", "ops/gunicorn.conf.py", "config.wsgi:application"]
    with running(
        web, log=home / "web.log", ready=lambda: answers_on(port), name="gunicorn", cwd=ROOT, env=environment
    ):
        yield Service(port, world["headers"], world["things"], home / "web.log")


def operations_of(document: Any) -> list[Any]:
    return [found.ok() for found in document.get_all_operations()]


class TestOperations:
    def test_over_http_fit_the_document(self, service: Service) -> None:
        from tests.journeys.schemathesis_world import Aim

        aim = Aim(service.things)
        served = schemathesis.openapi.from_url(f"{service.url}/api/schema", config=CONFIG, timeout=60)
        operations = operations_of(served)
        assert [operation.label for operation in operations] == [o.label for o in operations_of(schema)]
        for operation in operations:

            @hypothesis.settings(
                max_examples=EXAMPLES,
                derandomize=True,
                database=None,
                deadline=None,
                suppress_health_check=list(hypothesis.HealthCheck),
            )
            @hypothesis.given(case=operation.as_strategy())
            def ask(case: schemathesis.Case[Any]) -> None:
                aim.at(case)
                case.headers.pop("Prefer", None)
                case.call_and_validate(headers=service.headers)

            ask()


class TestConnection:
    def test_body_in_chunks_needs_a_length(self, service: Service) -> None:
        answer = requests.post(
            f"{service.url}/api/v1/listings", data=iter([b"{}"]), headers=service.headers, timeout=10
        )
        assert (answer.status_code, answer.json()["code"]) == (411, "length_required")

    def test_body_that_is_too_large_is_told_so_while_it_is_sent(self, service: Service) -> None:
        answer = requests.post(
            f"{service.url}/api/v1/listings", data=b"x" * 22_000_000, headers=service.headers, timeout=30
        )
        assert (answer.status_code, answer.json()["code"]) == (413, "content_too_large")

    def test_length_beyond_all_sense_is_refused_at_once(self, service: Service) -> None:
        answer = service.exchange(
            b"POST /api/v1/listings HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999999999\r\n"
            b"Connection: close\r\n\r\n{}",
        )
        assert answer == b"" or b" 413 " in answer.split(b"\r\n")[0]

    @pytest.mark.parametrize("charset", ["rot13", "idna", "hex"])
    def test_charset_that_decodes_no_text_breaks_nothing(self, service: Service, charset: str) -> None:
        kind = {"Content-Type": f"application/json; charset={charset}"}
        assert requests.get(f"{service.url}/api/v1/markets", headers=kind, timeout=10).status_code == 200

    def test_client_that_hangs_up_in_the_middle_is_no_fault_of_ours(self, service: Service) -> None:
        head = "".join(f"{name}: {value}\r\n" for name, value in service.headers.items())
        start = (
            f"POST /api/v1/listings HTTP/1.1\r\nHost: localhost\r\n{head}Content-Type: application/json\r\n"
            "Content-Length: 1000\r\n\r\n{"
        )
        service.exchange(start.encode(), hang_up=True)
        time.sleep(1)
        assert requests.get(f"{service.url}/livez", timeout=10).status_code == 200
        assert "Traceback" not in service.log.read_text()

    @pytest.mark.parametrize(
        "request_",
        [
            b"GET /api/v1/markets HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n",
            b"GET /%ff%00 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
            b"GET /api/v1/me HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer \xff\r\nConnection: close"
            b"\r\n\r\n",
            b"GET /api/v1/listings?"
            + b"a=1&" * 1500
            + b" HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
            b"BREW /api/v1/me HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
            b"nonsense\r\n\r\n",
        ],
    )
    def test_odd_request_is_the_clients_fault(self, service: Service, request_: bytes) -> None:
        status = service.exchange(request_).split(b" ")[1]
        assert status.startswith(b"4"), status
