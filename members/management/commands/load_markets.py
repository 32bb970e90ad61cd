from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from members.services import load_markets

DATA = Path(__file__).resolve().parents[2] / "data" / "markets.csv"


class Command(BaseCommand):
    help = "Loads the markets. Safe to repeat; one that is missing in the file is closed, not deleted."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--file", type=Path, default=DATA, help="another CSV with the same columns")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            text = options["file"].read_text(encoding="utf-8")
            loaded = load_markets(text=text)
        except (OSError, ValueError) as error:
            raise CommandError(f"{options['file']}: {error}") from error
        if options["verbosity"]:
            self.stdout.write(
                f"Markets: {loaded.added} added, {loaded.changed} changed, {loaded.closed} closed."
            )
