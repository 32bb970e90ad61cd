from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils.module_loading import autodiscover_modules

from foundation.lifecycle import as_markdown, registered


class Command(BaseCommand):
    help = "Print the lifecycle of everything with a status, or write or check docs/lifecycles.md."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        action = parser.add_mutually_exclusive_group()
        action.add_argument("--write", action="store_true", help="write docs/lifecycles.md")
        action.add_argument("--check", action="store_true", help="fail when that file is not up to date")

    def handle(self, *args: Any, **options: Any) -> None:
        autodiscover_modules("lifecycle")
        document = as_markdown(registered())
        path = Path(settings.BASE_DIR) / "docs" / "lifecycles.md"
        if options["write"]:
            path.write_text(document, encoding="utf-8")
        elif not options["check"]:
            self.stdout.write(document, ending="")
        elif not path.is_file() or path.read_text(encoding="utf-8") != document:
            raise CommandError("docs/lifecycles.md is not up to date: run make schema")
