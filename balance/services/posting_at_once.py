"""The short way of a posting: one packet, where nothing stands in its way.

The accounts are changed if there is enough in them, and no later entry; then the rows are written with what
came of it. Whatever does not fit (an account in two lines, a key that is known, too little money, an account
that is not open yet) leaves nothing behind and goes the long way, which alone knows why and says so.
"""

from __future__ import annotations

from datetime import datetime

from django.db.backends.utils import CursorWrapper

from balance.chart import MAX_MINOR, MEMBER_KINDS, floor_minor
from balance.events import NewPosting, Posted
from balance.moments import entry_number
from balance.services.posting_sql import INSERT_TRANSFERS, insert_postings, marks
from foundation.db import can_execute_at_once, execute_at_once
from foundation.ids import new_id

_BALANCE = "(SELECT balance_minor FROM balance_ledgeraccount WHERE id = %s)"


def post_at_once(cursor: CursorWrapper, posting: NewPosting, now: datetime) -> list[Posted]:
    """The posting, as a transaction of its own; empty: nothing happened."""
    if not can_execute_at_once(cursor):
        return []
    id_ = new_id()
    moment = entry_number(now)
    ids: list[str] = []  # of the members' accounts
    changes, least = "", ""
    rows: list[str] = []
    values: list[str] = []
    for position, line in enumerate(posting.lines, 1):
        amount = line.amount.amount_minor
        values += (f"{id_}-{position}", id_, line.debit.id, line.credit.id, line.amount.currency)
        entries = ""
        for account, change, needed in (
            (line.debit, -amount, amount + floor_minor(posting.event, line.debit)),
            (line.credit, amount, -MAX_MINOR),
        ):
            if account.kind not in MEMBER_KINDS:
                entries += ", NULL, NULL"
                continue
            ids.append(account.id)
            values.append(account.id)
            entries += f", {moment}, {_BALANCE}"
            changes += f" WHEN %s THEN {change}"
            least += f" WHEN %s THEN {needed}"
        rows.append(f"(%s, %s, {position}, %s, %s, %s, {amount}{entries})")
    if not ids or len({*ids}) < len(ids):  # one row cannot be changed twice
        return []
    change_accounts = (
        f"UPDATE balance_ledgeraccount SET balance_minor = balance_minor + CASE id{changes} END,"  # noqa: S608  # marks and numbers
        f" last_entry = {moment} WHERE id IN ({marks(len(ids))}) AND last_entry < {moment}"
        f" AND balance_minor >= CASE id{least} END",
        ids * 3,
    )
    statements = [
        change_accounts,
        insert_postings(cursor, [posting], {posting.key: id_}, now=now, recorded_at=now),
        (INSERT_TRANSFERS + ", ".join(rows), values),
    ]
    is_done = execute_at_once(cursor, statements, rows=len(ids))
    return [Posted(id_, posting.key, now)] if is_done else []
