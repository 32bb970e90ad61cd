from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from ai_suggestions.evaluation.duplicates import measured, read_photos
from ai_suggestions.management.commands.evaluate_suggestions import at_least_one


class Command(BaseCommand):
    help = (
        "Edits photos as people edit them and tells how many are still known to be the same picture, and how "
        "many different ones are taken for the same. One JSON object on stdout (docs/photo-checks.md)."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("folder", type=Path, help="holds labels.csv with file and, if known, sender_id")
        parser.add_argument(
            "--photos", type=at_least_one, default=1200, help="compare so many with each other"
        )
        parser.add_argument(
            "--edited", type=at_least_one, default=150, help="edit so many of them, in 8 ways"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            photos = read_photos(options["folder"], limit=options["photos"])
            found = measured(photos, edited=options["edited"], say=self.stderr.write)
        except (OSError, KeyError) as problem:
            raise CommandError(f"This is no labelled folder: {problem}") from problem
        self.stdout.write(json.dumps(found))
