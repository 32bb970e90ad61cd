from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from balance.services.charities import add_example_charities
from foundation import clock


class Command(BaseCommand):
    help = "Adds invented charities to a sandbox (SANDBOX=true). Refused anywhere else. Safe to repeat."

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.SANDBOX:
            raise CommandError("Example charities are for sandboxes: nobody could be paid. SANDBOX is off.")
        added = add_example_charities(now=clock.now())
        if added or options["verbosity"] > 1:
            self.stdout.write(f"charities: {added} examples added.")
