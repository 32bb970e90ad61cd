"""Runs as Server-Sent Events: over real connections to a real gunicorn, whose threads must stay free."""

from __future__ import annotations

import json
import os
import socket
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import requests
from django.utils import timezone

from ai_suggestions import services
from tests.ai_suggestions.running import perform, request
from tests.doubles.scripted_provider import WHOLE, Scripted, ScriptedProvider
from tests.environment import REPOSITORY
from tests.faults.conftest import database_url
from tests.servers.processes import answers_on, free_port, running

if TYPE_CHECKING:
    from rest_framework.test import APIClient

    from ai_suggestions import queries
    from listings.queries import ListingFacts
    from members.models import Member
    from tests.ai_suggestions.conftest import Follow


def events_of(run: queries.RunFacts) -> str:
    return f"/api/v1/suggestion-runs/{run.id}/events"


def read(body: str) -> list[tuple[int, dict[str, Any]]]:
    """The events of a stream, as (id, data)."""
    found = []
    for block in body.split("\n\n"):
        lines = dict(line.split(": ", 1) for line in block.splitlines() if ": " in line)
        if lines.get("event") == "run":
            found.append((int(lines["id"]), json.loads(lines["data"])))
    return found


class TestWithoutAStream:
    """What needs no connection to be held: everything but a live run."""

    def test_an_ended_run_is_one_event(
        self, as_seller: APIClient, seller: Member, draft: ListingFacts, scripted: ScriptedProvider
    ) -> None:
        run = request(seller, draft)
        perform(run)
        whole = as_seller.get(f"/api/v1/suggestion-runs/{run.id}")
        answer = as_seller.get(events_of(run), headers={"Accept": "text/event-stream"})
        assert (answer.status_code, answer["Content-Type"]) == (200, "text/event-stream")
        [(version, data)] = read(answer.content.decode())
        assert data == whole.json() | {"etag": whole["ETag"]}
        last = as_seller.get(events_of(run), headers={"Last-Event-ID": str(version)})
        assert (last.status_code, last.content) == (204, b""), "EventSource does not ask again after that"

    def test_somebody_elses_is_not_found(
        self, as_other_seller: APIClient, seller: Member, draft: ListingFacts, scripted: ScriptedProvider
    ) -> None:
        answer = as_other_seller.get(
            events_of(request(seller, draft)), headers={"Accept": "text/event-stream"}
        )
        assert (answer.status_code, answer.json()["code"]) == (404, "suggestion_run_not_found")

    def test_event_stream_unavailable(
        self, as_seller: APIClient, seller: Member, draft: ListingFacts, scripted: ScriptedProvider
    ) -> None:
        """A server that cannot give its connections away says so; Prefer: wait works there."""
        answer = as_seller.get(events_of(request(seller, draft)))
        assert (answer.status_code, answer.json()["code"]) == (503, "event_stream_unavailable")

    def test_head_holds_nothing(
        self, as_seller: APIClient, seller: Member, draft: ListingFacts, scripted: ScriptedProvider
    ) -> None:
        answer = as_seller.head(events_of(request(seller, draft)))
        assert (answer.status_code, answer["Content-Type"]) == (200, "text/event-stream")


@dataclass
class Service:
    """One gunicorn process with two threads, on the test's own database."""

    port: int
    token: str

    def get(self, path: str, **headers: str) -> requests.Response:
        return requests.get(
            f"http://127.0.0.1:{self.port}{path}",
            headers={"Authorization": f"Bearer {self.token}", **headers},
            stream=True,
            timeout=20,
        )

    def follow(self, run: queries.RunFacts) -> socket.socket:
        """A connection whose answer has begun."""
        connection = socket.create_connection(("127.0.0.1", self.port), timeout=20)
        head = (f"GET {events_of(run)} HTTP/1.1", "Host: localhost", f"Authorization: Bearer {self.token}")
        connection.sendall("\r\n".join([*head, "", ""]).encode())
        assert connection.recv(64).startswith(b"HTTP/1.1 200 OK")
        return connection


