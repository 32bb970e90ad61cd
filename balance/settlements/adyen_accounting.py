"""Reading Adyen's Balance Platform Accounting Report, for one balance account and currency; pure.

Columns and values are those that Adyen documents:
https://docs.adyen.com/platforms/reports-and-fees/balance-platform-accounting-report and
https://docs.adyen.com/platforms/reconciliation-use-cases/reconcile-transfers, types of transactions:
https://docs.adyen.com/api-explorer/transfers/latest/get/transactions. No real report was at hand.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone

from balance.errors import SettlementFileInvalid
from balance.settlements.lines import (
    MAX_LINES,
    Line,
    Settlement,
    minor_of,
    plain,
    problem,
    refusal,
    transfers,
    type_of_movement,
)
from balance.settlements.own_csv import rows_of, text_of
from foundation.errors import FieldProblem
from foundation.money import EXPONENTS

ACCOUNT, TRANSACTION, REFERENCE = "BalanceAccount", "Transaction Id", "Reference"
TYPE, STATUS = "Type", "Status"
BOOKED_AT, ZONE = "Booking Date", "Booking Date TimeZone"
CURRENCY, MOVED = "Payment Currency", "Balance (PC)"
# There are many more, and an account may have some that are its own.
NEEDED = (ACCOUNT, TRANSACTION, REFERENCE, TYPE, STATUS, BOOKED_AT, ZONE, CURRENCY, MOVED)
FEES = frozenset({"fee", "miscCost", "paymentCost", "invoiceDeduction"})
RETURNS = frozenset({"returned", "failed"})
# Hours ahead of UTC of the names of zones that accounts are reported in.
ZONES = {
    "UTC": 0, "GMT": 0, "WET": 0, "WEST": 1, "BST": 1, "CET": 1, "CEST": 2, "EET": 2, "EEST": 3,
    "EST": -5, "EDT": -4, "CST": -6, "CDT": -5, "MST": -7, "MDT": -6, "PST": -8, "PDT": -7,
}  # fmt: skip


def is_accounting_report(content: bytes) -> bool:
    """By its first line."""
    header = content.partition(b"\n")[0]
    return b"BalancePlatform" in header and MOVED.encode() in header


def read_accounting_report(content: bytes, *, now: datetime) -> Settlement:
    """Rows that moved money; those of a transfer that was only asked for or approved moved none.

    Raises SettlementFileInvalid.
    """
    rows = rows_of(text_of(content))
    number, header = next(rows)
    if missing := [name for name in NEEDED if name not in header]:
        raise refusal([problem(number, "wrong_columns", f"has no column {', '.join(missing)}")])
    booked = [
        (number, row) for number, row in _named(header, rows) if row[TRANSACTION] and row[MOVED].strip("-0.")
    ]
    for name in (ACCOUNT, CURRENCY):
        if len({row[name] for _, row in booked}) > 1:
            raise SettlementFileInvalid(
                f"The report has several values of {name}: filter it by one balance account and currency."
            )
    if not booked:
        raise SettlementFileInvalid("Nothing in the report has moved money.")
    problems: list[FieldProblem] = []
    lines = [line for number, row in booked if (line := _line(number, row, now, problems))]
    seen: dict[str, int] = {}
    for line in lines:
        if (other := seen.setdefault(line.provider_id, line.number)) != line.number:
            detail = f"repeats the {TRANSACTION} of line {other}"
            problems.append(problem(line.number, "duplicate_line", detail))
    if problems:
        raise refusal(problems)
    return transfers(lines, booked[0][1][CURRENCY])


def _named(header: list[str], rows: Iterator[tuple[int, list[str]]]) -> Iterator[tuple[int, dict[str, str]]]:
    for count, (number, row) in enumerate(rows, 1):
        if count > MAX_LINES:
            raise SettlementFileInvalid(f"The report has more than {MAX_LINES:,} lines: split it by day.")
        if len(row) != len(header):
            raise refusal([problem(number, "wrong_columns", f"has {len(row)} columns, not {len(header)}")])
        yield number, {name: text.strip() for name, text in zip(header, row, strict=True)}


def _line(number: int, row: dict[str, str], now: datetime, problems: list[FieldProblem]) -> Line | None:
    currency, before = row[CURRENCY], len(problems)
    minor = minor_of(row[MOVED], currency) if currency in EXPONENTS else None
    if currency not in EXPONENTS:
        problems.append(problem(number, "unknown_currency", "has a currency that is not known"))
    elif minor is None:
        problems.append(problem(number, "invalid_amount", f"has no decimal number in {MOVED}"))
    at = _moment(row)
    if at is None or at > now:
        detail = f"has a {BOOKED_AT} in {ZONE} that cannot be read, or has not come yet"
        problems.append(problem(number, "invalid_occurred_at", detail))
    if len(problems) > before or minor is None or at is None:
        return None
    reference = plain(row[REFERENCE])
    return Line(
        number=number,
        type=type_of_movement(minor, reference, is_fee=row[TYPE] in FEES, is_return=row[STATUS] in RETURNS),
        provider_id=plain(row[TRANSACTION]),
        reference=reference,
        amount_minor=minor,
        fee_minor=0,
        occurred_at=at,
    )


def _moment(row: dict[str, str]) -> datetime | None:
    try:
        naive = datetime.fromisoformat(row[BOOKED_AT])
        zone = timezone(timedelta(hours=ZONES[row[ZONE]]))
        return naive.replace(tzinfo=zone).astimezone(UTC)
    except (ValueError, KeyError, OverflowError):
        return None
