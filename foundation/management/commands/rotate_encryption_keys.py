from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from foundation.encryption import rotation


class Command(BaseCommand):
    help = (
        "Bring every encrypted column and blind index under the first key of ENCRYPTION_KEYS and "
        "BLIND_INDEX_KEYS. Safe while the service runs, to be stopped, and to be run again."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--check", action="store_true", help="change nothing; fail while a former key is still in use"
        )
        parser.add_argument("--batch", type=int, default=rotation.BATCH, help="rows a transaction")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["batch"] < 1:
            raise CommandError("--batch should be 1 or more")
        left = 0
        for field in rotation.encrypted_columns():
            name = f"{field.model._meta.db_table}.{field.column}"
            if not options["check"]:
                done = rotation.rotate(field, batch=options["batch"])
                self.stdout.write(
                    f"{name}: {done.changed} changed, {done.overtaken} overtaken by a writer, "
                    f"{done.unreadable} unreadable, {done.duplicate} duplicate"
                )
            current = rotation.current_key_of(field)
            use = rotation.key_use(field)
            for key_id, rows in use.items():
                if rows or key_id == current:
                    words = f"key {key_id}" if key_id else "a key that is not configured"
                    self.stdout.write(f"{name}: {rows} rows under {words}")
            left += sum(rows for key_id, rows in use.items() if key_id != current)
        if left:
            raise CommandError(f"{left} values are under former keys: keep these keys, and run this again")
        self.stdout.write("Every value is under the current keys.")
