from __future__ import annotations

import json
import sys
from argparse import ArgumentParser
from datetime import UTC
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from balance.exporting import export_ledger
from balance.management.arguments import day
from foundation import clock


class Command(BaseCommand):
    help = (
        "Write postings, transfers, totals and the chart of accounts as CSV, with SHA-256 sums, into a new "
        "folder. If the totals do not agree with the checkpoints, the status is 1."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Two options and an argument."""
        for name in ("--from", "--to"):
            parser.add_argument(
                name,
                type=day,
                required=True,
                dest=f"{name[2:]}_day",
                metavar="YYYY-MM-DD",
                help="day of recording (UTC), inclusive",
            )
        parser.add_argument("folder", type=Path)

    def handle(self, *args: Any, **options: Any) -> None:
        """Print one JSON object."""
        try:
            done = export_ledger(
                options["from_day"],
                options["to_day"],
                options["folder"],
                today=clock.now().astimezone(UTC).date(),
            )
        except FileExistsError:
            raise CommandError(f"{options['folder'].name} is there already.") from None
        except (ValueError, OSError) as error:
            raise CommandError(str(error)) from None
        report = {"postings": done.postings, "transfers": done.transfers, "is_balanced": done.is_balanced}
        self.stdout.write(json.dumps(report))
        if not done.is_balanced:
            sys.exit(1)
