"""Request ids, the log line and the metric of a request; and that no log holds what is private."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
import structlog
from django.conf import settings as configured
from prometheus_client import REGISTRY
from rest_framework.test import APIClient

from foundation.ids import ID_PATTERN
from tests.foundation.probe import RaiseView

ECHO = "/api/v1/echo"


@pytest.fixture(params=["json", "console"])
def written(request: pytest.FixtureRequest) -> Iterator[io.StringIO]:
    """Everything that the process would write to its log, in both formats."""
    page = io.StringIO()
    handler = logging.StreamHandler(page)
    logging_settings: Any = configured.LOGGING
    formatter = dict(logging_settings["formatters"]["structured"])
    if request.param == "json":
        traceback = structlog.tracebacks.ExceptionDictTransformer(show_locals=False)
        formatter["processors"] = [
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.ExceptionRenderer(traceback),
            structlog.processors.JSONRenderer(),
        ]
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            processors=formatter["processors"], foreign_pre_chain=formatter["foreign_pre_chain"]
        )
    )
    root = logging.getLogger()
    root.addHandler(handler)
    yield page
    root.removeHandler(handler)


class TestRequestId:
    def test_is_made(self, anna: APIClient) -> None:
        import re

        first, second = (anna.get(ECHO)["X-Request-ID"] for _ in range(2))
        assert re.fullmatch(ID_PATTERN, first)
        assert first != second

    @pytest.mark.parametrize("given", ["abc-123", "A.b_c", "x" * 64])
    def test_of_the_client_is_echoed(self, anna: APIClient, given: str) -> None:
        assert anna.get(ECHO, headers={"X-Request-ID": given})["X-Request-ID"] == given

    @pytest.mark.parametrize("given", ["", "x" * 65, "a b", "a\tb", "é", "a;b", "<script>", "a,b"])
    def test_that_could_forge_a_log_is_replaced(self, anna: APIClient, given: str) -> None:
        assert anna.get(ECHO, headers={"X-Request-ID": given})["X-Request-ID"] != given


class TestLog:
    def ask_everything(self, client: APIClient) -> None:
        private = "q=jane%40example.org"
        client.get(f"{ECHO}?{private}", REMOTE_ADDR="192.0.2.77")
        client.get(f"/nowhere/jane?{private}", REMOTE_ADDR="192.0.2.77")
        client.post(f"{ECHO}?{private}", {"name": "jane@example.org"}, REMOTE_ADDR="192.0.2.77")
        client.get(ECHO, headers={"host": "jane.example"}, REMOTE_ADDR="192.0.2.77")
        RaiseView.fault = lambda: RuntimeError("a bug")
        client.get(f"/api/v1/raise?{private}", REMOTE_ADDR="192.0.2.77")
        client.get("/api/v1/raise", REMOTE_ADDR="192.0.2.77", headers={"Authorization": "Bearer jane-secret"})
        query = "&".join(f"jane{i}=1" for i in range(1001))
        client.get(f"{ECHO}?{query}")

    def test_holds_no_query_address_body_or_token(self, anna: APIClient, written: io.StringIO) -> None:
        self.ask_everything(anna)
        text = written.getvalue()
        assert "a bug" in text  # it is a log
        for private in ("jane", "192.0.2.77", "example.org", "secret"):
            assert private not in text, [line for line in text.splitlines() if private in line]

    def test_has_one_line_for_each_request(self, anna: APIClient, caplog: pytest.LogCaptureFixture) -> None:
        with caplog.at_level(logging.INFO):
            anna.get(f"{ECHO}?q=bag", headers={"X-Request-ID": "r-1"})
            anna.get("/nowhere/4711")
        lines: list[Any] = [record.msg for record in caplog.records if record.name == "preloved.http"]
        assert [
            {name: line[name] for name in ("method", "route", "path", "status", "request_id", "event")}
            for line in lines[:1]
        ] == [
            {
                "method": "GET",
                "route": "/api/v1/echo",
                "path": "/api/v1/echo",
                "status": 200,
                "request_id": "r-1",
                "event": "request",
            }
        ]
        assert (lines[1]["route"], lines[1]["path"], lines[1]["status"]) == ("unmatched", None, 404)
        assert json.dumps(lines[0]["ms"])

    def test_does_not_keep_one_requests_id_for_the_next(self, anna: APIClient) -> None:
        anna.get(ECHO, headers={"X-Request-ID": "r-1"})
        assert structlog.contextvars.get_contextvars() == {}


class TestMetric:
    def count(self, method: str, route: str, status: int) -> float:
        labels = {"method": method, "route": route, "status": str(status)}
        return REGISTRY.get_sample_value("preloved_http_request_seconds_count", labels) or 0

    def test_names_the_route_not_the_path(self, anna: APIClient) -> None:
        before = self.count("GET", "/api/problems/<slug:code>", 200)
        anna.get("/api/problems/not_found")
        assert self.count("GET", "/api/problems/<slug:code>", 200) == before + 1

    def test_has_no_label_that_a_stranger_can_invent(self, anna: APIClient) -> None:
        before = self.count("OTHER", "unmatched", 404)
        anna.generic("BREW", "/invented")
        assert self.count("OTHER", "unmatched", 404) == before + 1
