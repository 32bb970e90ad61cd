"""Posting: the one place where money moves.

Written in SQL rather than through model instances: every payment passes here, several times, and the
mapper would cost more than the database does (docs/performance.md, `make bench BENCH=ledger`).

The race is won under the locks of the members' accounts that a batch touches, taken in the order of their
ids; the unique key of a posting is the fence against doing it twice. Accounts of the platform and of
charities are never locked. On MariaDB a simple posting that meets no obstacle takes a shorter way to the same
rows (posting_at_once); what is here decides about every other one.
"""

from __future__ import annotations

import operator
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.db import IntegrityError, connection, transaction
from django.db.backends.utils import CursorWrapper

from balance import metrics
from balance.chart import MAX_MINOR, MEMBER_KINDS, Account, Event, floor_minor
from balance.errors import (
    AlreadyReversed,
    CurrencyMismatch,
    InsufficientFunds,
    InvalidAmount,
    PostingKeyReused,
    PostingNotFound,
)
from balance.events import Line, NewPosting, Posted, mirrored
from balance.models import LedgerAccount, Posting, Transfer
from balance.moments import ENTRIES_PER_MICROSECOND, entry_number, instant
from balance.services.posting_at_once import post_at_once
from balance.services.posting_sql import INSERT_TRANSFERS, insert_postings, marks
from foundation.db import Statement, atomic_retry, execute_all
from foundation.ids import new_id
from foundation.money import Money
from members.errors import MemberNotFound
from members.queries import list_member_facts

ACCOUNTS_PER_UPDATE = 100  # a CASE is compared row by row: longer ones cost more than a second statement


def post(posting: NewPosting, *, now: datetime) -> Posted:
    """Record one business fact, whole or not at all.

    Raises InsufficientFunds, InvalidAmount, CurrencyMismatch, PostingKeyReused, AlreadyReversed.
    """
    return post_many([posting], now=now)[0]


def post_many(postings: Sequence[NewPosting], *, now: datetime) -> list[Posted]:
    """Record several facts in one transaction, all or none, in their order; errors as in ``post``.

    A few hundred at a time are many times as fast as one by one; keys that are known already are skipped.
    ValueError for more than 1,000 lines together.
    """
    for posting in postings:
        _check(posting, now)
    return _post_all(list(postings), now, is_whole_transaction=connection.get_autocommit())


@atomic_retry
def _post_all(postings: list[NewPosting], now: datetime, *, is_whole_transaction: bool) -> list[Posted]:
    with connection.cursor() as cursor:
        done = (
            post_at_once(cursor, postings[0], now, ends_transaction=is_whole_transaction)
            if len(postings) == 1
            else None
        )
        posted = [done] if done else _Batch(cursor, postings, now, is_whole_transaction).post()
    fresh = [posting for posting, done in zip(postings, posted, strict=True) if not done.replayed]
    transaction.on_commit(lambda: _count(fresh, len(postings) - len(fresh)))
    return posted


@atomic_retry
def reverse(posting_id: str, *, key: str, event: Event, actor: str, reason: str, now: datetime) -> Posted:
    """Undo a posting exactly, at most once.

    Raises PostingNotFound, AlreadyReversed, PostingKeyReused, and InsufficientFunds where the money is gone
    and the event may not make a debt.
    """
    undone = Posting.objects.filter(id=posting_id).values_list("reference", flat=True).first()
    if undone is None:
        raise PostingNotFound(f"There is no posting {posting_id}.")
    rows = Transfer.objects.filter(posting_id=posting_id).order_by("position")
    lines = [
        Line(Account.from_id(debit), Account.from_id(credit), Money(amount_minor, currency))
        for debit, credit, amount_minor, currency in rows.values_list(
            "debit_account_id", "credit_account_id", "amount_minor", "currency"
        )
    ]
    return post(
        NewPosting(
            key=key,
            event=event,
            lines=mirrored(lines),
            reference=undone,
            actor=actor,
            reason=reason,
            reverses=posting_id,
        ),
        now=now,
    )


def _count(fresh: Iterable[NewPosting], replayed: int) -> None:
    for posting in fresh:
        metrics.POSTINGS.labels(posting.event).inc()
    if replayed:
        metrics.POSTINGS_REPLAYED.inc(replayed)


def _check(posting: NewPosting, now: datetime) -> None:
    if not posting.lines:
        raise ValueError(f"{posting.key}: a posting without lines says nothing")
    if posting.effective_at is not None and posting.effective_at > now:
        raise ValueError(f"{posting.key}: it has not happened yet")
    for line in posting.lines:
        if not 0 < line.amount.amount_minor <= MAX_MINOR:
            raise InvalidAmount(f"{line.amount.amount_minor} is no amount to move.")
        if not line.debit.currency == line.credit.currency == line.amount.currency:
            raise CurrencyMismatch(
                f"{line.amount.currency} cannot go from {line.debit.currency} to {line.credit.currency}."
            )
        if line.debit == line.credit:
            raise ValueError(f"{posting.key}: {line.debit.id} on both sides")


