"""A statement as CSV (RFC 4180), for spreadsheets and accountants.

One row for each opening balance, entry and closing balance: whoever sums the amounts of an account and adds
the opening has the closing. It is written while it is read, so it may be as long as it likes; the last row
is a closing balance, and a file without it is not complete. UTF-8 with a byte order mark, without which
Excel takes it for something else.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from balance.queries.statements import Period, Section
from balance.wording import account_name, statement_text
from foundation.money import Money

BOM = "\N{BYTE ORDER MARK}"

# A cell that begins so is run as a formula by spreadsheets (OWASP, "CSV Injection").
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")


def text_cell(text: str) -> str:
    """The text, in a form that no spreadsheet runs. Amounts, which are ours and numbers, need it not."""
    return f"'{text}" if text.startswith(_FORMULA_STARTS) else text


def csv_lines(period: Period, sections: Iterable[Section], language: str) -> Iterator[bytes]:
    """The file, line by line."""
    heads = ("date", "account", "currency", "text", "reference", "amount", "balance")
    yield (BOM + _line([statement_text(head, language) for head in heads])).encode()
    zone = ZoneInfo(period.time_zone)

    def row(at: datetime, section: Section, text: str, reference: str, amount: str, balance: Money) -> bytes:
        account = section.account
        return _line(
            [
                at.astimezone(zone).isoformat(timespec="seconds"),
                text_cell(account_name(account.kind, language)),
                account.currency,
                text_cell(text),
                text_cell(reference),
                amount,
                _decimal(balance),
            ]
        ).encode()

    for section in sections:
        yield row(period.starts_at, section, statement_text("opening", language), "", "", section.opening)
        balance = section.opening
        for entry in section.lines():
            balance = entry.balance_after
            label = entry.label(language)
            yield row(
                entry.recorded_at,
                section,
                label,
                entry.reference,
                _decimal(entry.amount),
                entry.balance_after,
            )
        yield row(period.last_at, section, statement_text("closing", language), "", "", balance)


def _decimal(money: Money) -> str:
    return f"{money.amount:f}"


def _line(cells: Sequence[str]) -> str:
    out = io.StringIO()
    csv.writer(out).writerow(cells)
    return out.getvalue()
