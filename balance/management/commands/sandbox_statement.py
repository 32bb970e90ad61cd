"""`manage.py sandbox_statement`: the sandbox bank's statement, to be imported as a real one would be."""

from __future__ import annotations

import csv
import re
from argparse import ArgumentParser, ArgumentTypeError
from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from balance.management.arguments import moment
from balance.providers import sandbox, sandbox_camt053
from balance.settlements import COLUMNS
from foundation import clock
from foundation.money import EXPONENTS


class Command(BaseCommand):
    help = (
        "Print what left the sandbox's bank and came back, for `import_settlement sandbox FILE`: as a file "
        "of transfers, or as a bank delivers it (camt.053.001.08)."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Four options."""
        parser.add_argument("--currency", default="EUR", choices=sorted(EXPONENTS), metavar="CODE")
        parser.add_argument("--format", choices=("csv", "camt.053"), default="csv", dest="shape")
        parser.add_argument(
            "--fee",
            type=_fee,
            default="0",
            metavar="AMOUNT",
            help="what the bank takes for each transfer, such as 0.15",
        )
        parser.add_argument(
            "--since", type=moment, default=datetime(2000, 1, 1, tzinfo=UTC), help="ISO 8601 with offset"
        )

    def handle(
        self, *args: Any, currency: str, fee: str, since: datetime, shape: str, **options: Any
    ) -> None:
        """To standard output."""
        if not settings.SANDBOX:
            raise CommandError("There is no sandbox here (SANDBOX).")
        now = clock.now()
        if shape == "camt.053":
            self.stdout.write(sandbox_camt053.statement(currency, fee=fee, since=since, now=now))
            return
        writer = csv.writer(self.stdout, lineterminator="\n")
        writer.writerow(COLUMNS)
        writer.writerows(sandbox.statement(currency, fee=fee, since=since, now=now))


def _fee(text: str) -> str:
    # Not below zero: an import would refuse the file that is written with it.
    if not re.fullmatch(r"[0-9]{1,6}(\.[0-9]{1,3})?", text):
        raise ArgumentTypeError(f"{text!r} is no amount such as 0.15")
    return text
