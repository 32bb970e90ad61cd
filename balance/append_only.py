"""The database itself refuses to change or delete what the ledger holds.

Triggers on SQLite, MySQL and MariaDB. They do not stop TRUNCATE or DROP, so the service's database user is
granted neither (docs/operations.md). A migration that changes one of these tables ends with
``migrations.RunPython(install, remove, atomic=False)``: SQLite makes the table anew and forgets its triggers.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

APPEND_ONLY = ("balance_posting", "balance_transfer")
"""Neither changed nor deleted."""

NEVER_DELETED = ("balance_ledgeraccount",)
"""Changed by postings and the audit, but there for good."""

MESSAGE = "the ledger is append-only"


def install(apps: Any, schema_editor: Any) -> None:
    """Create the triggers, for ``RunPython``; harmless where they are there already."""
    remove(apps, schema_editor)
    for table in (*APPEND_ONLY, *NEVER_DELETED):
        for statement in _triggers(table, schema_editor.connection.vendor):
            schema_editor.execute(statement)


def remove(apps: Any, schema_editor: Any) -> None:
    """Drop them."""
    for table in (*APPEND_ONLY, *NEVER_DELETED):
        for verb in ("update", "delete", "replace"):
            schema_editor.execute(f"DROP TRIGGER IF EXISTS {table}_no_{verb}")


def _triggers(table: str, vendor: str) -> Iterator[str]:
    verbs = ("update", "delete") if table in APPEND_ONLY else ("delete",)
    for verb in verbs:
        head = f"CREATE TRIGGER {table}_no_{verb} BEFORE {verb.upper()} ON {table}"
        if vendor == "sqlite":
            yield f"{head} BEGIN SELECT RAISE(ABORT, '{MESSAGE}'); END"
        else:
            yield f"{head} FOR EACH ROW SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = '{MESSAGE}'"
    if vendor == "sqlite" and table in APPEND_ONLY:
        # There REPLACE deletes without firing the trigger above; MySQL and MariaDB fire it.
        again = f"EXISTS (SELECT 1 FROM {table} WHERE id = NEW.id)"  # noqa: S608  # a name of ours
        yield (
            f"CREATE TRIGGER {table}_no_replace BEFORE INSERT ON {table} WHEN {again}"
            f" BEGIN SELECT RAISE(ABORT, '{MESSAGE}'); END"
        )
