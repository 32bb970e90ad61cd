from __future__ import annotations

import csv
from argparse import ArgumentParser, ArgumentTypeError
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand

from balance.queries.reports import list_debts, list_stale
from foundation import clock


class Command(BaseCommand):
    help = (
        "Print as CSV the members' debts by the days since they went below zero, and the pending, held and "
        "in-transit money that came in longer ago than usual."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """One option."""
        parser.add_argument(
            "--older-than",
            type=_days,
            default=30,
            metavar="DAYS",
            help="for what is not a debt (default: 30)",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Print it, line by line."""
        now = clock.now()
        writer = csv.writer(self.stdout)
        writer.writerow(["what", "bucket", "account", "amount", "currency", "since"])
        for debt in list_debts(now):
            since = debt.since.isoformat(timespec="seconds")
            amount = f"{debt.amount.amount:f}"
            writer.writerow(["debt", debt.bucket, debt.account_id, amount, debt.amount.currency, since])
        older_than: int = options["older_than"]
        for stale in list_stale(now, older_than=timedelta(days=older_than)):
            amount = f"{stale.old.amount:f}"
            bucket = f"over {older_than}"
            writer.writerow([stale.kind.value, bucket, stale.account_id, amount, stale.old.currency, ""])


def _days(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) <= 4):
        raise ArgumentTypeError(f"{text!r} is no number of days from 0 to 9999")
    return int(text)