@pytest.fixture
def service(transactional_db: None, catalogue: None, seller: Member, tmp_path: Path) -> Iterator[Service]:
    from tests.members.visitor import Visitor

    visitor = Visitor()
    visitor.sign_in(seller.email)
    assert visitor.access_token
    port = free_port()
    environment = os.environ | {
        "DATABASE_URL": database_url(),
        "SECRET_KEY": "not-a-secret-" + "0" * 50,
        "BIND": f"127.0.0.1:{port}",
        "WEB_PROCESSES": "1",
        "WEB_THREADS": "2",
        "EVENT_STREAMS": "30",
    }
    web = [sys.executable, "-m", "gunicorn", "-c", "ops/gunicorn.conf.py", "config.wsgi:application"]
    with running(
        web,
        log=tmp_path / "web.log",
        ready=lambda: answers_on(port),
        name="gunicorn",
        cwd=REPOSITORY,
        env=environment,
    ):
        yield Service(port, visitor.access_token)
    # Taking connections from gunicorn must leave nothing for it to complain about.
    assert "Traceback" not in (tmp_path / "web.log").read_text()


@pytest.mark.slow
class TestOverTheWire:
    def test_fields_come_as_their_step_ends_to_more_clients_than_threads(
        self, service: Service, seller: Member, draft: ListingFacts, follow: Follow
    ) -> None:
        seen: list[dict[str, Any]] = []

        def hear() -> None:
            """What the first client is told while the worker is between two steps."""
            for line in lines:
                if line.startswith("data: "):
                    seen.append(json.loads(line[6:]))
                    if seen[-1]["fields"]:
                        return

        follow(WHOLE[0], Scripted("colour", WHOLE[1].proposals, before=hear), *WHOLE[2:])
        run = request(seller, draft, now=timezone.now())
        with ExitStack() as stack:
            others = [stack.enter_context(service.follow(run)) for _ in range(25)]
            answer = stack.enter_context(service.get(events_of(run), Accept="text/event-stream"))
            assert answer.headers["Content-Type"] == "text/event-stream"
            answer.encoding = "utf-8"  # always, whatever requests makes of text/*
            lines = answer.iter_lines(chunk_size=1, decode_unicode=True)
            assert service.get("/livez").status_code == 200, "no thread is tied up"
            assert service.get(f"/api/v1/suggestion-runs/{run.id}").json()["status"] == "queued"

            services.perform_run(run_id=run.id, now=timezone.now())
            assert seen[0]["status"] == "queued"
            assert {found["field"] for found in seen[-1]["fields"]} == {"category", "parcel_size"}
            assert seen[-1]["status"] == "running"
            rest = [json.loads(line[6:]) for line in lines if line.startswith("data: ")]
            assert rest[-1]["status"] == "succeeded", "the stream ends with the run"
            for other in others:
                with other.makefile("r", encoding="utf-8", newline="") as body:
                    assert read(body.read().partition("\r\n\r\n")[2])[-1][1] == rest[-1]

    def test_a_client_that_comes_back_hears_only_what_is_new(
        self, service: Service, seller: Member, draft: ListingFacts, scripted: ScriptedProvider
    ) -> None:
        run = request(seller, draft, now=timezone.now())
        answer = service.get(events_of(run), **{"Last-Event-ID": str(run.version)})
        services.cancel_run(member_id=seller.id, run_id=run.id, now=timezone.now())
        [(version, data)] = read(answer.text)
        assert (version, data["status"]) == (run.version + 1, "cancelled")

    def test_places_are_bounded_and_free_again_when_clients_leave(
        self, service: Service, seller: Member, draft: ListingFacts, scripted: ScriptedProvider
    ) -> None:
        run = request(seller, draft, now=timezone.now())
        with ExitStack() as stack:
            for _ in range(30):
                stack.enter_context(service.follow(run))
            refused = service.get(events_of(run))
            assert (refused.status_code, refused.headers["Retry-After"]) == (503, "5")
        for _ in range(100):
            again = service.get(events_of(run))
            if again.status_code == 200:
                break
        assert again.status_code == 200
        again.close()

    def test_only_for_whom_the_run_is(
        self, service: Service, seller: Member, draft: ListingFacts, scripted: ScriptedProvider
    ) -> None:
        run = request(seller, draft, now=timezone.now())
        service.token += "x"
        assert service.get(events_of(run)).status_code == 401
