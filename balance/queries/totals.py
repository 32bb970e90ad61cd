"""Sums over the ledger, by account and by day; bounded in memory however long the ledger is."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Any

from django.db.models import Count, Q, QuerySet, Sum

from balance.chart import MEMBER_KINDS, Account
from balance.models import LedgerAccount, LedgerDayTotal, Posting, Transfer

CHUNK = 2_000  # postings read at a time
MEMBERS = "members"


@dataclass(frozen=True, slots=True)
class Turnover:
    """What went out of an account (debits) and into it (credits), in minor units."""

    debits_minor: int = 0
    credits_minor: int = 0


@dataclass(slots=True)
class DayDigest:
    """A day, added up and hashed."""

    hash: str
    postings: int = 0
    transfers: int = 0
    turnovers: dict[str, Turnover] = field(default_factory=dict)


def bounds(day: date) -> tuple[datetime, datetime]:
    """The first instant of a day (UTC) and of the next one."""
    start = datetime.combine(day, time.min, tzinfo=UTC)
    return start, start + timedelta(days=1)


def end_of(day: date, now: datetime) -> datetime:
    """The first instant after a day (UTC); ``now`` while it is not over, or still to come."""
    return now if day >= now.astimezone(UTC).date() else bounds(day)[1]


@lru_cache(maxsize=50_000)
def group_of(account_id: str) -> str:
    """The account itself, or all members' of its kind and currency."""
    account = Account.from_id(account_id)
    return f"{MEMBERS}:{account.kind}:{account.currency}" if account.kind in MEMBER_KINDS else account_id


def digest_of(day: date, *, previous_hash: str) -> DayDigest:
    """Read a day's postings in their order and hash them after the previous day's hash.

    The hash is SHA-256 over lines of text: the previous hash, then for each posting (by recorded time, then
    id) its fields, then its transfers by position; so it can be computed again from an export.
    """
    sha = hashlib.sha256(f"{previous_hash}\n{day.isoformat()}\n".encode())
    digest = DayDigest(hash="")
    debits, credits_ = Counter[str](), Counter[str]()
    for posting, transfers in iterate_day(day):
        lines = [_line("P", posting)]
        for transfer in transfers:
            _, debit, credit, _, minor, *_ = transfer
            lines.append(_line("T", transfer))
            debits[group_of(debit)] += minor
            credits_[group_of(credit)] += minor
        sha.update("".join(lines).encode())
        digest.postings += 1
        digest.transfers += len(transfers)
    digest.hash = sha.hexdigest()
    digest.turnovers = {
        account: Turnover(debits[account], credits_[account])
        for account in sorted(debits.keys() | credits_.keys())
    }
    return digest


def _line(kind: str, values: Sequence[Any]) -> str:
    # A million of each are hashed in an audit: the usual line is joined without looking at its values.
    cells = [value if value.__class__ is str else _cell(value) for value in values]
    line = "\t".join([kind, *cells])
    if "\n" in line or line.count("\t") > len(cells):
        line = "\t".join([kind, *(cell.replace("\t", " ").replace("\n", " ") for cell in cells)])
    return f"{line}\n"


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="microseconds")
    return str(value)


_POSTING = (
    *("id", "key", "event", "reference", "fingerprint", "reverses_id", "actor", "reason"),
    *("effective_at", "recorded_at"),
)
_TRANSFER = (
    *("position", "debit_account_id", "credit_account_id", "currency", "amount_minor"),
    *("debit_entry", "debit_balance_minor", "credit_entry", "credit_balance_minor"),
)


def find_first_day() -> date | None:
    """The day (UTC) on which the first posting was recorded."""
    first = Posting.objects.order_by("recorded_at").values_list("recorded_at", flat=True).first()
    return None if first is None else first.astimezone(UTC).date()


def iterate_day(day: date) -> Iterator[tuple[tuple[Any, ...], list[tuple[Any, ...]]]]:
    """A day's postings by recorded time, then id, each with its transfers by position.

    The fields are those that the hash covers, in its order.
    """
    for postings in _chunks(day):
        transfers: dict[str, list[tuple[Any, ...]]] = {}
        ids = [posting[0] for posting in postings]
        rows = Transfer.objects.filter(posting_id__in=ids).order_by("posting_id", "position")
        for posting_id, *values in rows.values_list("posting_id", *_TRANSFER):
            transfers.setdefault(posting_id, []).append(tuple(values))
        for posting in postings:
            yield posting, transfers.get(posting[0], [])


