from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from ai_suggestions.catalogue import Catalogue
from ai_suggestions.evaluation.evaluating import (
    CannotEvaluate,
    Evaluated,
    evaluated,
    evaluated_by_folds,
    opened_folder,
)
from ai_suggestions.evaluation.labelled import LabelledFolder
from ai_suggestions.evaluation.report import Evaluation, evaluation_page
from foundation import clock


class Command(BaseCommand):
    help = (
        "Lets a provider look at labelled photos and prints its figures as one JSON object on stdout; "
        "words go to stderr. docs/evaluation.md explains each figure."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("folder", type=Path, help="holds labels.csv (file, label, …) or colours.csv")
        parser.add_argument("--provider", default="on_device", help="a registered name (default: on_device)")
        parser.add_argument(
            "--limit", type=at_least_one, help="look at that many photos, always the same ones"
        )
        parser.add_argument("--report", type=Path, metavar="FILE.html", help="write a page to look at")
        parser.add_argument("--colours", type=Path, help="another table than FOLDER/colours.csv")
        parser.add_argument(
            "--grouped-folds",
            type=Path,
            metavar="WORK",
            help="work folder of training/train.py: each photo by a model that never saw its sender",
        )
        parser.add_argument("--no-photos", action="store_true", help="a report without any of the photos")

    def handle(self, *args: Any, **options: Any) -> None:
        folder: Path = options["folder"]
        report: Path | None = options["report"]
        require_place_for(report)
        try:
            labelled, catalogue = opened_folder(
                folder, colours=options["colours"], limit=options["limit"], say=self._say
            )
            found = self._evaluated(options["provider"], labelled, catalogue, options["grouped_folds"])
        except CannotEvaluate as problem:
            raise CommandError(str(problem)) from problem
        self.stdout.write(json.dumps(found.scores.as_json()))
        if report is not None:
            page = evaluation_page(
                Evaluation(
                    provider=found.provider,
                    folder=folder.resolve().name,
                    looks=found.looks,
                    scores=found.scores,
                    notes=found.notes,
                    left_out=found.left_out,
                    made_at=clock.real_now(),  # works without a database, in which the sandbox has its clock
                ),
                photos=not options["no_photos"],
            )
            write_report(report, page)
            self._say(f"Report in {report}.")

    def _evaluated(
        self, provider: str, labelled: LabelledFolder, catalogue: Catalogue, work: Path | None
    ) -> Evaluated:
        if work is None:
            return evaluated(provider, labelled, catalogue, say=self._say)
        return evaluated_by_folds(provider, labelled, catalogue, work=work, say=self._say)

    def _say(self, words: str) -> None:
        self.stderr.write(words, self.style.NOTICE)


def at_least_one(text: str) -> int:
    """A count from the command line. Raises ValueError, which argparse turns into its own words."""
    count = int(text)
    if count < 1:
        raise ValueError(text)
    return count


def require_place_for(report: Path | None) -> None:
    """Better now than after an hour. Raises CommandError."""
    if report is not None and not report.parent.is_dir():
        raise CommandError(f"{report.parent} is no folder.")
    if report is not None and report.is_dir():
        raise CommandError(f"{report} is a folder; name a file.")


def write_report(report: Path, page: str) -> None:
    """Raises CommandError."""
    try:
        report.write_text(page, encoding="utf-8")
    except OSError as problem:
        raise CommandError(f"{report}: {problem.strerror}") from problem
