"""The log of due diligence is only added to: the database refuses to change a line. Deleting stays possible
for the purge once the law no longer asks for it.
"""

from typing import Any

from django.db import migrations

TABLE = "dac7_diligenceevent"
TRIGGER = f"{TABLE}_no_update"
MESSAGE = "the log of due diligence is append-only"


def protect(apps: Any, schema_editor: Any) -> None:
    head = f"CREATE TRIGGER {TRIGGER} BEFORE UPDATE ON {TABLE}"
    if schema_editor.connection.vendor == "sqlite":
        schema_editor.execute(f"{head} BEGIN SELECT RAISE(ABORT, '{MESSAGE}'); END")
    else:
        schema_editor.execute(f"{head} FOR EACH ROW SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = '{MESSAGE}'")


def release(apps: Any, schema_editor: Any) -> None:
    schema_editor.execute(f"DROP TRIGGER IF EXISTS {TRIGGER}")


class Migration(migrations.Migration):
    dependencies = [("dac7", "0003_figures")]

    operations = [
        # Not in a transaction: MySQL commits at every CREATE TRIGGER anyway, and Django says so.
        migrations.RunPython(protect, release, atomic=False)
    ]
