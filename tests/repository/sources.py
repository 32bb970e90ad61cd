"""What the repository tests look at: the tracked files and the packages of the service."""

from __future__ import annotations

import ast
import functools
import subprocess
import tomllib
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).resolve().parents[2]


@functools.cache
def tracked_files() -> list[Path]:
    """Files that a commit of the working tree's index would hold and that still exist."""
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=REPOSITORY, capture_output=True, text=True, check=True
    ).stdout
    return [REPOSITORY / name for name in listed.split("\0") if name and (REPOSITORY / name).is_file()]


@functools.cache
def project() -> dict[str, Any]:
    """pyproject.toml."""
    return tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))


@functools.cache
def service_packages() -> list[str]:
    """Top-level packages of the service: what the import contracts govern."""
    return sorted(
        folder.name
        for folder in REPOSITORY.iterdir()
        if (folder / "__init__.py").is_file() and folder.name not in ("tests", "bench", "demo")
    )


def service_modules() -> list[Path]:
    """Python files of the service without migrations, which are written by Django, and training programs."""
    return [
        path
        for package in service_packages()
        for path in sorted((REPOSITORY / package).rglob("*.py"))
        if "migrations" not in path.parts and "training" not in path.parts
    ]


@functools.cache
def syntax_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


@functools.cache
def text_of_tests() -> str:
    """All test code except these repository tests, in which a name may stand for another reason."""
    return "\n".join(
        path.read_text(encoding="utf-8")
        for path in sorted((REPOSITORY / "tests").rglob("*.py"))
        if path.parent.name != "repository"
    )