def _chunks(day: date) -> Iterator[list[Any]]:
    start, end = bounds(day)
    rows = Posting.objects.filter(recorded_at__lt=end).order_by("recorded_at", "id")
    after = Q(recorded_at__gte=start)
    while chunk := list(rows.filter(after).values_list(*_POSTING)[:CHUNK]):
        yield chunk
        id_, recorded_at = chunk[-1][0], chunk[-1][-1]
        after = Q(recorded_at__gte=recorded_at) & (Q(recorded_at__gt=recorded_at) | Q(id__gt=id_))


def turnovers_until(at: datetime) -> dict[str, Turnover]:
    """By account (members' together), all that was recorded before ``at``: sealed days and what is since.

    The cost is that of the days that are not sealed, not of the ledger.
    """
    sealed = LedgerDayTotal.objects.filter(day__lte=(at - timedelta(days=1)).astimezone(UTC).date())
    # By the column: "-day" would be the other way round, after the ordering of LedgerDay.
    last = sealed.order_by("-day_id").values_list("day_id", flat=True).first()
    debits, credits_ = Counter[str](), Counter[str]()
    rows = (
        sealed.values_list("account").annotate(Sum("debits_minor"), Sum("credits_minor")).order_by("account")
    )
    for account, out, into in rows:
        debits[account] += int(out)
        credits_[account] += int(into)
    recent = Transfer.objects.filter(posting__recorded_at__lt=at)
    if last is not None:
        recent = recent.filter(posting__recorded_at__gte=bounds(last)[1])
    for side, sums in (("debit_account_id", debits), ("credit_account_id", credits_)):
        for account_id, minor in recent.values_list(side).annotate(Sum("amount_minor")).order_by(side):
            sums[group_of(account_id)] += int(minor)
    return {
        account: Turnover(debits[account], credits_[account])
        for account in sorted(debits.keys() | credits_.keys())
    }


@dataclass(frozen=True, slots=True)
class Recomputed:
    """A member's account as cached, as its transfers add up, and as the last entry has it (``latest``)."""

    account_id: str
    cached_minor: int
    sum_minor: int
    latest_minor: int
    transfers: int

    @property
    def is_consistent(self) -> bool:
        return self.cached_minor == self.sum_minor == self.latest_minor


def recompute(*, after: str, limit: int) -> list[Recomputed]:
    """The next ``limit`` members' accounts by id, recomputed from every one of their transfers."""
    return _recomputed(LedgerAccount.objects.filter(balance_minor__isnull=False, id__gt=after), limit)


def recompute_one(account_id: str) -> Recomputed:
    """One member's account."""
    (row,) = _recomputed(LedgerAccount.objects.filter(id=account_id), 1)
    return row


def _recomputed(accounts: QuerySet[LedgerAccount], limit: int) -> list[Recomputed]:
    rows = list(accounts.order_by("id").values_list("id", "balance_minor", "last_entry")[:limit])
    if not rows:
        return []
    sums, numbers, latest = Counter[str](), Counter[str](), dict[str, int]()
    for side, sign in (("debit", -1), ("credit", 1)):
        # By a range of ids, which is a range of the index; what else lies in it is a few rows.
        between = {f"{side}_account_id__gte": rows[0][0], f"{side}_account_id__lte": rows[-1][0]}
        turnovers = (
            Transfer.objects.filter(**between)
            .values_list(f"{side}_account_id")
            .annotate(Sum("amount_minor"), Count("id"))
            .order_by(f"{side}_account_id")
        )
        for account_id, minor, number in turnovers:
            sums[account_id] += sign * int(minor)
            numbers[account_id] += number
        ends = {(id_, entry) for id_, _, entry in rows if entry}
        entries = Transfer.objects.filter(
            **{
                f"{side}_account_id__in": [id_ for id_, _ in ends],
                f"{side}_entry__in": [entry for _, entry in ends],
            }
        ).values_list(f"{side}_account_id", f"{side}_entry", f"{side}_balance_minor")
        latest.update({id_: minor for id_, entry, minor in entries if (id_, entry) in ends})
    return [
        Recomputed(id_, cached or 0, sums[id_], latest.get(id_, 0), numbers[id_]) for id_, cached, _ in rows
    ]


def list_empty_postings(limit: int) -> list[str]:
    """Ids of postings without a transfer; there should be none."""
    rows = Posting.objects.exclude(id__in=Transfer.objects.values("posting_id")).order_by("id")
    return [str(id_) for id_ in rows.values_list("id", flat=True)[:limit]]
