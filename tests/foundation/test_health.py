"""/livez, /readyz, /metrics: what they say, to whom, and when something is missing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import OperationalError, connection
from rest_framework.test import APIClient

from foundation import views
from tests.foundation.test_problems import problem_of


@pytest.fixture(autouse=True)
def _ask_again() -> Iterator[None]:
    views._migrations.cache_clear()
    yield
    views._migrations.cache_clear()


def broken() -> None:
    raise OSError("no route to the secret host")


class TestLivez:
    def test_touches_nothing(self, stranger: APIClient) -> None:
        # Without the db mark, any query would fail.
        answer = stranger.get("/livez")
        assert (answer.status_code, answer.json()) == (200, {"status": "ok"})
        assert "no-store" in answer["Cache-Control"]


@pytest.mark.django_db
class TestReadyz:
    def test_is_ok_when_all_parts_answer(self, stranger: APIClient) -> None:
        answer = stranger.get("/readyz")
        assert answer.status_code == 200, answer.json()
        assert answer.json() == {"status": "ok", "checks": dict.fromkeys(views.CHECKS, "ok")}
        assert stranger.head("/readyz").status_code == 200

    @pytest.mark.parametrize("part", ["database", "migrations"])
    def test_takes_the_replica_away_without(
        self, stranger: APIClient, monkeypatch: pytest.MonkeyPatch, part: str
    ) -> None:
        monkeypatch.setitem(views.CHECKS, part, (broken, views.CHECKS[part][1]))
        answer = stranger.get("/readyz")
        assert answer.status_code == 503
        assert answer.json()["status"] == "unavailable"
        assert answer.json()["checks"][part] == "failed"
        assert b"secret" not in answer.content

    @pytest.mark.parametrize("part", ["media", "cache", "broker"])
    def test_serves_on_without(self, stranger: APIClient, monkeypatch: pytest.MonkeyPatch, part: str) -> None:
        monkeypatch.setitem(views.CHECKS, part, (broken, views.CHECKS[part][1]))
        answer = stranger.get("/readyz")
        assert answer.status_code == 200
        assert answer.json()["checks"][part] == "degraded"

    def test_notices_a_missing_migration(self, stranger: APIClient) -> None:
        with connection.cursor() as cursor:
            cursor.execute("DELETE FROM django_migrations WHERE app = 'foundation'")
        assert stranger.get("/readyz").json()["checks"]["migrations"] == "failed"

    def test_reads_the_migrations_only_until_they_are_applied(
        self, stranger: APIClient, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        stranger.get("/readyz")
        monkeypatch.setattr(views, "MigrationExecutor", broken)
        assert stranger.get("/readyz").json()["checks"]["migrations"] == "ok"

    def test_notices_a_cache_that_forgets(self, stranger: APIClient, settings: Any) -> None:
        settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.dummy.DummyCache"}}
        assert stranger.get("/readyz").json()["checks"]["cache"] == "degraded"

    def test_notices_a_database_that_is_gone(
        self, stranger: APIClient, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def gone() -> None:
            raise OperationalError(2006, "gone away")

        monkeypatch.setattr(connection, "cursor", gone)
        assert stranger.get("/readyz").status_code == 503


class TestMetrics:
    def test_are_text_for_prometheus(self, stranger: APIClient) -> None:
        stranger.get("/livez")
        answer = stranger.get("/metrics")
        assert answer.status_code == 200
        assert 'preloved_http_request_seconds_count{method="GET",route="/livez",status="200"}' in (
            answer.content.decode()
        )

    @pytest.mark.parametrize("address", ["192.0.2.1", "10.0.0.1", "::ffff:192.0.2.1", "", "unix:"])
    def test_are_for_nobody_outside(self, stranger: APIClient, address: str) -> None:
        problem_of(stranger.get("/metrics", REMOTE_ADDR=address), 404, "not_found")

    @pytest.mark.parametrize("address", ["127.0.0.1", "127.8.8.8", "::1"])
    def test_are_for_this_machine(self, stranger: APIClient, address: str) -> None:
        assert stranger.get("/metrics", REMOTE_ADDR=address).status_code == 200

    @pytest.mark.parametrize("header", ["X-Forwarded-For", "Forwarded"])
    def test_are_not_for_whom_a_proxy_speaks(self, stranger: APIClient, header: str) -> None:
        problem_of(stranger.get("/metrics", headers={header: "127.0.0.1"}), 404, "not_found")

    def test_with_a_token_are_for_who_has_it(self, stranger: APIClient, settings: Any) -> None:
        settings.METRICS_TOKEN = "open sesame"
        problem_of(stranger.get("/metrics"), 404, "not_found")
        for wrong in ("Bearer open", "Bearer ", "Bearer é", "Basic open sesame"):
            problem_of(stranger.get("/metrics", headers={"Authorization": wrong}), 404, "not_found")
        allowed = stranger.get(
            "/metrics", REMOTE_ADDR="192.0.2.1", headers={"Authorization": "Bearer open sesame"}
        )
        assert allowed.status_code == 200

    def test_of_all_processes_are_added_up(self, stranger: APIClient, settings: Any, tmp_path: Any) -> None:
        settings.METRICS_DIR = str(tmp_path)
        assert stranger.get("/metrics").status_code == 200
