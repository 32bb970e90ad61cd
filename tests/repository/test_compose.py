"""docker-compose.yml and the Dockerfile start what exists, with variables that are read.

There is no container engine in the tests: these check the files, they do not run them (docs/operations.md).
"""

from __future__ import annotations

import importlib
import re
from typing import Any

import pytest
import yaml
from django.core.management import get_commands

from tests.environment import variables_of_the_service
from tests.repository.sources import REPOSITORY

COMPOSE: dict[str, Any] = yaml.safe_load((REPOSITORY / "docker-compose.yml").read_text(encoding="utf-8"))
DOCKERFILE = (REPOSITORY / "Dockerfile").read_text(encoding="utf-8")
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = {name: service for name, service in SERVICES.items() if service["image"] == "preloved"}


def built_into_the_image(path: str) -> bool:
    """Whether .dockerignore lets the path into the build; the last matching line decides, as in Docker."""
    ignored = False
    for line in (REPOSITORY / ".dockerignore").read_text(encoding="utf-8").splitlines():
        pattern = line.lstrip("!")
        if (
            line
            and not line.startswith("#")
            and (pattern == "*" or path == pattern or path.startswith(pattern + "/"))
        ):
            ignored = not line.startswith("!")
    return not ignored


class TestServices:
    def test_are_the_ones_of_server_mode(self) -> None:
        assert set(SERVICES) == {"mysql", "redis", "migrate", "web", "worker", "beat", "prometheus"}

    @pytest.mark.parametrize("name", OURS)
    def test_start_entry_points_that_exist(self, name: str) -> None:
        match OURS[name]["command"]:
            case ["python", "manage.py", command, *_]:
                assert command in get_commands()
            case ["gunicorn", "-c", file, target]:
                assert (REPOSITORY / file).is_file()
                module, _, attribute = target.partition(":")
                assert callable(getattr(importlib.import_module(module), attribute))
            case ["celery", "-A", app, role, *_]:
                assert role in ("worker", "beat")
                assert importlib.import_module(app).celery_app.main == "preloved"
            case other:
                pytest.fail(f"unknown entry point {other}")

    def test_worker_listens_to_every_queue_that_tasks_are_sent_to(self, settings: Any) -> None:
        command = OURS["worker"]["command"]
        heard = set(command[command.index("--queues") + 1].split(","))
        sent = {settings.CELERY_TASK_DEFAULT_QUEUE} | {
            r["queue"] for r in settings.CELERY_TASK_ROUTES.values()
        }
        assert heard == sent

    @pytest.mark.parametrize("name", OURS)
    def test_get_only_variables_that_are_read(self, name: str) -> None:
        assert set(OURS[name]["environment"]) <= set(variables_of_the_service())

    @pytest.mark.parametrize("name", ["web", "worker", "beat"])
    def test_wait_for_the_migrations(self, name: str) -> None:
        assert OURS[name]["depends_on"] == {"migrate": {"condition": "service_completed_successfully"}}

    def test_migrate_runs_once_after_the_servers_answer(self) -> None:
        migrate = OURS["migrate"]
        assert migrate["restart"] == "no"
        assert {name: need["condition"] for name, need in migrate["depends_on"].items()} == {
            "mysql": "service_healthy",
            "redis": "service_healthy",
        }
        assert all("healthcheck" in SERVICES[name] for name in migrate["depends_on"])

    def test_stopping_a_worker_lets_its_task_finish(self, settings: Any) -> None:
        assert int(OURS["worker"]["stop_grace_period"].rstrip("s")) > settings.CELERY_TASK_TIME_LIMIT

    def test_redis_never_drops_a_waiting_ring_for_memory(self) -> None:
        command = SERVICES["redis"]["command"]
        assert command[command.index("--maxmemory-policy") + 1] == "noeviction"

    @pytest.mark.parametrize("name", SERVICES)
    def test_mount_files_and_volumes_that_exist(self, name: str) -> None:
        for volume in SERVICES[name].get("volumes", []):
            source = volume.split(":")[0]
            assert (REPOSITORY / source).exists() if source.startswith("./") else source in COMPOSE["volumes"]

    @pytest.mark.parametrize("name", SERVICES)
    def test_open_no_port_to_the_network(self, name: str) -> None:
        assert all(port.startswith("127.0.0.1:") for port in SERVICES[name].get("ports", []))


class TestImage:
    @pytest.mark.parametrize(
        "path",
        [
            "manage.py",
            "config/settings.py",
            "foundation/money.py",
            "members/models.py",
            "listings/models.py",
            "ai_suggestions/models.py",
            "ops/gunicorn.conf.py",
            "requirements/server.txt",
        ],
    )
    def test_holds_what_the_service_needs(self, path: str) -> None:
        assert built_into_the_image(path)

    @pytest.mark.parametrize("path", [".env", ".git/config", "var/preloved.sqlite3", "tests/conftest.py"])
    def test_leaves_out_secrets_data_and_tests(self, path: str) -> None:
        assert not built_into_the_image(path)

    def test_copies_only_files_that_exist(self) -> None:
        copied = re.findall(r"^COPY (?!--from)(\S+) ", DOCKERFILE, re.MULTILINE)
        assert copied
        assert all((REPOSITORY / source).exists() for source in copied)

    def test_runs_as_an_ordinary_user(self) -> None:
        assert re.findall(r"^USER (\S+)", DOCKERFILE, re.MULTILINE) == ["preloved"]

    def test_sets_only_variables_that_are_read(self) -> None:
        block = re.search(r"^ENV (.*?[^\\])\n", DOCKERFILE, re.MULTILINE | re.DOTALL)
        assert block
        names = set(re.findall(r"([A-Z_]+)=", block[1])) - {
            "PATH",
            "PYTHONUNBUFFERED",
            "PYTHONDONTWRITEBYTECODE",
        }
        assert names <= set(variables_of_the_service())

    def test_is_alive_where_the_service_says_so(self) -> None:
        from django.urls import reverse

        assert f"127.0.0.1:8000{reverse('livez')}'" in DOCKERFILE
