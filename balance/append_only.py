"""The database itself refuses to change or delete what the ledger holds, and postings into sealed days.

Triggers on SQLite, MySQL and MariaDB. They do not stop TRUNCATE or DROP, so the service's database user is
granted neither (docs/operations.md). A migration that changes one of these tables ends with
``migrations.RunPython(*protect(table), atomic=False)``: SQLite makes the table anew and forgets its triggers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

# table -> (primary key, what is refused)
PROTECTED: dict[str, tuple[str, tuple[str, ...]]] = {
    "balance_posting": ("id", ("update", "delete", "replace", "late")),
    "balance_transfer": ("id", ("update", "delete", "replace")),
    # Changed by postings and the audit, but there for good.
    "balance_ledgeraccount": ("id", ("delete",)),
    "balance_ledgerday": ("day", ("update", "delete", "replace")),
    "balance_ledgerdaytotal": ("id", ("update", "delete", "replace")),
}

MESSAGE = "the ledger is append-only"
# Of a machine whose clock is late: it would change what was hashed. Days are sealed in order.
LATE = "the day of this posting is sealed"
_IS_LATE = "EXISTS (SELECT 1 FROM balance_ledgerday WHERE day >= DATE(NEW.recorded_at))"

Step = Callable[[Any, Any], None]


def protect(*tables: str) -> tuple[Step, Step]:
    """Forwards and backwards of a ``RunPython`` that creates these tables' triggers, anew if need be."""

    def forwards(apps: Any, schema_editor: Any) -> None:
        install(schema_editor, tables)

    def backwards(apps: Any, schema_editor: Any) -> None:
        remove(schema_editor, tables)

    return forwards, backwards


def install(schema_editor: Any, tables: Iterable[str] = tuple(PROTECTED)) -> None:
    """Create the triggers; those that are there already are made anew."""
    tables = tuple(tables)
    remove(schema_editor, tables)
    for table in tables:
        for statement in _triggers(table, schema_editor.connection.vendor):
            schema_editor.execute(statement)


def remove(schema_editor: Any, tables: Iterable[str] = tuple(PROTECTED)) -> None:
    """Drop the triggers."""
    for table in tables:
        for verb in PROTECTED[table][1]:
            schema_editor.execute(f"DROP TRIGGER IF EXISTS {table}_no_{verb}")


def _triggers(table: str, vendor: str) -> Iterator[str]:
    key, verbs = PROTECTED[table]
    for verb in verbs:
        if verb == "late":
            head = f"CREATE TRIGGER {table}_no_late BEFORE INSERT ON {table}"
            if vendor == "sqlite":
                yield f"{head} WHEN {_IS_LATE} BEGIN SELECT RAISE(ABORT, '{LATE}'); END"
            else:
                signal = f"SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = '{LATE}'"
                yield f"{head} FOR EACH ROW IF {_IS_LATE} THEN {signal}; END IF"
            continue
        if verb == "replace":
            if vendor != "sqlite":
                continue  # MySQL and MariaDB fire the trigger of DELETE
            again = f"EXISTS (SELECT 1 FROM {table} WHERE {key} = NEW.{key})"  # noqa: S608  # names of ours
            head = f"CREATE TRIGGER {table}_no_replace BEFORE INSERT ON {table} WHEN {again}"
        else:
            head = f"CREATE TRIGGER {table}_no_{verb} BEFORE {verb.upper()} ON {table}"
        if vendor == "sqlite":
            yield f"{head} BEGIN SELECT RAISE(ABORT, '{MESSAGE}'); END"
        else:
            yield f"{head} FOR EACH ROW SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = '{MESSAGE}'"
