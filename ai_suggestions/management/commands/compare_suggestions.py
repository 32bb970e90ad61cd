from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from ai_suggestions.evaluation.comparing import compared, comparison_page
from ai_suggestions.evaluation.evaluating import CannotEvaluate, evaluated, opened_folder
from ai_suggestions.management.commands.evaluate_suggestions import (
    at_least_one,
    require_place_for,
    write_report,
)
from foundation import clock


class Command(BaseCommand):
    help = (
        "Lets two providers look at the same labelled photos and prints how they differ as one JSON object "
        "on stdout; words go to stderr. docs/evaluation.md explains each figure."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("folder", type=Path, help="holds labels.csv (file, label, …) or colours.csv")
        parser.add_argument("--providers", nargs=2, required=True, metavar=("FIRST", "SECOND"))
        parser.add_argument("--limit", type=at_least_one, help="look at so many photos, always the same")
        parser.add_argument("--report", type=Path, metavar="FILE.html", help="write a page to look at")
        parser.add_argument("--colours", type=Path, help="another table than FOLDER/colours.csv")
        parser.add_argument("--no-photos", action="store_true", help="a report without any of the photos")

    def handle(self, *args: Any, **options: Any) -> None:
        folder: Path = options["folder"]
        report: Path | None = options["report"]
        one, other = options["providers"]
        if one == other:
            raise CommandError("Name two different providers.")
        require_place_for(report)
        try:
            labelled, catalogue = opened_folder(
                folder, colours=options["colours"], limit=options["limit"], say=self._say
            )
            first = evaluated(one, labelled, catalogue, say=self._say)
            second = evaluated(other, labelled, catalogue, say=self._say)
        except CannotEvaluate as problem:
            raise CommandError(str(problem)) from problem
        found = compared(first, second, named_kinds=labelled.named_kinds)
        self.stdout.write(json.dumps(found.as_json()))
        if report is not None:
            page = comparison_page(
                found,
                folder=folder.resolve().name,
                made_at=clock.real_now(),  # works without a database, in which the sandbox has its clock
                photos=not options["no_photos"],
            )
            write_report(report, page)
            self._say(f"Report in {report}.")

    def _say(self, words: str) -> None:
        self.stderr.write(words, self.style.NOTICE)
