"""Typed readers of environment variables. A wrong value stops the start and names the variable.

`.env` in the project folder, or the file that ENV_FILE names, is read first; real variables win over it.
`.env.example` lists every variable; a test keeps it true.
"""

from __future__ import annotations

import ipaddress
import os
import secrets
from collections.abc import Callable
from pathlib import Path

from environs import Env

BASE_DIR = Path(__file__).resolve().parent.parent

ENV_FILE = Path(os.environ.get("ENV_FILE", BASE_DIR / ".env"))

env = Env()
if ENV_FILE.is_file():
    env.read_env(str(ENV_FILE), recurse=False)


class ConfigurationError(Exception):
    """A setting that cannot be used, with the variable's name and what it should be."""


def _random_text() -> str:
    return secrets.token_urlsafe(64)


def generated_secret(path: Path, *, make: Callable[[], str] = _random_text) -> str:
    """A secret made at the first start and kept in a file only its owner can read.

    For the embedded default only: replicas of a server install must share theirs by SECRET_KEY.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_text().strip()
    with os.fdopen(descriptor, "w") as file:
        file.write(make())
    return path.read_text().strip()


def by_plan(given: dict[str, str], **defaults: int) -> dict[str, int]:
    """``private=200,professional=3000``: a number for each plan; those that are left out keep the default."""
    if not set(given) <= set(defaults) or not all(number.isdecimal() for number in given.values()):
        shape = ",".join(f"{plan}={number}" for plan, number in defaults.items())
        raise ConfigurationError(f"{given} should look like {shape}")
    return defaults | {plan: int(number) for plan, number in given.items()}


def networks(name: str, given: list[str]) -> list[ipaddress.IPv4Network | ipaddress.IPv6Network]:
    """IP networks such as 10.0.0.0/8. Raises ConfigurationError."""
    found = []
    for text in given:
        try:
            found.append(ipaddress.ip_network(text.strip()))
        except ValueError:
            raise ConfigurationError(f"{name} holds {text!r}, should be networks like 10.0.0.0/8") from None
    return found
