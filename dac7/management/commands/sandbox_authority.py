"""`manage.py sandbox_authority FILE`: what the sandbox's tax authority answers to an exported file."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from dac7.message.sandbox_authority import answer
from foundation import clock


class Command(BaseCommand):
    help = "Answer to a filing as the sandbox's tax authority; import the answer in the admin."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, help="An exported file in the sandbox's form, not encrypted")
        parser.add_argument("--year", type=int, help="Year of the sales; default: the year before this one")

    def handle(self, *args: Any, file: Path, year: int | None, **options: Any) -> None:
        if not settings.SANDBOX:
            raise CommandError("There is no sandbox here (SANDBOX).")
        today = clock.now().date()
        try:
            document = file.read_bytes()
        except OSError as error:
            raise CommandError(f"{file} cannot be read: {error.strerror}") from None
        self.stdout.write(answer(document, year=year or today.year - 1, today=today).decode())
