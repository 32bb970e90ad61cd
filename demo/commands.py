"""The service's own commands, as whoever operates it runs them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Final

from demo.client import DemoFailed

ROOT: Final = Path(__file__).resolve().parent.parent


def manage(environment: dict[str, str], *arguments: str) -> str:
    """What `manage.py` prints. Raises DemoFailed when it ends otherwise than well."""
    done = subprocess.run(  # noqa: S603  # our own command
        [sys.executable, "manage.py", *arguments],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise DemoFailed(f"manage.py {arguments[0]}: {(done.stderr or done.stdout).strip()[-400:]}")
    return done.stdout
