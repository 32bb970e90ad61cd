"""A lifecycle is one table: (source, verb, target, actor, deadline). Nothing else decides a status.

Each app declares its lifecycles in `lifecycle.py` and registers them here, so that docs/lifecycles.md
and its diagrams are generated from what runs (`manage.py lifecycles --write`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

CLOCK = "clock"


@dataclass(frozen=True, slots=True)
class Transition:
    """One row. `after` is set for the clock's rows only: how long after entering `source` it is due."""

    source: str
    verb: str
    target: str
    actor: str
    after: timedelta | None = None
    note: str = ""

    def __post_init__(self) -> None:
        if (self.actor == CLOCK) != (self.after is not None):
            raise ValueError(f"{self.source} {self.verb}: a deadline goes with the clock and nobody else")


class UnknownTransition(LookupError):
    """No row allows this verb from this status; the service turns it into its own Conflict."""


class Lifecycle:
    """The table of one resource. Raises ValueError when two rows contradict each other."""

    def __init__(
        self,
        name: str,
        *,
        statuses: type[StrEnum],
        initial: str,
        transitions: Iterable[Transition],
        meanings: Mapping[str, str],
    ) -> None:
        self.name = name
        self.statuses = tuple(str(status) for status in statuses)
        self.initial = str(initial)
        # Plain text, whatever enum the app declares: statuses go to columns, logs and JSON.
        self.transitions = tuple(
            replace(row, source=str(row.source), target=str(row.target)) for row in transitions
        )
        self.meanings = {str(status): text for status, text in meanings.items()}
        if set(self.meanings) != set(self.statuses):
            raise ValueError(f"{name}: every status needs its meaning, and nothing else has one")
        # Several may have the same verb from a status, each with a row of its own: their guards differ.
        self._rows: dict[tuple[str, str], dict[str, Transition]] = {}
        for row in self.transitions:
            if {row.source, row.target} - set(self.statuses):
                raise ValueError(f"{name}: {row.source} {row.verb} {row.target} names an unknown status")
            rows = self._rows.setdefault((row.source, row.verb), {})
            if row.actor in rows:
                raise ValueError(f"{name}: {row.source} {row.verb} ({row.actor}) is there twice")
            rows[row.actor] = row
        for status in self.statuses:
            if len([row for row in self.transitions if row.source == status and row.actor == CLOCK]) > 1:
                raise ValueError(f"{name}: {status} has two deadlines")

    def row(self, source: str, verb: str, actor: str | None = None) -> Transition:
        """The row for `verb` from `source`; raises UnknownTransition, also when it is another actor's.

        Without an actor, the verb must be one actor's only.
        """
        rows = self._rows.get((source, verb), {})
        if actor is None and len(rows) == 1:
            return next(iter(rows.values()))
        if actor is None or actor not in rows:
            raise UnknownTransition(f"{self.name}: {verb} from {source}")
        return rows[actor]

    def verbs(self, source: str, actor: str) -> tuple[str, ...]:
        """What `actor` may do from `source`, in the table's order."""
        return tuple(row.verb for row in self.transitions if row.source == source and row.actor == actor)

    def clock_row(self, source: str) -> Transition | None:
        """What happens by itself from `source`, if anything."""
        return next((r for r in self.transitions if r.source == source and r.actor == CLOCK), None)

    def due_at(self, status: str, now: datetime) -> datetime | None:
        """When the clock acts on something that enters `status` at `now`."""
        row = self.clock_row(status)
        return None if row is None or row.after is None else now + row.after

    def final(self) -> tuple[str, ...]:
        """Statuses that nothing leaves."""
        sources = {row.source for row in self.transitions}
        return tuple(status for status in self.statuses if status not in sources)


_registry: dict[str, Lifecycle] = {}


def register(lifecycle: Lifecycle) -> Lifecycle:
    """Make it part of the generated documentation. Raises ValueError when the name is taken."""
    if lifecycle.name in _registry:
        raise ValueError(f"two lifecycles are called {lifecycle.name!r}")
    _registry[lifecycle.name] = lifecycle
    return lifecycle


def registered() -> tuple[Lifecycle, ...]:
    """All lifecycles, by name. Apps are loaded before anybody asks."""
    return tuple(_registry[name] for name in sorted(_registry))


def _words(after: timedelta) -> str:
    if after % timedelta(days=1) == timedelta(0):
        return f"{after.days} days" if after.days != 1 else "1 day"
    seconds = int(after.total_seconds())
    return f"{seconds} seconds" if seconds % 60 else f"{seconds // 60} minutes"


def as_markdown(lifecycles: Iterable[Lifecycle]) -> str:
    """docs/lifecycles.md: for each lifecycle a diagram (Mermaid), the statuses and the table."""
    parts = [
        "# Lifecycles",
        "",
        "Generated from the tables that run, by `python manage.py lifecycles --write`; do not edit by hand.",
        "A verb that has no row from a status is refused with 409.",
    ]
    for lifecycle in lifecycles:
        parts += ["", f"## {lifecycle.name}", "", "```mermaid", "stateDiagram-v2"]
        parts.append(f"    [*] --> {lifecycle.initial}")
        parts += [
            f"    {row.source} --> {row.target}: {row.verb} ({row.actor})" for row in lifecycle.transitions
        ]
        parts += [f"    {status} --> [*]" for status in lifecycle.final()]
        parts += ["```", "", "| status | meaning |", "|---|---|"]
        parts += [f"| {status} | {lifecycle.meanings[status]} |" for status in lifecycle.statuses]
        parts += ["", "| from | verb | to | who | when |", "|---|---|---|---|---|"]
        for row in lifecycle.transitions:
            when = f"after {_words(row.after)}" if row.after is not None else "any time"
            when += f"; {row.note}" if row.note else ""
            parts.append(f"| {row.source} | {row.verb} | {row.target} | {row.actor} | {when} |")
    return "\n".join(parts) + "\n"
