"""The short way of a posting: one packet, where nothing stands in its way.

The members' accounts are changed if there is enough in them, and no entry of this instant or a later one;
then the rows are written with what came of it. Whatever does not fit (a key that is known, too little money,
an account that is not open yet) leaves nothing behind and goes the long way, which alone knows why and says
so.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.backends.utils import CursorWrapper

from balance.chart import MAX_MINOR, MEMBER_KINDS, Account, floor_minor
from balance.events import NewPosting, Posted
from balance.moments import entry_number
from balance.services.posting_sql import INSERT_TRANSFERS, insert_postings, marks
from foundation.db import Statement, can_execute_at_once, execute_at_once
from foundation.ids import new_id

MOST_LINES = 10  # with more the long way is as fast
_BALANCE = "SELECT balance_minor - ? FROM balance_ledgeraccount WHERE id = %s"


@dataclass(slots=True)
class _Change:
    """What the lines so far do to a member's account, and what may be in it before for none to be refused."""

    minor: int = 0
    entries: int = 0
    least: int = -MAX_MINOR
    most: int = MAX_MINOR


_Changes = dict[str, _Change]


def post_at_once(
    cursor: CursorWrapper, posting: NewPosting, now: datetime, *, ends_transaction: bool
) -> Posted | None:
    """The posting; None: nothing happened. ``ends_transaction`` as in ``execute_at_once``."""
    if len(posting.lines) > MOST_LINES or not can_execute_at_once(cursor):
        return None
    id_ = new_id()
    changes: _Changes = {}
    transfers = _transfers(posting, id_, changes, entry_number(now))
    if not changes:
        return None
    statements = [
        _change_accounts(changes, entry_number(now)),
        insert_postings(cursor, [posting], {posting.key: id_}, now=now, recorded_at=now),
        transfers,
    ]
    is_done = execute_at_once(cursor, statements, rows=len(changes), ends_transaction=ends_transaction)
    return Posted(id_, posting.key, now) if is_done else None


def _transfers(posting: NewPosting, id_: str, changes: _Changes, moment: int) -> Statement:
    """The lines, with the balances that the server will read; fills ``changes``."""
    sides: list[tuple[str, int, int] | None] = []
    for line in posting.lines:
        amount = line.amount.amount_minor
        sides += (
            _entry(changes, line.debit, -amount, floor_minor(posting.event, line.debit)),
            _entry(changes, line.credit, amount, None),
        )
    rows: list[str] = []
    values: list[str] = []
    for position, line in enumerate(posting.lines, 1):
        values += (f"{id_}-{position}", id_, line.debit.id, line.credit.id, line.amount.currency)
        entries = ""
        for side in sides[2 * position - 2 : 2 * position]:
            if side is None:
                entries += ", NULL, NULL"
                continue
            account_id, number, minor = side
            values.append(account_id)
            to_come = changes[account_id].minor - minor
            entries += f", {moment + number - 1}, ({_BALANCE.replace('?', str(to_come))})"
        rows.append(f"(%s, %s, {position}, %s, %s, %s, {line.amount.amount_minor}{entries})")
    return INSERT_TRANSFERS + ", ".join(rows), values


def _entry(changes: _Changes, account: Account, minor: int, floor: int | None) -> tuple[str, int, int] | None:
    """(id, number of the entry in this posting, change of the balance up to it); None without a balance."""
    if account.kind not in MEMBER_KINDS:
        return None
    change = changes.setdefault(account.id, _Change())
    change.entries += 1
    change.minor += minor
    if floor is None:
        change.most = min(change.most, MAX_MINOR - change.minor)
    else:
        change.least = max(change.least, floor - change.minor)
    return account.id, change.entries, change.minor


def _change_accounts(changes: _Changes, moment: int) -> Statement:
    """Stops with an error at the first account that does not fit.

    A WHERE would let go of its row and hold those of higher ids, which the long way locks after it: so
    transactions would wait for each other.
    """
    entries, balances = "", ""
    for change in changes.values():
        fits = f"last_entry < {moment} AND balance_minor BETWEEN {change.least} AND {change.most}"
        entries += f" WHEN %s THEN IF({fits}, {moment + change.entries - 1}, NULL)"
        balances += f" WHEN %s THEN {change.minor}"
    # In this order: what is assigned first is new for what comes after it.
    return (
        f"UPDATE balance_ledgeraccount SET last_entry = CASE id{entries} END,"  # noqa: S608  # marks and numbers
        f" balance_minor = balance_minor + CASE id{balances} END WHERE id IN ({marks(len(changes))})",
        [*changes] * 3,
    )
