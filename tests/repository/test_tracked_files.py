"""What must not be in a commit."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from tests.repository.sources import REPOSITORY, tracked_files

# Put together at run time, so that this file does not find itself.
MACHINE_FOLDERS = "|".join(["work", "farm", "root", "Users"])
MACHINE_PATHS = re.compile(rf"(?:^|[^A-Za-z0-9_.-])/(?:{MACHINE_FOLDERS})/[A-Za-z]")
REGISTRIES = re.compile(
    "|".join(
        ["index" + "-url", "registry" + r"\s*=\s*[\"']http", r"https?://[^\s\"']+\." + r"(?:whl|tar\.gz)"]
    )
)
# make lock has to switch the index line off by its name.
NAMES_THE_OPTION = {"Makefile"}
SECRETS = re.compile(r"-----BEGIN [A-Z ]*" + r"PRIVATE KEY-----|AKIA[0-9A-Z]{16}|sk-[A-Za-z0-9]{32,}")


def lines_with(pattern: re.Pattern[str], *, besides: set[str] | None = None) -> list[str]:
    found = []
    for path in tracked_files():
        name = str(path.relative_to(REPOSITORY))
        if name in (besides or set()):
            continue
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        found += [
            f"{name}:{number}: {line.strip()[:120]}"
            for number, line in enumerate(text.splitlines(), 1)
            if pattern.search(line)
        ]
    return found


class TestTrackedFiles:
    def test_name_no_path_of_a_machine(self) -> None:
        assert not lines_with(MACHINE_PATHS)

    def test_name_no_package_registry(self) -> None:
        assert not lines_with(REGISTRIES, besides=NAMES_THE_OPTION)

    def test_hold_no_secret(self) -> None:
        assert not lines_with(SECRETS)

    def test_hold_nothing_that_is_written_at_run_time(self) -> None:
        ignored = subprocess.run(
            ["git", "ls-files", "--cached", "--ignored", "--exclude-standard"],
            cwd=REPOSITORY,
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        assert ignored == ""

    @pytest.mark.parametrize(
        "script", [p for p in tracked_files() if p.read_bytes()[:2] == b"#!"], ids=lambda path: path.name
    )
    def test_that_are_programs_may_be_run(self, script: Path) -> None:
        assert script.stat().st_mode & 0o111
        if b"bash" in script.read_bytes().partition(b"\n")[0]:
            subprocess.run(["bash", "-n", str(script)], check=True)
