"""A sandbox's clock moves all of the business only if nobody asks another one."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from tests.repository.sources import REPOSITORY, service_modules, syntax_of

THE_CLOCK = "foundation/clock.py"
# What may read it; everything below is told `now`.
DOORS = {"admin", "api", "management", "tasks"}
OTHER_CLOCKS = {
    ("timezone", "now"),
    ("timezone", "localtime"),
    ("timezone", "localdate"),
    ("datetime", "now"),
    ("datetime", "utcnow"),
    ("datetime", "today"),
    ("date", "today"),
    ("time", "time"),
}
NEED_REAL_TIME = {
    "ai_suggestions/management/commands/compare_suggestions.py": "works without the sandbox's database",
    "ai_suggestions/management/commands/evaluate_suggestions.py": "likewise",
    "ai_suggestions/llm/wiring.py": "an endpoint is paid real money by the day, and recovers in real minutes",
    "ai_suggestions/tasks.py": "the calls of an endpoint were written down in real time",
    "balance/api/banking.py": "allauth wrote down in real time when a second factor was given",
    "balance/api/withdrawals.py": "allauth wrote down in real time when a second factor was given",
    "foundation/api/idempotency.py": "a request that runs is not lost when the clock is advanced",
    "foundation/api/webhooks.py": "providers sign by their own clock",
    "foundation/tasks.py": "subscribers verify by their own clock; clients repeat requests in real time",
    "foundation/sandbox/advancing.py": "business time is real time and something",
    "foundation/timers.py": "subscribers verify by their own clock",
    "members/tasks.py": "sessions end in real time, or to advance the clock would sign everybody out",
}
READ_IT_BELOW_THE_DOORS = {
    "foundation/sandbox/advancing.py": "moves it",
    "foundation/timers.py": "passes on real time to what is signed",
    "ai_suggestions/llm/wiring.py": "hands it to what runs for as long as an endpoint takes to answer",
}
READ_ANOTHER_CLOCK = {
    "foundation/api/limits.py": "the library of rate limits counts in real seconds",
}


def uses(clocks: set[tuple[str, str]]) -> Iterator[tuple[str, int]]:
    """(path, line) of every mention, called or handed on, in whatever way the name is imported."""
    for path in service_modules():
        name = str(path.relative_to(REPOSITORY))
        for node in ast.walk(syntax_of(path)):
            if isinstance(node, ast.Attribute):
                owner = node.value.attr if isinstance(node.value, ast.Attribute) else None
                owner = node.value.id if isinstance(node.value, ast.Name) else owner
                if (owner, node.attr) in clocks:
                    yield name, node.lineno
            if isinstance(node, ast.ImportFrom) and node.module:
                last = node.module.rpartition(".")[2]
                if any((last, alias.name) in clocks for alias in node.names):
                    yield name, node.lineno


def imported_by(node: ast.ImportFrom | ast.Import) -> set[str]:
    names = {alias.name for alias in node.names}
    if isinstance(node, ast.Import):
        return names
    return {str(node.module), *(f"{node.module}.{name}" for name in names)}


class TestTheClock:
    def test_is_the_only_one(self) -> None:
        others = [
            f"{path}:{line}"
            for path, line in uses(OTHER_CLOCKS)
            if path not in (THE_CLOCK, *READ_ANOTHER_CLOCK)
        ]
        assert not others, "use foundation.clock.now()"

    def test_is_passed_over_only_for_a_reason(self) -> None:
        assert {path for path, _ in uses({("clock", "real_now")})} == set(NEED_REAL_TIME)
        assert {path for path, _ in uses(OTHER_CLOCKS)} == {THE_CLOCK, *READ_ANOTHER_CLOCK}

    def test_is_read_by_doors_only(self) -> None:
        readers = {
            str(path.relative_to(REPOSITORY))
            for path in service_modules()
            if not DOORS & {path.stem, *path.relative_to(REPOSITORY).parts}
            for node in ast.walk(syntax_of(path))
            if isinstance(node, ast.ImportFrom | ast.Import)
            if "foundation.clock" in imported_by(node)
        }
        assert readers == set(READ_IT_BELOW_THE_DOORS), "take `now` as an argument"
