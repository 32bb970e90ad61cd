"""The commands: every target explained, and what the documents tell people to type exists."""

from __future__ import annotations

import re
import subprocess

import pytest

from tests.repository.sources import REPOSITORY, tracked_files

MAKEFILE = (REPOSITORY / "Makefile").read_text(encoding="utf-8")
TARGETS = set(re.findall(r"^([a-z][a-z-]*):", MAKEFILE, re.MULTILINE))


class TestMakefile:
    def test_explains_every_target(self) -> None:
        explained = set(re.findall(r"^([a-z][a-z-]*):.*## \w", MAKEFILE, re.MULTILINE))
        assert explained == TARGETS

    def test_marks_every_target_as_no_file(self) -> None:
        assert set(re.findall(r"^\.PHONY: (\S+)", MAKEFILE, re.MULTILINE)) == TARGETS

    def test_help_lists_every_target(self) -> None:
        shown = subprocess.run(
            ["make", "help"], cwd=REPOSITORY, capture_output=True, text=True, check=True
        ).stdout
        assert {target for target in TARGETS if f"make {target} " in shown} == TARGETS

    @pytest.mark.parametrize(
        "target", ["setup", "demo", "run", "test", "check", "lint", "bench", "lock", "schema", "clean"]
    )
    def test_has_what_the_project_promises(self, target: str) -> None:
        assert target in TARGETS

    def test_documents_name_only_targets_that_exist(self) -> None:
        named = {
            (str(path.relative_to(REPOSITORY)), target)
            for path in tracked_files()
            if path.suffix == ".md"
            for target in re.findall(r"`make ([a-z][a-z-]*)", path.read_text(encoding="utf-8"))
        }
        assert {(path, target) for path, target in named if target not in TARGETS} == set()
