"""Files for operators: read by the programs they are written for, where this machine has them."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.repository.sources import REPOSITORY

PATH = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin"])


def program(name: str, package: str) -> str:
    found = shutil.which(name, path=PATH)
    if found is None:
        pytest.skip(f"{name} is not installed (Debian package {package})")
    return found


class TestNginxExample:
    def test_is_accepted_by_nginx(self, tmp_path: Path) -> None:
        nginx, openssl = program("nginx", "nginx-light"), program("openssl", "openssl")
        key, certificate = tmp_path / "privkey.pem", tmp_path / "fullchain.pem"
        subprocess.run(
            [
                openssl,
                "req",
                "-x509",
                "-newkey",
                "rsa:2048",
                "-nodes",
                "-days",
                "1",
                "-subj",
                "/CN=preloved.example",
                "-keyout",
                str(key),
                "-out",
                str(certificate),
            ],
            check=True,
            capture_output=True,
        )
        text = (REPOSITORY / "ops" / "nginx.conf").read_text(encoding="utf-8")
        text = text.replace("/etc/preloved/tls", str(tmp_path)).replace(
            "include mime.types", "include /etc/nginx/mime.types"
        )
        conf = tmp_path / "nginx.conf"
        conf.write_text(f"pid {tmp_path}/pid;\nerror_log {tmp_path}/error.log;\n{text}")
        done = subprocess.run(
            [nginx, "-t", "-c", str(conf), "-p", str(tmp_path)], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr

    def test_lets_the_largest_request_through_to_the_service(self) -> None:
        from django.conf import settings

        text = (REPOSITORY / "ops" / "nginx.conf").read_text(encoding="utf-8")
        limit = re.search(r"client_max_body_size (\d+)m;", text)
        assert limit
        assert int(limit[1]) * 1_000_000 > settings.MAX_REQUEST_BYTES


class TestMysqlSettings:
    def test_are_loaded_by_the_private_server(self) -> None:
        """A wrong line stops mariadbd; the harness includes this very file."""
        from tests.servers.databases import SERVER_SETTINGS

        assert SERVER_SETTINGS == REPOSITORY / "ops" / "mysql.cnf"


class TestGunicornSettings:
    def test_have_threads_left_when_every_wait_slot_is_taken(self) -> None:
        from django.conf import settings

        values: dict[str, object] = {}
        text = (REPOSITORY / "ops" / "gunicorn.conf.py").read_text(encoding="utf-8")
        exec(compile(text, "gunicorn.conf.py", "exec"), values)  # noqa: S102  # as gunicorn does
        threads = values["threads"]
        assert isinstance(threads, int)
        assert threads > settings.WAIT_SLOTS
