"""Files of banks and providers, read into lines of ours; pure. See docs/money.md, "Reconciliation".

Which format a file has is told by what is in it, not by its name: `camt053`, `adyen_accounting`, else
`own_csv`.
"""

from __future__ import annotations

import re
from datetime import datetime

from balance.errors import SettlementFileInvalid
from balance.settlements.adyen_accounting import is_accounting_report, read_accounting_report
from balance.settlements.camt053 import read_camt053
from balance.settlements.lines import (
    BANK_FEE,
    CARDS,
    MAX_BYTES,
    MAX_LINES,
    PAYOUT,
    PAYOUT_RECEIVED,
    TRANSFERS,
    TYPES,
    Book,
    Line,
    Settlement,
)
from balance.settlements.own_csv import COLUMNS, read_own_csv

__all__ = [
    "BANK_FEE",
    "CARDS",
    "COLUMNS",
    "MAX_BYTES",
    "MAX_LINES",
    "PAYOUT",
    "PAYOUT_RECEIVED",
    "TRANSFERS",
    "TYPES",
    "Book",
    "Line",
    "Settlement",
    "read_settlement",
]

_PROVIDER = re.compile(r"[a-z][a-z0-9_-]{0,29}")


def read_settlement(provider: str, content: bytes, *, now: datetime) -> Settlement:
    """Parse a file whole. Raises SettlementFileInvalid, which names every line that is wrong (at most 50)."""
    if not _PROVIDER.fullmatch(provider):
        raise SettlementFileInvalid(f"{provider!r} is no name of a provider: a-z, 0-9, _ and -, 30 at most.")
    if len(content) > MAX_BYTES:
        raise SettlementFileInvalid(f"The file has more than {MAX_BYTES:,} bytes: split it.")
    if content.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"<"):
        return read_camt053(content, now=now)
    if is_accounting_report(content):
        return read_accounting_report(content, now=now)
    return read_own_csv(content, now=now)