@dataclass(slots=True)
class _Standing:
    """A locked account, as the lines so far leave it."""

    balance_minor: int
    last_entry: int

    def enter(self, balance_minor: int, moment: int) -> str:
        """Its number (the first of the instant, or the next free one) and the balance after it, in SQL."""
        self.balance_minor = balance_minor
        self.last_entry = max(self.last_entry + 1, moment)
        return f"{self.last_entry}, {balance_minor}"


@dataclass
class _Batch:
    cursor: CursorWrapper
    postings: list[NewPosting]
    now: datetime
    is_whole_transaction: bool
    locked: dict[str, _Standing] = field(default_factory=dict)
    lines: int = 0

    def post(self) -> list[Posted]:
        """Lock, decide, write."""
        self._lock()
        return self._write()

    def _lock(self) -> None:
        """Lock the members' accounts in the order of their ids; open those that are not there yet."""
        self.lines = sum(len(posting.lines) for posting in self.postings)
        if self.lines > ENTRIES_PER_MICROSECOND:
            raise ValueError(f"{self.lines} lines are more than one instant can number")
        accounts = {
            account
            for posting in self.postings
            for line in posting.lines
            for account in (line.debit, line.credit)
        }
        members = sorted([account for account in accounts if account.kind in MEMBER_KINDS], key=_ID)
        unknown = accounts.difference(members, _opened)
        if unknown:
            _open(unknown, self.now)
        self._read_locked([account.id for account in members])
        if len(self.locked) < len(members):
            missing = [account for account in members if account.id not in self.locked]
            _open(missing, self.now)
            self._read_locked([account.id for account in missing])

    def _read_locked(self, ids: Sequence[str]) -> None:
        if not ids:
            return
        lock = " FOR UPDATE" if self.cursor.db.features.has_select_for_update else ""
        self.cursor.execute(
            "SELECT id, balance_minor, last_entry FROM balance_ledgeraccount"  # noqa: S608  # marks only
            f" WHERE id IN ({marks(len(ids))}) ORDER BY id{lock}",
            ids,
        )
        for id_, balance_minor, last_entry in self.cursor.fetchall():
            self.locked[id_] = _Standing(balance_minor, last_entry)

    def _write(self) -> list[Posted]:
        """Insert what is new; what a key stands for already is answered as it is."""
        # No account of a batch may have an entry later than the posting that made it, so a clock that
        # is behind another machine's waits for it here.
        latest = max((standing.last_entry for standing in self.locked.values()), default=0)
        recorded_at = max(self.now, instant(latest + self.lines))
        ids = {posting.key: new_id() for posting in self.postings}
        if len(ids) < len(self.postings):
            raise ValueError("a batch names each key once")
        fresh, known = self.postings, dict[str, Posted]()
        try:
            self._insert_all(fresh, ids, recorded_at)
        except (IntegrityError, InsufficientFunds, InvalidAmount):
            # Perhaps it was done already: then there is nothing to be short of. Looked up only now, since
            # a repeat is the exception.
            known = self._known()
            if any(done.id == ids[key] for key, done in known.items()):
                # Ours of just now: not the key was taken, but one of its transfers was refused. Half a
                # posting is never to be committed, whatever the caller makes of the error.
                transaction.set_rollback(True)
                raise
            fresh = [posting for posting in fresh if posting.key not in known]
            self._refuse_reversed(fresh)
            if not known:
                raise
            if fresh:
                self._insert_all(fresh, ids, recorded_at)
        return [
            known.get(posting.key) or Posted(ids[posting.key], posting.key, recorded_at)
            for posting in self.postings
        ]

    def _insert_all(self, fresh: Sequence[NewPosting], ids: dict[str, str], recorded_at: datetime) -> None:
        # Everything is decided before anything is written, so that a refusal leaves nothing behind in a
        # transaction that the caller goes on with.
        standings = {id_: _Standing(one.balance_minor, one.last_entry) for id_, one in self.locked.items()}
        transfers = _transfers(fresh, ids, standings, entry_number(recorded_at))
        changed = {id_: standings[id_] for id_ in sorted(standings) if standings[id_] != self.locked[id_]}
        execute_all(
            self.cursor,
            [
                insert_postings(self.cursor, fresh, ids, now=self.now, recorded_at=recorded_at),
                transfers,
                *_updates(changed),
            ],
            ends_transaction=self.is_whole_transaction,
        )

    def _known(self) -> dict[str, Posted]:
        rows = Posting.objects.filter(key__in=[posting.key for posting in self.postings])
        found = {
            key: (id_, fingerprint, recorded_at)
            for key, id_, fingerprint, recorded_at in rows.values_list(
                "key", "id", "fingerprint", "recorded_at"
            )
        }
        known = {}
        for posting in self.postings:
            if posting.key not in found:
                continue
            id_, fingerprint, recorded_at = found[posting.key]
            if fingerprint != posting.fingerprint():
                raise PostingKeyReused(f"{posting.key} was posted with another content.")
            known[posting.key] = Posted(id_, posting.key, recorded_at, replayed=True)
        return known

    def _refuse_reversed(self, fresh: Sequence[NewPosting]) -> None:
        reversed_ids = [posting.reverses for posting in fresh if posting.reverses is not None]
        by = Posting.objects.filter(reverses__in=reversed_ids).values_list("reverses_id", "key").first()
        if by is not None:
            raise AlreadyReversed(f"{by[0]} was undone by {by[1]}.")


