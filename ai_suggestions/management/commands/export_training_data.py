from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from ai_suggestions.evaluation.decisions import export_decisions


class Command(BaseCommand):
    help = (
        "Writes what sellers decided on suggestions, field by field, into a new folder. Without photos, "
        "texts and people: members cannot consent to more yet. docs/evaluation.md explains the columns."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("folder", type=Path, help="is made; must not exist")
        parser.add_argument("--since", type=day, required=True, metavar="YYYY-MM-DD", help="first day, UTC")
        parser.add_argument(
            "--until", type=day, metavar="YYYY-MM-DD", help="day after the last one, UTC (default: today)"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        folder: Path = options["folder"]
        since: dt.datetime = options["since"]
        today = timezone.now().replace(hour=0, minute=0, second=0, microsecond=0)
        until: dt.datetime = options["until"] or today
        if until <= since:
            raise CommandError("--until has to be after --since.")
        try:
            found = export_decisions(folder, since=since, until=until)
        except FileExistsError as problem:
            raise CommandError(f"{folder} is there already; name a new folder.") from problem
        except OSError as problem:
            raise CommandError(f"{folder}: {problem.strerror}") from problem
        self.stdout.write(
            f"{found.written} decisions in {folder}; "
            f"{found.withheld} withheld, because their listing or account is gone."
        )


def day(text: str) -> dt.datetime:
    """Its first moment, UTC. Raises ValueError, which argparse turns into its own words."""
    return dt.datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=dt.UTC)
