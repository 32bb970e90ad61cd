"""The ledger of some days as files for accountants: CSV with totals, the chart and checksums.

Written while it is read, so memory does not grow with the ledger. The folder appears under its name only
when all of it is there.
"""

from __future__ import annotations

import csv
import hashlib
import shutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

from balance.chart import CHART, AccountKind
from balance.queries.totals import Turnover, bounds, find_first_day, group_of, iterate_day, turnovers_until
from balance.statements.csv_rows import text_cell
from foundation.money import Money

POSTING_HEAD = (
    *("id", "key", "event", "reference", "fingerprint", "reverses", "actor", "reason"),
    *("effective_at", "recorded_at"),
)
TRANSFER_HEAD = (
    *("posting", "position", "debit_account", "credit_account", "currency", "amount_minor", "amount"),
    *("debit_entry", "debit_balance_minor", "credit_entry", "credit_balance_minor"),
)
TOTAL_HEAD = (
    "account",
    "category",
    "currency",
    "opening_minor",
    "debits_minor",
    "credits_minor",
    "closing_minor",
)
SUMS = "SHA256SUMS"


@dataclass(frozen=True, slots=True)
class Exported:
    """What was written. ``is_balanced``: opening and turnover of every account make its closing."""

    postings: int
    transfers: int
    is_balanced: bool


def export_ledger(first: date, last: date, folder: Path, *, today: date) -> Exported:
    """Write what was recorded from ``first`` to ``last`` (UTC, inclusive).

    Raises ValueError for dates in the wrong order or a day that is not over, FileExistsError when the folder
    is there.
    """
    if last >= today:
        raise ValueError("the last day is not over yet")
    if last < first:
        raise ValueError("the last day is before the first")
    if folder.exists():
        raise FileExistsError(folder)
    unfinished = folder.with_name(f"{folder.name}.unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(parents=True)
    export = _Export(first, last)
    sums = [
        _write(unfinished / "transfers.csv", TRANSFER_HEAD, export.write_postings(unfinished)),
        _sum_of(unfinished / "postings.csv"),
        _write(unfinished / "totals.csv", TOTAL_HEAD, export.totals()),
        _write(unfinished / "chart.csv", ("account", "owner", "category", "meaning"), _chart()),
    ]
    (unfinished / SUMS).write_text("".join(f"{digest}  {name}\n" for name, digest in sums), encoding="ascii")
    unfinished.rename(folder)
    return Exported(export.postings, export.transfers, export.is_balanced)


class _Export:
    def __init__(self, first: date, last: date) -> None:
        self.first, self.last = first, last
        self.postings = self.transfers = 0
        self.debits: dict[str, int] = {}
        self.credits: dict[str, int] = {}
        self.is_balanced = True

    def write_postings(self, folder: Path) -> Iterator[list[Any]]:
        """Writes postings.csv on the way, and gives the rows of transfers.csv."""
        with _open(folder / "postings.csv") as stream:
            writer = csv.writer(stream)
            writer.writerow(POSTING_HEAD)
            # Who asks for everything begins with a day long ago.
            for day in _days(max(self.first, find_first_day() or self.first), self.last):
                for posting, transfers in iterate_day(day):
                    writer.writerow([_cell(value) for value in posting])
                    self.postings += 1
                    for transfer in transfers:
                        yield self._transfer(posting[0], transfer)

    def _transfer(self, posting_id: str, transfer: tuple[Any, ...]) -> list[Any]:
        position, debit, credit, currency, minor, *entries = transfer
        self.transfers += 1
        for sums, account_id in ((self.debits, debit), (self.credits, credit)):
            group = group_of(account_id)
            sums[group] = sums.get(group, 0) + minor
        amount = f"{Money(minor, currency).amount:f}"
        row = [posting_id, position, debit, credit, currency, minor, amount, *entries]
        return ["" if value is None else value for value in row]

    def totals(self) -> Iterator[list[Any]]:
        opening = turnovers_until(bounds(self.first)[0])
        closing = turnovers_until(bounds(self.last)[1])
        for account in sorted(closing.keys() | opening.keys() | self.debits.keys() | self.credits.keys()):
            _, kind, currency = account.split(":")
            row = CHART[AccountKind(kind)]
            sign = 1 if row.is_debit_normal else -1
            before, after = (
                sign * (turnover.debits_minor - turnover.credits_minor)
                for turnover in (opening.get(account, Turnover()), closing.get(account, Turnover()))
            )
            out, into = self.debits.get(account, 0), self.credits.get(account, 0)
            if before + sign * (out - into) != after:
                self.is_balanced = False
            yield [account, row.category.value, currency, before, out, into, after]


def _days(first: date, last: date) -> Iterator[date]:
    for number in range((last - first).days + 1):
        yield first + timedelta(days=number)


def _chart() -> Iterator[list[str]]:
    for kind, row in CHART.items():
        yield [kind.value, row.owner.value, row.category.value, row.meaning]


def _cell(value: object) -> str:
    if isinstance(value, datetime):
        return value.isoformat(timespec="microseconds")
    return "" if value is None else text_cell(str(value))


def _open(path: Path) -> Any:
    return path.open("w", encoding="utf-8", newline="")


def _write(path: Path, head: Iterable[str], rows: Iterable[Iterable[Any]]) -> tuple[str, str]:
    with _open(path) as stream:
        writer = csv.writer(stream)
        writer.writerow(head)
        writer.writerows(rows)
    return _sum_of(path)


def _sum_of(path: Path) -> tuple[str, str]:
    with path.open("rb") as stream:
        return path.name, hashlib.file_digest(stream, "sha256").hexdigest()
