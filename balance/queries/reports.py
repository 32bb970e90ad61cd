"""What accountants ask for: the trial balance, debts by age, and money that has not moved for long."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Max, Min, Sum

from balance.chart import CHART, AccountKind, Category
from balance.models import LedgerAccount, Transfer
from balance.moments import entry_number, instant
from balance.queries.totals import Turnover, turnovers_until
from foundation.money import Money

CHUNK = 500
# Days since the account went below zero, up to and including; the last bucket has no end.
BUCKETS = (30, 60, 90)
BUCKET_NAMES = ("0-30", "31-60", "61-90", "90+")
_ORDER = {kind: position for position, kind in enumerate(CHART)}


@dataclass(frozen=True, slots=True)
class TrialLine:
    """An account (members' of a kind together) with its turnover, and its balance on one side."""

    account: str
    kind: AccountKind
    currency: str
    turnover: Turnover

    @property
    def category(self) -> Category:
        return CHART[self.kind].category

    @property
    def debit(self) -> Money:
        """The balance, where debits prevail; else nothing."""
        return Money(max(0, self.turnover.debits_minor - self.turnover.credits_minor), self.currency)

    @property
    def credit(self) -> Money:
        """The balance, where credits prevail; else nothing."""
        return Money(max(0, self.turnover.credits_minor - self.turnover.debits_minor), self.currency)


@dataclass(frozen=True, slots=True)
class TrialBalance:
    """One currency's accounts in the order of the chart. ``debit`` and ``credit`` have to be equal."""

    currency: str
    lines: tuple[TrialLine, ...]

    @property
    def debit(self) -> Money:
        return Money(sum(line.debit.amount_minor for line in self.lines), self.currency)

    @property
    def credit(self) -> Money:
        return Money(sum(line.credit.amount_minor for line in self.lines), self.currency)

    @property
    def is_balanced(self) -> bool:
        return self.debit == self.credit

    def by_category(self) -> dict[Category, Money]:
        """Each category's total on its normal side."""
        totals = dict.fromkeys(Category, 0)
        for line in self.lines:
            out, into = line.turnover.debits_minor, line.turnover.credits_minor
            totals[line.category] += out - into if CHART[line.kind].is_debit_normal else into - out
        return {category: Money(minor, self.currency) for category, minor in totals.items()}


def trial_balance(at: datetime) -> list[TrialBalance]:
    """By currency, of everything that was recorded before ``at``; costs what ``turnovers_until`` does."""
    by_currency: dict[str, list[TrialLine]] = {}
    for account, turnover in turnovers_until(at).items():
        _, kind, currency = account.split(":")
        line = TrialLine(account, AccountKind(kind), currency, turnover)
        by_currency.setdefault(currency, []).append(line)
    return [
        TrialBalance(
            currency,
            tuple(sorted(by_currency[currency], key=lambda line: (_ORDER[line.kind], line.account))),
        )
        for currency in sorted(by_currency)
    ]


@dataclass(frozen=True, slots=True)
class Debt:
    """A member's account below zero, and since when it has been so without a break."""

    account_id: str
    member_id: str
    amount: Money
    since: datetime
    days: int

    @property
    def bucket(self) -> str:
        """One of BUCKET_NAMES."""
        return BUCKET_NAMES[sum(self.days > limit for limit in BUCKETS)]


def list_debts(now: datetime) -> Iterator[Debt]:
    """Debts by account id. Each costs a walk over the index of its account."""
    rows = LedgerAccount.objects.filter(kind=AccountKind.AVAILABLE.value, balance_minor__lt=0).order_by("id")
    for id_, member_id, minor, currency in rows.values_list(
        "id", "member_id", "balance_minor", "currency"
    ).iterator(CHUNK):
        since = _below_zero_since(id_)
        yield Debt(id_, member_id, Money(-(minor or 0), currency), since, (now - since).days)


def _below_zero_since(account_id: str) -> datetime:
    """The first entry after the last one that left nothing owed."""
    sides = [
        (Transfer.objects.filter(**{f"{side}_account_id": account_id}), side) for side in ("debit", "credit")
    ]
    last_fine = max(
        rows.filter(**{f"{side}_balance_minor__gte": 0}).aggregate(last=Max(f"{side}_entry"))["last"] or 0
        for rows, side in sides
    )
    firsts = [
        rows.filter(**{f"{side}_entry__gt": last_fine}).aggregate(first=Min(f"{side}_entry"))["first"]
        for rows, side in sides
    ]
    return instant(min(first for first in firsts if first is not None))


@dataclass(frozen=True, slots=True)
class Stale:
    """Money that should have moved on: the part of a balance that came in before the limit."""

    account_id: str
    member_id: str
    kind: AccountKind
    balance: Money
    old: Money


def list_stale(now: datetime, *, older_than: timedelta) -> Iterator[Stale]:
    """Pending, held and in transit: what of a balance is older, taking what came in first to leave first."""
    kinds = [AccountKind.PENDING.value, AccountKind.HELD.value, AccountKind.IN_TRANSIT.value]
    rows = LedgerAccount.objects.filter(kind__in=kinds, balance_minor__gt=0).order_by("id")
    limit = entry_number(now - older_than)
    after = ""
    while chunk := list(
        rows.filter(id__gt=after).values_list("id", "member_id", "kind", "balance_minor", "currency")[:CHUNK]
    ):
        after = chunk[-1][0]
        recent = _came_in([row[0] for row in chunk], since=limit)
        for id_, member_id, kind, minor, currency in chunk:
            balance = Money(minor or 0, currency)
            old = balance - Money(recent.get(id_, 0), currency)
            if old.amount_minor > 0:
                yield Stale(id_, member_id, AccountKind(kind), balance, old)


def _came_in(account_ids: Sequence[str], *, since: int) -> dict[str, int]:
    rows = (
        Transfer.objects.filter(credit_account_id__in=account_ids, credit_entry__gte=since)
        .values_list("credit_account_id")
        .annotate(Sum("amount_minor"))
        .order_by("credit_account_id")
    )
    return {id_: int(minor) for id_, minor in rows}


@dataclass(frozen=True, slots=True)
class BucketTotal:
    """The debts of one age in one currency."""

    currency: str
    bucket: str
    debts: int
    amount: Money


def bucket_totals(debts: Sequence[Debt]) -> list[BucketTotal]:
    """By currency, each bucket, also the empty ones."""
    currencies = sorted({debt.amount.currency for debt in debts})
    return [
        BucketTotal(
            currency,
            bucket,
            len(those),
            Money(sum(debt.amount.amount_minor for debt in those), currency),
        )
        for currency in currencies
        for bucket in BUCKET_NAMES
        for those in [[d for d in debts if (d.amount.currency, d.bucket) == (currency, bucket)]]
    ]
