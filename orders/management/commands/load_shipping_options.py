from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from orders.services.shipping_options import load_shipping_options

DATA = Path(__file__).resolve().parents[2] / "data" / "shipping_options.csv"


class Command(BaseCommand):
    help = "Loads what shipping costs. Safe to repeat; needs the markets loaded before."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--file", type=Path, default=DATA, help="another CSV with the same columns")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            loaded = load_shipping_options(text=options["file"].read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise CommandError(f"{options['file']}: {error}") from error
        if options["verbosity"]:
            self.stdout.write(f"Shipping options: {loaded.added} added, {loaded.changed} changed.")
