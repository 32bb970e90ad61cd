"""The house's rules of architecture.md that a machine can see."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from tests.repository.sources import (
    REPOSITORY,
    project,
    service_modules,
    service_packages,
    syntax_of,
    tracked_files,
)

LONGEST_FILE = 400
ROOMS_WITHOUT_A_NAME = {"utils", "util", "helpers", "helper", "common", "misc"}


def relative(path: Path) -> str:
    return str(path.relative_to(REPOSITORY))


class TestFiles:
    def test_are_short_enough_to_read_in_one_go(self) -> None:
        long = {
            relative(path): lines
            for path in tracked_files()
            if path.suffix == ".py" and "migrations" not in path.parts
            if (lines := len(path.read_text(encoding="utf-8").splitlines())) > LONGEST_FILE
        }
        assert not long, f"split these by the words of the domain: {long}"

    def test_have_names_that_say_what_is_inside(self) -> None:
        nameless = [
            relative(path)
            for path in tracked_files()
            if path.suffix == ".py"
            and ROOMS_WITHOUT_A_NAME & {path.stem, *path.relative_to(REPOSITORY).parts}
        ]
        assert not nameless

    @pytest.mark.parametrize(
        "name",
        ["manage.py", "README.md", "docker-compose.yml", "pyproject.toml", "config", "listings", "tests"],
    )
    def test_that_the_user_fixed_stand_at_the_top(self, name: str) -> None:
        assert (REPOSITORY / name).exists()


class TestImportContracts:
    def test_are_kept(self) -> None:
        done = subprocess.run(
            [
                sys.executable,
                "-c",
                "from importlinter.cli import lint_imports_command as run; run()",
                "--no-cache",
            ],
            cwd=REPOSITORY,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-1000:]

    def test_govern_every_package(self) -> None:
        assert set(project()["tool"]["importlinter"]["root_packages"]) == set(service_packages())

    def test_have_no_exceptions(self) -> None:
        for contract in project()["tool"]["importlinter"]["contracts"]:
            assert not contract.get("ignore_imports"), contract["name"]

    def test_order_the_floors_of_every_app(self) -> None:
        floors = next(c for c in project()["tool"]["importlinter"]["contracts"] if c["id"] == "floors")
        assert set(floors["containers"]) == set(service_packages()) - {"config", "foundation"}


class TestHabits:
    def test_no_model_hides_effects_in_save_or_delete(self) -> None:
        overridden = [
            f"{relative(path)}: {node.name}.{item.name}"
            for path in service_modules()
            if "models" in path.stem or "models" in path.parts
            for node in ast.walk(syntax_of(path))
            if isinstance(node, ast.ClassDef)
            for item in node.body
            if isinstance(item, ast.FunctionDef) and item.name in ("save", "delete")
        ]
        assert not overridden

    def test_no_signal_of_the_orm_carries_business(self) -> None:
        users = [
            relative(path)
            for path in service_modules()
            for node in ast.walk(syntax_of(path))
            if isinstance(node, ast.ImportFrom)
            and (node.module == "django.db.models.signals" or node.module == "django.dispatch")
        ]
        assert not users
