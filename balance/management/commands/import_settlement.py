from __future__ import annotations

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from balance.errors import SettlementFileInvalid
from balance.services.reconciling import import_settlement
from balance.settlements import MAX_BYTES
from foundation import clock


class Command(BaseCommand):
    help = (
        "Import a settlement file, of cards or of transfers (docs/money.md): our CSV, a bank's statement as "
        "camt.053, or Adyen's accounting report. Whole or not at all, compare it with the ledger, post the "
        "payout of cards and what the bank took, and print what was found as JSON. The same file again "
        "changes nothing."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Two arguments."""
        parser.add_argument(
            "provider", help="name, as in provider:NAME (cards) or PAYOUT_PROVIDER (transfers)"
        )
        parser.add_argument("file", type=Path)

    def handle(self, *args: Any, **options: Any) -> None:
        """Print one JSON object."""
        path: Path = options["file"]
        try:
            with path.open("rb") as stream:
                content = stream.read(MAX_BYTES + 1)
        except OSError as error:
            raise CommandError(f"{path.name} cannot be read: {error.strerror}") from None
        try:
            done = import_settlement(
                provider=options["provider"],
                name=path.name,
                content=content,
                actor="system",
                now=clock.now(),
            )
        except SettlementFileInvalid as error:
            raise CommandError("\n".join([error.detail, *(p.detail for p in error.errors[1:])])) from None
        report = {"file": done.file_id, "lines": done.lines, "cases": done.cases, "replayed": done.replayed}
        self.stdout.write(json.dumps(report))
