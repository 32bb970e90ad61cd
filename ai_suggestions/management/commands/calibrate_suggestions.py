from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from ai_suggestions.evaluation.certainties import (
    MIN_SAMPLES,
    Fitted,
    Judged,
    fitted,
    judged_by_labels,
    judged_by_sellers,
    keep_figures,
)
from ai_suggestions.evaluation.evaluating import CannotEvaluate, evaluated, opened_folder
from ai_suggestions.management.commands.evaluate_suggestions import at_least_one
from ai_suggestions.management.commands.export_training_data import day
from foundation import clock


class Command(BaseCommand):
    help = (
        "Measures how often an LLM is right when it says that it is certain, from sellers' decisions or from "
        "a labelled folder, and writes figures that staff can approve in the admin. Prints one JSON object."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "folder", type=Path, nargs="?", help="holds labels.csv or colours.csv; the LLM looks at it now"
        )
        parser.add_argument("--since", type=day, metavar="YYYY-MM-DD", help="decisions from this day on, UTC")
        parser.add_argument(
            "--until", type=day, metavar="YYYY-MM-DD", help="day after the last one, UTC (default: today)"
        )
        parser.add_argument("--provider", default="llm", help="who looks at the folder (default: llm)")
        parser.add_argument("--limit", type=at_least_one, help="look at so many photos, always the same")
        parser.add_argument("--colours", type=Path, help="another table than FOLDER/colours.csv")
        parser.add_argument(
            "--min-samples",
            type=at_least_one,
            default=MIN_SAMPLES,
            help=f"with fewer, a certainty stays not measured (default: {MIN_SAMPLES})",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        folder: Path | None = options["folder"]
        since: dt.datetime | None = options["since"]
        now = clock.now()
        if (folder is None) == (since is None):
            raise CommandError("Name a folder, or --since for the decisions of sellers.")
        if folder is not None:
            source = f"{options['provider']} on folder {folder.resolve().name}"
            judged = self._by_labels(folder, options)
        else:
            assert since is not None  # noqa: S101  # one of the two is there
            today = now.replace(hour=0, minute=0, second=0, microsecond=0)
            until: dt.datetime = options["until"] or today
            if until <= since:
                raise CommandError("--until has to be after --since.")
            source = f"decisions from {since:%Y-%m-%d} until before {until:%Y-%m-%d}"
            judged = list(judged_by_sellers(since=since, until=until))
        found, too_few = fitted(judged, at_least=options["min_samples"])
        keep_figures(found, source=source, now=now)
        for one in too_few:
            self._say(f"Not measured, too few: {one.field} {one.certainty} of {one.step_version}.")
        self._say(f"{len(found)} figures to approve in the admin, under Calibration figures.")
        self.stdout.write(
            json.dumps({"source": source, "figures": _shown(found), "too_few": _shown(too_few)})
        )

    def _by_labels(self, folder: Path, options: dict[str, Any]) -> list[Judged]:
        try:
            labelled, catalogue = opened_folder(
                folder, colours=options["colours"], limit=options["limit"], say=self._say
            )
            looked = evaluated(options["provider"], labelled, catalogue, say=self._say)
        except CannotEvaluate as problem:
            raise CommandError(str(problem)) from problem
        return list(judged_by_labels(looked.looks, named_kinds=labelled.named_kinds))

    def _say(self, words: str) -> None:
        self.stderr.write(words, self.style.NOTICE)


def _shown(found: list[Fitted]) -> list[dict[str, Any]]:
    return [
        {
            "step_version": one.step_version,
            "field": one.field,
            "certainty": one.certainty,
            "n": one.right.n,
            "right": one.right.hits,
            "probability": round(one.right.value or 0.0, 4),
            "at_least": round((one.right.interval or (0.0, 1.0))[0], 4),
        }
        for one in found
    ]
