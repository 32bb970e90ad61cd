"""Generated requests, sound and unsound, against every operation of the committed OpenAPI document.

Nothing may answer 500, every answer fits the document, and unsound data is refused. SCHEMATHESIS_EXAMPLES=200
asks more of each operation.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import hypothesis
import pytest
import schemathesis
from schemathesis.config import SchemathesisConfig

if TYPE_CHECKING:
    from tests.journeys.schemathesis_world import Aim, World

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "api" / "openapi.yaml"
EXAMPLES = int(os.environ.get("SCHEMATHESIS_EXAMPLES", "8"))

pytestmark = pytest.mark.django_db

# Sound by the document, yet refused by a rule that no schema can state, or for want of If-Match.
RULES = ["412", "415", "422", "428"]
CONFIG = SchemathesisConfig.from_dict(
    {
        # No text of ours holds NUL; tests/foundation has it.
        "generation": {"allow-x00": False},
        "checks": {
            "positive_data_acceptance": {
                "expected-statuses": ["2xx", "304", "401", "403", "404", "409", *RULES]
            },
            "negative_data_rejection": {
                "expected-statuses": ["400", "401", "403", "404", "405", "409", *RULES]
            },
            "missing_required_header": {"expected-statuses": ["400", "401", "428"]},
        },
        "operations": [
            {
                # Without gunicorn's connection, or a place, a stream over a live run is refused;
                # tests/ai_suggestions/test_events.py has the streams.
                "include-path-regex": "/suggestion-runs/.*/events$",
                "checks": {
                    "positive_data_acceptance": {"enabled": False},
                    "not_a_server_error": {"expected-statuses": ["2xx", "3xx", "4xx", "503"]},
                },
            }
        ],
    }
)
schema = schemathesis.openapi.from_path(DOCUMENT, config=CONFIG)


def service(environ: Any, start_response: Any) -> Any:
    """The WSGI application, imported when the settings stand."""
    from config.wsgi import application

    return application(environ, start_response)


schema.app = service


@pytest.fixture(scope="module", autouse=True)
def storage_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """One for all operations: the files of the committed world have to be there for each."""
    from django.conf import settings
    from django.test import override_settings

    folder = tmp_path_factory.mktemp("storage")
    originals = {
        "BACKEND": "django.core.files.storage.FileSystemStorage",
        "OPTIONS": {"location": str(folder / "originals"), "base_url": None},
    }
    with override_settings(
        MEDIA_ROOT=folder / "media", STORAGES=settings.STORAGES | {"originals": originals}
    ):
        yield folder


@pytest.fixture(scope="module")
def committed_world(django_db_setup: None, django_db_blocker: Any, storage_folder: Path) -> Iterator[World]:
    """Made once and committed; each operation's own changes are rolled back with its test."""
    from tests.emptying import empty_the_tables
    from tests.journeys.schemathesis_world import build

    with django_db_blocker.unblock():
        yield build()
        empty_the_tables()


@pytest.fixture(scope="module")
def targets(committed_world: World, django_db_blocker: Any) -> dict[str, list[str]]:
    """For each path parameter what exists; committed too."""
    from tests.journeys.schemathesis_world import orders_of, things

    with django_db_blocker.unblock():
        return things(committed_world) | orders_of(committed_world)


@pytest.fixture
def aim(
    targets: dict[str, list[str]], db: None, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Aim]:
    from django.core import signals
    from django.db import close_old_connections

    from foundation.api import waiting
    from tests.journeys.schemathesis_world import Aim

    # The end of a request would close the connection of the test's transaction.
    signals.request_started.disconnect(close_old_connections)
    signals.request_finished.disconnect(close_old_connections)
    # Nobody works here, so waiting would only take its time.
    monkeypatch.setattr(waiting, "MAX_WAIT_S", 0)
    settings.RATE_LIMITS = dict.fromkeys(settings.RATE_LIMITS, "1000000/minute")
    yield Aim(targets)
    signals.request_started.connect(close_old_connections)
    signals.request_finished.connect(close_old_connections)


@schema.parametrize()
@hypothesis.settings(
    max_examples=EXAMPLES,
    # The same requests in every run of the suite; others whenever somebody asks for more.
    derandomize="SCHEMATHESIS_EXAMPLES" not in os.environ,
    database=None,
    deadline=None,
    suppress_health_check=list(hypothesis.HealthCheck),
)
def test_operation(case: schemathesis.Case[Any], committed_world: World, aim: Aim) -> None:
    aim.at(case)
    case.call_and_validate(headers=committed_world.headers)
