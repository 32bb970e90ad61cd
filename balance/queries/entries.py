"""A member's entries: the side of a transfer that an account of the member is on, with the balance after it.

Entries are found through the two indexes of Transfer, one for each side, and merged here. The first look is
for positions only, which the indexes hold by themselves: asked for more columns at once, MariaDB reads every
later entry of the account to find a page in the middle. So a page costs the same wherever it is, and however
many transfers there are.
"""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from django.db.models import QuerySet

from balance.chart import Account, Event
from balance.models import LedgerAccount, Transfer
from balance.moments import entry_number, instant
from balance.wording import entry_label
from foundation.money import Money

CHUNK = 500
MOST_CHUNKS = 20  # of entries looked at for one page of a rare event


class Position(NamedTuple):
    """Where an entry stands among all entries of a member: by its number, then by its account."""

    number: int
    account_id: str


@dataclass(frozen=True, slots=True)
class Entry:
    """A change of one account. ``amount`` is signed: what came in is positive."""

    id: str
    position: Position
    account: Account
    counterpart: Account
    posting_id: str
    event: Event
    reference: str
    effective_at: datetime
    amount: Money
    balance_after: Money

    @property
    def recorded_at(self) -> datetime:
        """When it entered the account; what `?at=` and the months of statements go by."""
        return instant(self.position.number)

    def label(self, language: str) -> str:
        """What it is, in words for the member."""
        came_in = self.amount.amount_minor > 0
        return entry_label(
            self.event, self.account.kind, self.counterpart.kind, came_in=came_in, language=language
        )


@dataclass(frozen=True, slots=True)
class EntryFilter:
    """Which entries are wanted. The range is half-open and goes by ``Entry.recorded_at``."""

    event: Event | None = None
    reference: str | None = None
    recorded_from: datetime | None = None
    recorded_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Run:
    """Consecutive entries, and where to go on (None: there are no more in this direction).

    There may be fewer entries than were asked for although there are more: a rare event is not looked for
    in all entries at once.
    """

    entries: list[Entry]
    go_on_after: Position | None


def list_member_accounts(
    member_id: str, *, kind: str | None = None, currency: str | None = None
) -> list[str]:
    """Ids of the accounts that the member has, in order."""
    wanted = {name: value for name, value in (("kind", kind), ("currency", currency)) if value is not None}
    rows = LedgerAccount.objects.filter(member_id=member_id, **wanted).order_by("id")
    return list(rows.values_list("id", flat=True))


def list_entries(
    account_ids: Sequence[str],
    wanted: EntryFilter,
    *,
    limit: int,
    newest_first: bool = True,
    after: Position | None = None,
) -> Run:
    """At most ``limit`` entries that follow ``after`` in this direction.

    Two statements for each account and one for the page; with an event but no reference, as many again for
    every CHUNK entries that had to be looked at, MOST_CHUNKS at most.
    """
    if wanted.event is None or wanted.reference is not None:
        found = _positions(account_ids, wanted, limit + 1, newest_first, after)
        entries = _read(found[:limit])
        return Run(entries, found[limit - 1].position if len(found) > limit else None)
    entries = []
    for _ in range(MOST_CHUNKS):
        found = _positions(account_ids, wanted, CHUNK, newest_first, after)
        entries += _read(found, event=wanted.event)
        if len(entries) > limit:
            return Run(entries[:limit], entries[limit - 1].position)
        if len(found) < CHUNK:
            return Run(entries, None)
        after = found[-1].position
    return Run(entries, after)


def iterate_entries(account_id: str, wanted: EntryFilter) -> Iterator[Entry]:
    """Those of one account, the oldest first, read in chunks."""
    after: Position | None = None
    while True:
        run = list_entries([account_id], wanted, limit=CHUNK, newest_first=False, after=after)
        yield from run.entries
        if run.go_on_after is None:
            return
        after = run.go_on_after


class _Found(NamedTuple):
    position: Position
    transfer_id: str
    side: str


def _positions(
    account_ids: Sequence[str],
    wanted: EntryFilter,
    limit: int,
    newest_first: bool,
    after: Position | None,
) -> list[_Found]:
    found = [
        [
            _Found(Position(number, account_id), transfer_id, side)
            for number, transfer_id in _side(account_id, side, wanted, newest_first, after)[:limit]
        ]
        for account_id in account_ids
        for side in ("debit", "credit")
    ]
    return list(itertools.islice(heapq.merge(*found, reverse=newest_first), limit))


def _side(
    account_id: str, side: str, wanted: EntryFilter, newest_first: bool, after: Position | None
) -> QuerySet[Transfer, Any]:
    number = f"{side}_entry"
    rows = Transfer.objects.filter(**{f"{side}_account_id": account_id})
    if wanted.recorded_from is not None:
        rows = rows.filter(**{f"{number}__gte": entry_number(wanted.recorded_from)})
    if wanted.recorded_until is not None:
        rows = rows.filter(**{f"{number}__lt": entry_number(wanted.recorded_until)})
    if after is not None:
        beyond = "lt" if newest_first else "gt"
        # Of the same number, those of the accounts that follow.
        follows = account_id < after.account_id if newest_first else account_id > after.account_id
        rows = rows.filter(**{f"{number}__{beyond}{'e' if follows else ''}": after.number})
    if wanted.reference is not None:
        rows = rows.filter(posting__reference=wanted.reference)
        if wanted.event is not None:
            rows = rows.filter(posting__event=wanted.event.value)
    return rows.order_by(f"-{number}" if newest_first else number).values_list(number, "id")


def _read(found: Sequence[_Found], event: Event | None = None) -> list[Entry]:
    """The entries at these positions, in their order, less those of other events."""
    if not found:
        return []
    rows = Transfer.objects.filter(id__in={one.transfer_id for one in found})
    if event is not None:
        rows = rows.filter(posting__event=event.value)
    by_id = {
        row["id"]: row
        for row in rows.values(
            *("id", "posting_id", "currency", "amount_minor", "debit_balance_minor", "credit_balance_minor"),
            *("debit_account_id", "credit_account_id"),
            *("posting__event", "posting__reference", "posting__effective_at"),
        )
    }
    return [_entry(one, by_id[one.transfer_id]) for one in found if one.transfer_id in by_id]


def _entry(one: _Found, row: dict[str, Any]) -> Entry:
    sign, other = (1, "debit") if one.side == "credit" else (-1, "credit")
    return Entry(
        id=f"{one.transfer_id}-{one.side}",
        position=one.position,
        account=Account.from_id(one.position.account_id),
        counterpart=Account.from_id(row[f"{other}_account_id"]),
        posting_id=row["posting_id"],
        event=Event(row["posting__event"]),
        reference=row["posting__reference"],
        effective_at=row["posting__effective_at"],
        amount=Money(sign * row["amount_minor"], row["currency"]),
        balance_after=Money(row[f"{one.side}_balance_minor"], row["currency"]),
    )
