"""SQL that both ways of posting write."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db.backends.utils import CursorWrapper

from balance.events import NewPosting
from foundation.db import Statement

INSERT_TRANSFERS = (
    "INSERT INTO balance_transfer (id, posting_id, position, debit_account_id, credit_account_id,"
    " currency, amount_minor, debit_entry, debit_balance_minor, credit_entry, credit_balance_minor) VALUES "
)


def insert_postings(
    cursor: CursorWrapper,
    postings: Sequence[NewPosting],
    ids: Mapping[str, str],
    *,
    now: datetime,
    recorded_at: datetime,
) -> Statement:
    """The postings without their lines; ``ids`` by their keys."""
    adapted = cursor.db.ops.adapt_datetimefield_value
    recorded = adapted(recorded_at)
    effective = recorded if recorded_at == now else adapted(now)
    values: list[Any] = []
    for posting in postings:
        values += (
            ids[posting.key],
            posting.key,
            posting.event.value,
            posting.reference,
            posting.fingerprint(),
            posting.reverses,
            posting.actor,
            posting.reason,
            effective if posting.effective_at is None else adapted(posting.effective_at),
            recorded,
        )
    rows = ", ".join([f"({marks(10)})"] * len(postings))
    return (
        "INSERT INTO balance_posting (id, `key`, event, reference, fingerprint, reverses_id, actor,"  # noqa: S608  # marks only
        f" reason, effective_at, recorded_at) VALUES {rows}",
        values,
    )


def marks(count: int) -> str:
    """So many marks for values."""
    return ", ".join(["%s"] * count)
