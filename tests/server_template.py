"""A migrated database of MariaDB or MySQL, kept as SQL in var/: migrating takes ten seconds in every process.

Only for servers that `tests.servers` starts and throws away; on another nobody would remove the databases.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tests import template

PRIVATE = "TEST_SERVER_IS_PRIVATE"
_CLIENTS, _DUMPS = ("mariadb", "mysql"), ("mariadb-dump", "mysqldump")


def lay_out(server: Mapping[str, Any], database: str) -> bool:
    """Make `database` on a server of DATABASES; whether there was a template to make it from."""
    if not _is_possible():
        return False
    kept = _path(server)
    if not kept.is_file():
        return False
    again = f"DROP DATABASE IF EXISTS `{database}`; CREATE DATABASE `{database}` {_text_of(server)}"
    _run(server, _CLIENTS, ["--execute", again])  # the last run on this server may have left one
    with kept.open("rb") as sql:
        _run(server, _CLIENTS, [database], stdin=sql)
    return True


def keep(server: Mapping[str, Any], database: str) -> None:
    """Keep what was just migrated; templates of other migrations go."""
    if not _is_possible():
        return
    for former in template.FOLDER.glob("*.sql"):
        former.unlink(missing_ok=True)
    half = template.FOLDER / f"{os.getpid()}.half"
    half.write_bytes(_run(server, _DUMPS, ["--triggers", "--routines", "--skip-lock-tables", database]))
    half.replace(_path(server))


def _is_possible() -> bool:
    programs = any(map(shutil.which, _CLIENTS)) and any(map(shutil.which, _DUMPS))
    return bool(os.environ.get(PRIVATE)) and programs


def _path(server: Mapping[str, Any]) -> Path:
    version = (
        _run(server, _CLIENTS, ["--skip-column-names", "--execute", "SELECT VERSION()"]).decode().strip()
    )
    return template.path().with_suffix(f".{version}.sql")


def _text_of(server: Mapping[str, Any]) -> str:
    own = server["TEST"]
    return f"CHARACTER SET {own['CHARSET']} COLLATE {own['COLLATION']}"


def _run(
    server: Mapping[str, Any], programs: Sequence[str], arguments: Sequence[str], *, stdin: Any = None
) -> bytes:
    program = next(found for name in programs if (found := shutil.which(name)))
    address = [f"--host={server['HOST']}", f"--port={server['PORT']}", f"--user={server['USER']}"]
    command = [program, "--no-defaults", *address, *arguments]
    return subprocess.run(command, stdin=stdin, stdout=subprocess.PIPE, check=True).stdout
