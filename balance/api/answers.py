"""Answers as plain dicts, which orjson takes as they are."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

from balance.months import Month
from balance.queries.balances import Standing
from balance.queries.entries import Entry
from balance.queries.statements import Period, Section
from balance.wording import account_name
from foundation.api.etags import etag_for
from foundation.api.rendering import dumps
from members.queries import RestrictionFacts


def content_etag(name: str, body: Any) -> str:
    """The ETag of what has no version of its own: it is what it says."""
    return etag_for(name, hashlib.sha256(dumps(body)).hexdigest()[:24])


def balance_body(
    standings: Mapping[str, Standing], blocks: Sequence[RestrictionFacts], at: dt.datetime | None
) -> dict[str, Any]:
    """BalanceSerializer."""
    return {
        "at": at,
        "balances": [
            {
                "currency": currency,
                "pending": standing.balances.pending.as_json(),
                "available": standing.balances.available.as_json(),
                "held": standing.balances.held.as_json(),
                "in_transit": standing.balances.in_transit.as_json(),
                "debt": standing.balances.debt.as_json(),
                "is_frozen": standing.is_frozen,
            }
            for currency, standing in standings.items()
        ],
        "blocks": [
            {"capability": block.capability, "reason": block.reason, "until_at": block.until_at}
            for block in blocks
        ],
    }


def line_body(entry: Entry, language: str) -> dict[str, Any]:
    """StatementLineSerializer."""
    return {
        "id": entry.id,
        "recorded_at": entry.recorded_at,
        "effective_at": entry.effective_at,
        "event": entry.event.value,
        "label": entry.label(language),
        "reference": entry.reference,
        "posting": entry.posting_id,
        "amount": entry.amount.as_json(),
        "balance_after": entry.balance_after.as_json(),
    }


def entry_body(entry: Entry, language: str) -> dict[str, Any]:
    """EntrySerializer."""
    return {"account": entry.account.kind.value, **line_body(entry, language)}


def statement_body(
    period: Period, sections: Sequence[tuple[Section, Sequence[Entry]]], language: str
) -> dict[str, Any]:
    """StatementSerializer."""
    return {
        **month_body(period.month, period.time_zone, is_closed=period.is_closed),
        "accounts": [
            {
                "account": section.account.kind.value,
                "name": account_name(section.account.kind, language),
                "currency": section.account.currency,
                "opening": section.opening.as_json(),
                "lines": [line_body(entry, language) for entry in lines],
                "closing": section.closing(lines).as_json(),
            }
            for section, lines in sections
        ],
    }


def month_body(month: Month, time_zone: str, *, is_closed: bool) -> dict[str, Any]:
    """StatementMonthSerializer."""
    return {
        "month": str(month),
        "time_zone": time_zone,
        "starts_at": month.starts_at(time_zone),
        "ends_at": month.ends_at(time_zone),
        "is_closed": is_closed,
    }
