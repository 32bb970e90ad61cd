from __future__ import annotations

import csv
import json
import sys
from argparse import ArgumentParser
from datetime import date
from typing import Any

from django.core.management.base import BaseCommand

from balance.management.arguments import day
from balance.queries.reports import TrialBalance, trial_balance
from balance.queries.totals import end_of
from foundation import clock
from foundation.money import Money

HEAD = ("account", "category", "debits", "credits", "debit_balance", "credit_balance", "currency")


class Command(BaseCommand):
    help = (
        "Print the trial balance by currency: every account's turnover and balance. The two columns of "
        "balances are equal; if they ever are not, the status is 1."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Two options."""
        parser.add_argument("--as-of", type=day, help="YYYY-MM-DD: with all that was recorded on it (UTC)")
        parser.add_argument("--format", choices=("table", "csv", "json"), default="table")

    def handle(self, *args: Any, **options: Any) -> None:
        """Print it."""
        last: date | None = options["as_of"]
        now = clock.now()
        balances = trial_balance(now if last is None else end_of(last, now))
        {"table": self._table, "csv": self._csv, "json": self._json}[options["format"]](balances)
        if not all(balance.is_balanced for balance in balances):
            sys.exit(1)

    def _rows(self, balance: TrialBalance) -> list[tuple[str, ...]]:
        rows = []
        for line in balance.lines:
            minors = (line.turnover.debits_minor, line.turnover.credits_minor)
            amounts = [_decimal(minor, balance) for minor in minors]
            sides = [f"{line.debit.amount:f}", f"{line.credit.amount:f}"]
            rows.append((line.account, line.category.value, *amounts, *sides, balance.currency))
        return rows

    def _csv(self, balances: list[TrialBalance]) -> None:
        writer = csv.writer(self.stdout)
        writer.writerow(HEAD)
        for balance in balances:
            writer.writerows(self._rows(balance))

    def _table(self, balances: list[TrialBalance]) -> None:
        for balance in balances:
            self.stdout.write(f"{balance.currency:<53}{'debit':>18}{'credit':>18}")
            for line in balance.lines:
                sides = [
                    f"{side.amount:,f}" if side.amount_minor else "" for side in (line.debit, line.credit)
                ]
                self.stdout.write(f"{line.category.value:<10} {line.account:<42}{sides[0]:>18}{sides[1]:>18}")
            totals = f"{balance.debit.amount:>18,f}{balance.credit.amount:>18,f}"
            self.stdout.write(f"{'total' if balance.is_balanced else 'NOT BALANCED':<53}{totals}")
            for category, total in balance.by_category().items():
                self.stdout.write(f"{category.value:<10} {total.amount:>18,f}")

    def _json(self, balances: list[TrialBalance]) -> None:
        document = [
            {
                "currency": balance.currency,
                "is_balanced": balance.is_balanced,
                "debit_minor": balance.debit.amount_minor,
                "credit_minor": balance.credit.amount_minor,
                "categories_minor": {k.value: v.amount_minor for k, v in balance.by_category().items()},
                "accounts": [
                    {
                        "account": line.account,
                        "category": line.category.value,
                        "debits_minor": line.turnover.debits_minor,
                        "credits_minor": line.turnover.credits_minor,
                        "debit_minor": line.debit.amount_minor,
                        "credit_minor": line.credit.amount_minor,
                    }
                    for line in balance.lines
                ],
            }
            for balance in balances
        ]
        self.stdout.write(json.dumps(document))


def _decimal(minor: int, balance: TrialBalance) -> str:
    return f"{Money(minor, balance.currency).amount:f}"
