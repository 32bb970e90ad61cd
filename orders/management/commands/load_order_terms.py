from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from orders.services.terms import load_terms

DATA = Path(__file__).resolve().parents[2] / "data" / "terms.csv"


class Command(BaseCommand):
    help = "Loads fees, limits and times of the markets. Safe to repeat; needs the markets loaded before."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--file", type=Path, default=DATA, help="another CSV with the same columns")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            loaded = load_terms(text=options["file"].read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise CommandError(f"{options['file']}: {error}") from error
        if options["verbosity"]:
            self.stdout.write(f"Terms: {loaded.added} added, {loaded.changed} changed.")
