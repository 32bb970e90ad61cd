""".env.example lists every variable the service reads, and nothing else."""

from __future__ import annotations

import ast
import re
from pathlib import Path

from tests.environment import variables_of_the_service
from tests.repository.sources import REPOSITORY, service_modules, syntax_of

# Set by programs for programs, not by people.
INTERNAL = {"DJANGO_SETTINGS_MODULE"}
READERS = {"get", "getenv", "setdefault", "str", "int", "bool", "float", "list", "dict", "json"}


def variables_read_in(path: Path) -> set[str]:
    read = set()
    for node in ast.walk(syntax_of(path)):
        if isinstance(node, ast.Subscript) and ast.unparse(node.value) == "os.environ":
            # Writing one for a child process is no reading.
            if isinstance(node.ctx, ast.Load) and isinstance(node.slice, ast.Constant):
                read.add(str(node.slice.value))
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.args:
            owner, first = ast.unparse(node.func.value), node.args[0]
            reads = (owner == "env" and (node.func.attr in READERS or node.func.attr.startswith("dj_"))) or (
                owner in ("os.environ", "os") and node.func.attr in READERS
            )
            if reads and isinstance(first, ast.Constant):
                read.add(str(first.value))
    return read


def variables_read() -> set[str]:
    files = [*service_modules(), REPOSITORY / "ops" / "gunicorn.conf.py", REPOSITORY / "manage.py"]
    return set().union(*(variables_read_in(path) for path in files)) - INTERNAL


class TestEnvExample:
    def test_lists_every_variable_that_is_read(self) -> None:
        assert variables_read() - set(variables_of_the_service()) == set()

    def test_lists_nothing_that_is_not_read(self) -> None:
        assert set(variables_of_the_service()) - variables_read() == set()

    def test_lists_each_once(self) -> None:
        assert len(variables_of_the_service()) == len(set(variables_of_the_service()))

    def test_explains_each(self) -> None:
        """A sentence stands above every variable, or above the block of variables it is in."""
        lines = (REPOSITORY / ".env.example").read_text(encoding="utf-8").splitlines()
        explained = False
        unexplained = []
        for line in lines:
            if match := re.match(r"(?:# )?([A-Z][A-Z0-9_]*)=", line):
                if not explained:
                    unexplained.append(match[1])
            else:
                explained = bool(re.match(r"# [A-Za-z]", line)) and not line.startswith("# ---")
        assert not unexplained
