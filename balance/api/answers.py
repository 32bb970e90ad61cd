"""Answers as plain dicts, which orjson takes as they are."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

from balance.queries.balances import Standing
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
