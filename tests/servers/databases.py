"""Private MariaDB and Redis servers (Debian packages mariadb-server and redis-server)."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tests.servers.processes import ServerUnavailable, answers_on, free_port, running

REPOSITORY = Path(__file__).resolve().parents[2]
SERVER_SETTINGS = REPOSITORY / "ops" / "mysql.cnf"

TEST_SETTINGS = """
[mysqld]
datadir = {folder}/data
socket = {folder}/socket
pid-file = {folder}/pid
port = {port}
bind-address = 127.0.0.1
innodb_flush_log_at_trx_commit = {flush}
innodb_buffer_pool_size = 128M
innodb_log_file_size = 64M
performance_schema = OFF
skip-log-bin
"""


def _program(*names: str, package: str) -> str:
    # Debian keeps servers in sbin, which is not on every developer's PATH.
    path = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin"])
    for name in names:
        if found := shutil.which(name, path=path):
            return found
    raise ServerUnavailable(f"{names[0]} is not installed (Debian package {package})")


@contextlib.contextmanager
def mariadb(*, durable: bool = False) -> Iterator[str]:
    """A MariaDB server of its own; gives a DATABASE_URL whose user may create databases.

    The data is thrown away, so durability would only cost time; a benchmark asks for it.
    """
    if importlib.util.find_spec("MySQLdb") is None:
        raise ServerUnavailable(
            "mysqlclient is not installed (its build needs gcc, pkg-config and libmariadb-dev)"
        )
    install = _program("mariadb-install-db", "mysql_install_db", package="mariadb-server")
    server = _program("mariadbd", "mysqld", package="mariadb-server")
    with tempfile.TemporaryDirectory(prefix="preloved-mariadb-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        settings = folder / "my.cnf"
        port = free_port()
        settings.write_text(
            f"!include {SERVER_SETTINGS}\n"
            + TEST_SETTINGS.format(folder=folder, port=port, flush=int(durable))
        )
        # mariadbd refuses to run as root, so root hands the folder to the package's user.
        as_user = ["--user=mysql"] if os.geteuid() == 0 else []
        if as_user:
            shutil.chown(folder, "mysql")
            folder.chmod(0o755)
        made = subprocess.run(
            [
                install,
                "--no-defaults",
                *as_user,
                f"--datadir={folder}/data",
                "--auth-root-authentication-method=normal",
                "--skip-test-db",
            ],
            capture_output=True,
            text=True,
            check=False,
        )
        if made.returncode != 0:
            raise ServerUnavailable(f"mariadb-install-db failed: {(made.stderr or made.stdout)[-400:]}")
        with running(
            [server, f"--defaults-file={settings}", *as_user],
            log=folder / "log",
            ready=lambda: answers_on(port),
            name="MariaDB",
        ):
            yield f"mysql://root@127.0.0.1:{port}/preloved"


@contextlib.contextmanager
def redis() -> Iterator[str]:
    """A Redis server of its own that keeps nothing on disk; gives a REDIS_URL."""
    server = _program("redis-server", "valkey-server", package="redis-server")
    with tempfile.TemporaryDirectory(prefix="preloved-redis-") as name:
        port = free_port()
        command = [server, "--port", str(port), "--bind", "127.0.0.1", "--dir", name, "--save", ""]
        with running(command, log=Path(name) / "log", ready=lambda: answers_on(port), name="Redis"):
            yield f"redis://127.0.0.1:{port}/0"
