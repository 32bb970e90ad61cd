"""What every test stands on: own environment, own folders, a clean cache; and which tests need a server."""

from __future__ import annotations

import gc
import os
from collections.abc import Generator, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from django.conf import settings

from tests import environment, server_template, template

# Before pytest-django looks at the settings, which read the environment once.
if settings.configured:
    raise pytest.UsageError("Unset DJANGO_SETTINGS_MODULE: the tests name their settings themselves")
environment.prepare()

if TYPE_CHECKING:
    from pytest_django import Settings

SQLITE = "django.db.backends.sqlite3"
DATABASE_FIXTURES = frozenset({"db", "transactional_db", "django_db_reset_sequences", "live_server"})


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--second-round",
        choices=["needed", "again"],
        help="on other servers: what needs them, or again whatever touches the database or Redis",
    )


def _only_hands_out(config: pytest.Config) -> bool:
    """Whether this is xdist's process that gives the tests to its workers and runs none."""
    workers = getattr(config.option, "tx", None) and config.option.dist != "no"
    return bool(workers) and not hasattr(config, "workerinput") and not config.option.collectonly


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    if _only_hands_out(config):
        return  # before the settings are read: setting up Django would keep the workers waiting for seconds
    # A hash that takes its time on purpose would be most of the suite's time.
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    # A file, as in the embedded default: a database in memory knows neither WAL nor waiting for a lock.
    if settings.DATABASES["default"]["ENGINE"] == SQLITE:
        own = settings.DATABASES["default"].setdefault("TEST", {})
        own["NAME"] = str(Path(os.environ[environment.HOME]) / "test.sqlite3")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_setupnodes() -> None:
    # With this variable a worker would read the settings before it has an environment of its own.
    os.environ.pop("DJANGO_SETTINGS_MODULE", None)


def pytest_unconfigure() -> None:
    environment.clean_up()


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    # Bytes of pictures are noise in a name, and where they are random, two workers collect different tests.
    return argname if isinstance(val, bytes) and len(val) > 40 else None


NEEDS_SERVERS = ("needs_server", "needs_redis", "second_round")


def _is_of_second_round(item: pytest.Item, which: str) -> bool:
    if any(item.get_closest_marker(name) for name in NEEDS_SERVERS):
        return True
    if which == "needed" or item.get_closest_marker("any_database"):
        return False
    return bool(
        item.get_closest_marker("django_db") or DATABASE_FIXTURES & set(getattr(item, "fixturenames", ()))
    )


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Of the short second round: modules that name none of its markers are not even imported."""
    if config.getoption("--second-round") != "needed" or not collection_path.name.startswith("test_"):
        return None
    text = collection_path.read_text(encoding="utf-8")
    return None if any(name in text for name in NEEDS_SERVERS) else True


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """The million objects that collecting makes stay to the end: no need to look through them ever again."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if which := config.getoption("--second-round"):
        others = [item for item in items if not _is_of_second_round(item, which)]
        if others:
            config.hook.pytest_deselected(items=others)
            items[:] = [item for item in items if _is_of_second_round(item, which)]

    missing = {}
    if settings.DATABASES["default"]["ENGINE"] != "foundation.mysql":
        missing["needs_server"] = "needs MySQL or MariaDB; runs in the second round of make test"
        missing["second_round"] = "long; runs in the second round of make test, on servers"
    if not settings.REDIS_URL:
        missing["needs_redis"] = "needs Redis; runs in the second round of make test"
    for item in items:
        for marker, reason in missing.items():
            if item.get_closest_marker(marker):
                item.add_marker(pytest.mark.skip(reason=reason))

    # The long ones first, or one of them, begun last, keeps the other worker waiting at the end.
    items.sort(key=lambda item: item.get_closest_marker("slow") is None)


