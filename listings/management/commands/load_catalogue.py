from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from foundation import clock
from listings.services.catalogue import COLUMNS, load_catalogue

DATA = Path(__file__).resolve().parents[2] / "data"


class Command(BaseCommand):
    help = "Loads categories, brands, sizes, colours, conditions, materials and price limits. Safe to repeat."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--folder", type=Path, default=DATA, help="another folder with the same files")

    def handle(self, *args: Any, **options: Any) -> None:
        folder: Path = options["folder"]
        try:
            texts = {name: (folder / f"{name}.csv").read_text(encoding="utf-8") for name in COLUMNS}
            loaded = load_catalogue(texts=texts, now=clock.now())
        except (OSError, ValueError) as error:
            raise CommandError(f"{folder}: {error}") from error
        for name, result in loaded.items():
            changed = any((result.added, result.changed, result.retired))
            if options["verbosity"] > (0 if changed else 1):
                self.stdout.write(
                    f"{name}: {result.added} added, {result.changed} changed, {result.retired} retired."
                )
