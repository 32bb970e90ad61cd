"""A migrated SQLite database, kept in var/ for the next run: migrating costs seconds in every process."""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import shutil
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import django

from tests.environment import REPOSITORY

FOLDER = REPOSITORY / "var" / "test-databases"
_IMPORT = re.compile(r"^(?:from|import) ([a-z_0-9.]+)", re.MULTILINE)


def path() -> Path:
    """Where the database of these migrations is, whether or not it is there already."""
    migrations = sorted(REPOSITORY.glob("*/migrations/*.py"))
    parts = {file: file.read_bytes() for file in [*migrations, REPOSITORY / "requirements" / "dev.txt"]}
    for file in migrations:
        for module in _IMPORT.findall(parts[file].decode()):
            used = REPOSITORY / (module.replace(".", "/") + ".py")
            if used.is_file():
                parts[used] = used.read_bytes()
    digest = hashlib.sha256(f"{sys.version} {sqlite3.sqlite_version} {django.__version__}".encode())
    for file in sorted(parts):
        digest.update(f"{file.relative_to(REPOSITORY)} {len(parts[file])} ".encode() + parts[file])
    return FOLDER / f"{digest.hexdigest()[:32]}.sqlite3"


@contextmanager
def turn() -> Iterator[None]:
    """One process at a time, so that the second finds what the first has kept."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    with (FOLDER / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def lay_out(database: Path) -> bool:
    """Copy it to `database`; whether there was one."""
    try:
        shutil.copyfile(path(), database)
    except FileNotFoundError:
        return False
    return True


def keep(database: Path) -> None:
    """Keep a copy of a freshly migrated database; those of other migrations go."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    for former in FOLDER.glob("*.sqlite3"):
        former.unlink(missing_ok=True)
    half = FOLDER / f"{os.getpid()}.half"
    half.unlink(missing_ok=True)
    connection = sqlite3.connect(database)
    connection.execute("VACUUM INTO ?", [str(half)])
    connection.close()
    half.replace(path())
