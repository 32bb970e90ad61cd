"""Who revealed what, and what became of a check, is only added to: the database refuses to change a line.
Deleting stays possible for the purge.
"""

from typing import Any

from django.db import migrations

TABLES = {
    "dac7_accesslog": "the log of reveals is append-only",
    "dac7_checkevent": "the log of checks is append-only",
}


def protect(apps: Any, schema_editor: Any) -> None:
    for table, message in TABLES.items():
        head = f"CREATE TRIGGER {table}_no_update BEFORE UPDATE ON {table}"
        if schema_editor.connection.vendor == "sqlite":
            schema_editor.execute(f"{head} BEGIN SELECT RAISE(ABORT, '{message}'); END")
        else:
            schema_editor.execute(
                f"{head} FOR EACH ROW SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = '{message}'"
            )


def release(apps: Any, schema_editor: Any) -> None:
    for table in TABLES:
        schema_editor.execute(f"DROP TRIGGER IF EXISTS {table}_no_update")


class Migration(migrations.Migration):
    dependencies = [("dac7", "0010_registered_in")]

    operations = [
        # Not in a transaction: MySQL commits at every CREATE TRIGGER anyway, and Django says so.
        migrations.RunPython(protect, release, atomic=False)
    ]
