from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from tests.environment import REPOSITORY


@pytest.mark.needs_server
@pytest.mark.slow
class TestBank:
    def test_keeps_every_promise_while_everything_is_killed(self) -> None:
        """Its own server with durable commits, since it kills it; `python -m tests.bank 60` for longer."""
        clean = {name: value for name, value in os.environ.items() if name != "DJANGO_SETTINGS_MODULE"}
        done = subprocess.run(
            [sys.executable, "-m", "tests.bank", "5", "4"],
            cwd=REPOSITORY,
            env=clean,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        report = json.loads(done.stdout)
        assert report["kept"]
        assert report["database_restarts"] >= 1