@pytest.fixture(autouse=True, scope="session")
def _looking_for_static_files_once() -> Iterator[None]:
    """Every test client makes the middleware anew, and WhiteNoise would look through all packages."""
    from whitenoise.middleware import WhiteNoiseMiddleware

    found: dict[str, object] = {}
    look = WhiteNoiseMiddleware.add_files_from_finders

    def remember(middleware: WhiteNoiseMiddleware) -> None:
        if not found:
            look(middleware)
            found.update(middleware.files)
        middleware.files = dict(found)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(WhiteNoiseMiddleware, "add_files_from_finders", remember)
        yield


@pytest.fixture(autouse=True)
def _clean_cache() -> None:
    """Neither cached answers nor used-up rate limits pass from one test to the next."""
    from django.core.cache import cache

    from foundation.api import limits

    cache.clear()
    limits._limiter.cache_clear()


@pytest.fixture(scope="session")
def _turn(django_db_modify_db_settings: None) -> Iterator[ExitStack]:
    """Held from the look for a template until there is one."""
    with ExitStack() as held:
        if settings.DATABASES["default"]["ENGINE"] == SQLITE or os.environ.get(server_template.PRIVATE):
            held.enter_context(template.turn())
        yield held


@pytest.fixture(scope="session")
def django_db_keepdb(_turn: ExitStack) -> bool:
    """Whether the database is a copy of one that was migrated before; then it is not migrated again."""
    server = settings.DATABASES["default"]
    own = server["TEST"]
    if server["ENGINE"] == SQLITE:
        is_copy = template.lay_out(Path(own["NAME"]))
    else:
        is_copy = server_template.lay_out(server, _database_of_tests())
    if is_copy:
        own["MIGRATE"] = False
        _turn.close()
    return is_copy


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_keepdb: bool, _turn: ExitStack) -> None:
    """As by default; and keeps a copy for the next process."""
    server = settings.DATABASES["default"]
    if not django_db_keepdb:
        if server["ENGINE"] == SQLITE:
            template.keep(Path(server["TEST"]["NAME"]))
        else:
            server_template.keep(server, server["NAME"])
    _turn.close()


def _database_of_tests() -> str:
    """As Django is about to name it."""
    server = settings.DATABASES["default"]
    return str(server["TEST"].get("NAME") or f"test_{server['NAME']}")


@pytest.fixture(autouse=True, scope="session")
def _emptying_the_tables() -> Iterator[None]:
    """After a test on real transactions its rows are deleted, of the tables that have any."""
    from django.test import TransactionTestCase

    from tests.emptying import empty_the_tables

    case_class: Any = TransactionTestCase  # its hooks are not in the stubs
    tear_down = case_class._fixture_teardown
    case_class._fixture_teardown = lambda case: empty_the_tables()
    yield
    case_class._fixture_teardown = tear_down


@pytest.fixture
def sandbox(settings: Settings) -> Iterator[None]:
    """SANDBOX is on, and its clock has not been advanced."""
    from foundation import clock

    settings.SANDBOX = True
    clock.forget()
    yield
    clock.forget()


@pytest.fixture(autouse=True)
def storage_folder(settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """This test's own public media and private originals: the folders `media` and `originals` in it."""
    folder = tmp_path_factory.getbasetemp() / f"storage-{os.urandom(6).hex()}"
    settings.MEDIA_ROOT = folder / "media"
    settings.STORAGES = settings.STORAGES | {
        "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
        "originals": {
            "BACKEND": "django.core.files.storage.FileSystemStorage",
            "OPTIONS": {"location": str(folder / "originals"), "base_url": None},
        },
    }
    yield folder
    environment.remove(folder)


@pytest.fixture(scope="session")
def s3_server() -> Iterator[str]:
    """The address of an S3 server on the wire (moto), for the length of the run."""
    server_module = pytest.importorskip("moto.server", reason="moto is not installed")
    server = server_module.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    _host, port = server.get_host_and_port()
    yield f"http://127.0.0.1:{port}"
    server.stop()
