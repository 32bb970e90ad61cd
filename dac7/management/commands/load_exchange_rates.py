from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from dac7.services.rates import load_rates
from foundation import clock
from foundation.errors import DomainError


class Command(BaseCommand):
    help = "Loads euro reference rates from a CSV or XML file of the European Central Bank. Safe to repeat."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, help="eurofxref-hist.csv, eurofxref-hist.xml or a shorter one")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            loaded = load_rates(content=options["file"].read_bytes(), now=clock.now())
        except (OSError, DomainError) as error:
            raise CommandError(f"{options['file']}: {error}") from error
        if options["verbosity"]:
            self.stdout.write(f"Exchange rates: {loaded.added} new, {loaded.known} known.")
