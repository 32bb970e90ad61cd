from __future__ import annotations

from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand


class Command(BaseCommand):
    help = "Bring the database up to date: migrations, markets, catalogue, terms. Safe to repeat."

    def handle(self, *args: Any, **options: Any) -> None:
        call_command("migrate", interactive=False, verbosity=0)
        for command in ("load_markets", "load_catalogue", "load_order_terms", "load_shipping_options"):
            call_command(command, verbosity=options["verbosity"])
