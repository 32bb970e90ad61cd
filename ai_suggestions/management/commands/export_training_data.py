from __future__ import annotations

import csv
import datetime as dt
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from ai_suggestions.evaluation.decisions import REMOVAL_COLUMNS, export_decisions, removals
from foundation import clock


class Command(BaseCommand):
    help = (
        "Writes what sellers decided on suggestions into a new folder, field by field, with photos and texts "
        "of the members who agreed to that; or, with --withdrawn-since, prints as CSV what has to be removed "
        "from earlier exports. docs/evaluation.md explains the columns."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("folder", type=Path, nargs="?", help="is made; must not exist")
        parser.add_argument("--since", type=day, metavar="YYYY-MM-DD", help="first day, UTC")
        parser.add_argument(
            "--until", type=day, metavar="YYYY-MM-DD", help="day after the last one, UTC (default: today)"
        )
        parser.add_argument(
            "--withdrawn-since",
            type=day,
            metavar="YYYY-MM-DD",
            help="print what to remove: consents withdrawn since then, what is gone, what is too old",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        withdrawn_since: dt.datetime | None = options["withdrawn_since"]
        if withdrawn_since is None:
            self._export(options["folder"], options["since"], options["until"])
            return
        if options["folder"] or options["since"] or options["until"]:
            raise CommandError("--withdrawn-since stands alone.")
        table = csv.DictWriter(self.stdout, REMOVAL_COLUMNS)
        table.writeheader()
        table.writerows(removals(since=withdrawn_since, now=clock.now()))

    def _export(self, folder: Path | None, since: dt.datetime | None, until: dt.datetime | None) -> None:
        if folder is None or since is None:
            raise CommandError("Name a new folder and --since.")
        now = clock.now()
        until = until or now.replace(hour=0, minute=0, second=0, microsecond=0)
        if until <= since:
            raise CommandError("--until has to be after --since.")
        try:
            found = export_decisions(folder, since=since, until=until, now=now)
        except FileExistsError as problem:
            raise CommandError(f"{folder} is there already; name a new folder.") from problem
        except OSError as problem:
            raise CommandError(f"{folder}: {problem.strerror}") from problem
        self.stdout.write(
            f"{found.written} decisions in {folder}; {found.photos} photos of {found.runs_with_consent} runs "
            f"whose members agreed; {found.withheld} withheld, because their listing or account is gone."
        )


def day(text: str) -> dt.datetime:
    """Its first moment, UTC. Raises ValueError, which argparse turns into its own words."""
    return dt.datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=dt.UTC)
