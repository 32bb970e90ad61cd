"""The demo, as a newcomer runs it: real processes, real HTTP, real photos, the embedded default."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PHOTOS = ROOT / "demo" / "photos"

# The second round of `make test` is about servers; the demo has none.
pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


def run_demo(home: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """`make demo ONCE=1` without the set-up, which has happened."""
    own = {
        name: value
        for name, value in os.environ.items()
        if name not in ("DATABASE_URL", "REDIS_URL", "SANDBOX")
    }
    return subprocess.run(
        [sys.executable, "-m", "demo"],
        cwd=ROOT,
        env={**own, "PRELOVED_HOME": str(home), "ONCE": "1", **environment},
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class TestDemo:
    def test_turns_photos_into_listings_that_a_buyer_buys(self, home: Path, tmp_path: Path) -> None:
        photos = tmp_path / "photos"
        for name in ("sneakers", "clothing-label"):
            shutil.copytree(PHOTOS / name, photos / name)

        demo = run_demo(home, PHOTOS=str(photos), PORT=str(free_port()))

        assert demo.returncode == 0, demo.stdout + demo.stderr
        assert demo.stdout.count("published after") == 2
        assert "2 new listings" in demo.stdout
        # Read on the label of the second photo, not guessed.
        assert "“ESPRIT” (read, photo 1, top" in demo.stdout
        assert demo.stdout.count("Bruno pays by card") == 2
        assert "the bank pays: 0.00 EUR left" in demo.stdout
        assert "difference 0.00 EUR" in demo.stdout
        assert "filed and accepted" in demo.stdout

    def test_names_the_port_that_is_taken(self, home: Path) -> None:
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            port = taken.getsockname()[1]

            demo = run_demo(home, PORT=str(port))

        assert demo.returncode == 1
        assert f"Port {port} is taken" in demo.stdout
        assert f"make demo PORT={port + 1}" in demo.stdout

    def test_names_the_folder_without_photos(self, home: Path, tmp_path: Path) -> None:
        demo = run_demo(home, PHOTOS=str(tmp_path))

        assert demo.returncode == 1
        assert "There is no photo" in demo.stdout
