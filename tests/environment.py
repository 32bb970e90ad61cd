"""The environment that the settings see in tests: a folder of its own, nothing of the developer's."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

REPOSITORY = Path(__file__).resolve().parents[1]
# Set by the launcher (python -m tests.servers) or by the developer on purpose.
KEPT = frozenset({"DATABASE_URL", "REDIS_URL"})
HOME = "PRELOVED_HOME"


def variables_of_the_service() -> list[str]:
    """The names in .env.example; tests/repository/test_environment.py keeps that list complete."""
    text = (REPOSITORY / ".env.example").read_text(encoding="utf-8")
    return re.findall(r"^(?:# )?([A-Z][A-Z0-9_]*)=", text, re.MULTILINE)


def prepare() -> None:
    """Set the environment for this process; has to run before anything reads django.conf.settings."""
    for name in variables_of_the_service():
        if name not in KEPT:
            os.environ.pop(name, None)
    worker = os.environ.get("PYTEST_XDIST_WORKER")
    os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"
    os.environ["ENV_FILE"] = os.devnull
    os.environ[HOME] = tempfile.mkdtemp(prefix=f"preloved-tests-{worker or 'main'}-")
    os.environ["SECRET_KEY"] = "not-a-secret-" + "0" * 50
    # Tests of photo checks switch them on; the others need no net for their drawn photos.
    os.environ["PHOTO_CHECK"] = ""
    # As in production; tests of a sandbox take the fixture of that name.
    os.environ["SANDBOX"] = "false"
    # 32 bytes each, in base 64.
    os.environ["ENCRYPTION_KEYS"] = "test:" + "A" * 43 + "="
    os.environ["BLIND_INDEX_KEYS"] = "test:" + "B" * 42 + "A="
    if os.environ.get("REDIS_URL") and worker:
        # One database of the Redis server for each worker: tests empty theirs.
        parts = urlsplit(os.environ["REDIS_URL"])
        number = int(worker.removeprefix("gw")) + 1
        os.environ["REDIS_URL"] = urlunsplit(parts._replace(path=f"/{number}"))


def clean_up() -> None:
    """Remove this process's folder."""
    remove(Path(os.environ[HOME]))


def remove(folder: Path) -> None:
    """Remove a folder, whether or not a test made or already removed it."""
    shutil.rmtree(folder, ignore_errors=True)