def _transfers(
    postings: Sequence[NewPosting], ids: dict[str, str], standings: dict[str, _Standing], moment: int
) -> Statement:
    """The lines; moves ``standings`` along. Raises InsufficientFunds, InvalidAmount."""
    rows: list[str] = []
    values: list[str] = []
    for posting in postings:
        id_ = ids[posting.key]
        for position, line in enumerate(posting.lines, 1):
            debit, credit, amount = line.debit.id, line.credit.id, line.amount
            debited = _take(posting.event, line, standings.get(debit), moment)
            credited = _give(line, standings.get(credit), moment)
            # Numbers are in the text: the driver's way with a value costs more than the row does.
            rows.append(f"(%s, %s, {position}, %s, %s, %s, {amount.amount_minor}, {debited}, {credited})")
            values += (f"{id_}-{position}", id_, debit, credit, amount.currency)
    return INSERT_TRANSFERS + ", ".join(rows), values


def _updates(changed: dict[str, _Standing]) -> Iterator[Statement]:
    ids = list(changed)
    for start in range(0, len(ids), ACCOUNTS_PER_UPDATE):
        part = ids[start : start + ACCOUNTS_PER_UPDATE]
        balances = " ".join(f"WHEN %s THEN {changed[id_].balance_minor}" for id_ in part)
        entries = " ".join(f"WHEN %s THEN {changed[id_].last_entry}" for id_ in part)
        yield (
            f"UPDATE balance_ledgeraccount SET balance_minor = CASE id {balances} END,"  # noqa: S608  # marks and numbers
            f" last_entry = CASE id {entries} END WHERE id IN ({marks(len(part))})",
            part * 3,
        )


def _take(event: Event, line: Line, standing: _Standing | None, moment: int) -> str:
    if standing is None:
        return "NULL, NULL"
    after = standing.balance_minor - line.amount.amount_minor
    if after < floor_minor(event, line.debit):
        there_is = Money(standing.balance_minor, line.debit.currency)
        raise InsufficientFunds(
            f"{line.amount} is more than the {there_is} there is.", extra={"available": there_is.as_json()}
        )
    return standing.enter(after, moment)


def _give(line: Line, standing: _Standing | None, moment: int) -> str:
    if standing is None:
        return "NULL, NULL"
    after = standing.balance_minor + line.amount.amount_minor
    if after > MAX_MINOR:
        raise InvalidAmount("The balance cannot hold this amount.")
    return standing.enter(after, moment)


_ID = operator.attrgetter("id")


# Accounts of the platform that are known to be there, for good: the database refuses to delete one.
_opened: set[Account] = set()


def forget_opened_accounts() -> None:
    """Look again whether the platform's accounts are there; for tests, which empty the database."""
    _opened.clear()


def _open(accounts: Iterable[Account], now: datetime) -> None:
    opening = list(accounts)
    owners = {account.owner for account in opening if account.kind in MEMBER_KINDS}
    if strangers := owners - list_member_facts(owners).keys():
        raise MemberNotFound(f"There are no members {', '.join(sorted(strangers))}.")
    LedgerAccount.objects.bulk_create(
        [
            LedgerAccount(
                id=account.id,
                member_id=account.owner if account.kind in MEMBER_KINDS else None,
                kind=account.kind.value,
                currency=account.currency,
                balance_minor=0 if account.kind in MEMBER_KINDS else None,
                opened_at=now,
            )
            for account in opening
        ],
        ignore_conflicts=True,
    )
    shared = [account for account in opening if account.kind not in MEMBER_KINDS]
    transaction.on_commit(lambda: _opened.update(shared))
