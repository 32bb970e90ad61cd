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


class DatabaseServer:
    """A MariaDB of its own, that can be killed and started again on the same data."""

    def __init__(self, folder: Path, *, durable: bool) -> None:
        self.folder = folder
        self.port = free_port()
        self.url = f"mysql://root@127.0.0.1:{self.port}/preloved"
        self.settings = folder / "my.cnf"
        self.settings.write_text(
            f"!include {SERVER_SETTINGS}\n"
            + TEST_SETTINGS.format(folder=folder, port=self.port, flush=int(durable))
        )
        # mariadbd refuses to run as root, so root hands the folder to the package's user.
        self.as_user = ["--user=mysql"] if os.geteuid() == 0 else []
        self.running = contextlib.ExitStack()
        self.process: subprocess.Popen[bytes] | None = None

    def install(self) -> None:
        """Make the data folder. Raises ServerUnavailable."""
        program = _program("mariadb-install-db", "mysql_install_db", package="mariadb-server")
        if self.as_user:
            shutil.chown(self.folder, "mysql")
            self.folder.chmod(0o755)
        made = subprocess.run(
            [
                program,
                "--no-defaults",
                *self.as_user,
                f"--datadir={self.folder}/data",
                "--auth-root-authentication-method=normal",
                "--skip-test-db",
            ],
            capture_output=True,
            text=True,
            check=False,
        )
        if made.returncode != 0:
            raise ServerUnavailable(f"mariadb-install-db failed: {(made.stderr or made.stdout)[-400:]}")

    def start(self) -> None:
        """Start it and wait until it answers. Raises ServerUnavailable."""
        server = _program("mariadbd", "mysqld", package="mariadb-server")
        self.process = self.running.enter_context(
            running(
                [server, f"--defaults-file={self.settings}", *self.as_user],
                log=self.folder / "log",
                ready=lambda: answers_on(self.port),
                name="MariaDB",
            )
        )

    def kill(self) -> None:
        """As a power cut would: nothing is flushed that was not."""
        if self.process is not None:
            self.process.kill()
            self.process.wait(20)
        self.running.close()


@contextlib.contextmanager
def mariadb_server(*, durable: bool = False) -> Iterator[DatabaseServer]:
    """A running MariaDB server of its own.

    The data is thrown away, so durability would only cost time; a benchmark asks for it.
    """
    if importlib.util.find_spec("MySQLdb") is None:
        raise ServerUnavailable(
            "mysqlclient is not installed (its build needs gcc, pkg-config and libmariadb-dev)"
        )
    with tempfile.TemporaryDirectory(prefix="preloved-mariadb-", ignore_cleanup_errors=True) as name:
        server = DatabaseServer(Path(name), durable=durable)
        server.install()
        server.start()
        try:
            yield server
        finally:
            server.running.close()


@contextlib.contextmanager
def mariadb(*, durable: bool = False) -> Iterator[str]:
    """The same, as a DATABASE_URL whose user may create databases."""
    with mariadb_server(durable=durable) as server:
        yield server.url


@contextlib.contextmanager
def redis() -> Iterator[str]:
    """A Redis server of its own that keeps nothing on disk; gives a REDIS_URL."""
    server = _program("redis-server", "valkey-server", package="redis-server")
    with tempfile.TemporaryDirectory(prefix="preloved-redis-") as name:
        port = free_port()
        command = [server, "--port", str(port), "--bind", "127.0.0.1", "--dir", name, "--save", ""]
        with running(command, log=Path(name) / "log", ready=lambda: answers_on(port), name="Redis"):
            yield f"redis://127.0.0.1:{port}/0"
