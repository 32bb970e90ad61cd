"""What members have. Cached balances; the sums they stand for are the audit's (balance.queries.control)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Max, QuerySet

from balance.chart import MEMBER_KINDS, Account, AccountKind, of_member
from balance.models import LedgerAccount, Transfer
from balance.moments import last_entry_number
from foundation.compiled import CompiledQuery, args, named
from foundation.money import Money


@dataclass(frozen=True, slots=True)
class Balances:
    """A member's money in one currency. ``available`` below zero is a debt."""

    pending: Money
    available: Money
    held: Money
    in_transit: Money

    @property
    def debt(self) -> Money:
        """What the member owes: next sales pay it down."""
        return Money(max(0, -self.available.amount_minor), self.available.currency)


@dataclass(frozen=True, slots=True)
class Standing:
    """The balances in one currency, and whether the audit has frozen one of the accounts (as of now)."""

    balances: Balances
    is_frozen: bool


def get_balances(member_id: str, currency: str) -> Balances:
    """The balances now; zero where nothing was ever posted. One statement."""
    rows = _BALANCES.all(**named("id", _ids(member_id, currency)))
    return _balances({kind: minor or 0 for kind, minor in rows}, currency)


_BALANCES = CompiledQuery(
    lambda: (
        LedgerAccount.objects.filter(id__in=args("id", len(MEMBER_KINDS)))
        .order_by()
        .values_list("kind", "balance_minor")
    )
)


def get_balances_at(member_id: str, currency: str, at: datetime) -> Balances:
    """The balances as they were once everything recorded up to ``at`` (inclusive) was.

    The cost does not depend on how many transfers there are: at most three index look-ups per account.
    """
    accounts = LedgerAccount.objects.filter(id__in=_ids(member_id, currency))
    return _balances({kind: minor for kind, _, _, minor in _balances_at(accounts, at)}, currency)


def list_standings(member_id: str, home_currency: str) -> dict[str, Standing]:
    """By currency: the home currency, then the others in which there are accounts. One statement."""
    rows = LedgerAccount.objects.filter(member_id=member_id).values_list(
        "kind", "currency", "frozen_at", "balance_minor"
    )
    return _standings([(kind, code, at, minor or 0) for kind, code, at, minor in rows], home_currency)


def list_standings_at(member_id: str, home_currency: str, at: datetime) -> dict[str, Standing]:
    """As list_standings, with the balances as in ``get_balances_at``."""
    accounts = LedgerAccount.objects.filter(member_id=member_id)
    return _standings(_balances_at(accounts, at), home_currency)


def _ids(member_id: str, currency: str) -> list[str]:
    return [of_member(member_id, kind, currency).id for kind in sorted(MEMBER_KINDS)]


_Row = tuple[str, str, datetime | None, int]  # kind, currency, frozen_at, balance


def _balances_at(accounts: QuerySet[LedgerAccount], at: datetime) -> list[_Row]:
    moment = last_entry_number(at)
    return [
        (kind, currency, frozen_at, _balance_at(id_, moment))
        for id_, kind, currency, frozen_at in accounts.values_list("id", "kind", "currency", "frozen_at")
    ]


def get_account_balance_at(account: Account, at: datetime) -> Money:
    """The balance of one member's account once everything recorded up to ``at`` (inclusive) was."""
    return Money(_balance_at(account.id, last_entry_number(at)), account.currency)


def _balance_at(account_id: str, moment: int) -> int:
    # MAX over a key's prefix and a range is one descent of the index on every engine. ORDER BY … LIMIT 1
    # is not: MariaDB walks all later entries of the account to find the first one that fits.
    debits = Transfer.objects.filter(debit_account_id=account_id)
    credits_ = Transfer.objects.filter(credit_account_id=account_id)
    last_debit = debits.filter(debit_entry__lte=moment).aggregate(last=Max("debit_entry"))["last"] or 0
    last_credit = credits_.filter(credit_entry__lte=moment).aggregate(last=Max("credit_entry"))["last"] or 0
    if last_debit > last_credit:
        found = debits.filter(debit_entry=last_debit).values_list("debit_balance_minor", flat=True)
    elif last_credit:
        found = credits_.filter(credit_entry=last_credit).values_list("credit_balance_minor", flat=True)
    else:
        return 0
    return found.get() or 0


def _standings(rows: Iterable[_Row], home_currency: str) -> dict[str, Standing]:
    minors: dict[str, dict[str, int]] = {home_currency: {}}
    frozen = set()
    for kind, currency, frozen_at, minor in sorted(rows, key=lambda row: row[1]):
        minors.setdefault(currency, {})[kind] = minor
        if frozen_at is not None:
            frozen.add(currency)
    return {
        currency: Standing(_balances(of_currency, currency), currency in frozen)
        for currency, of_currency in minors.items()
    }


def _balances(minors: dict[str, int], currency: str) -> Balances:
    def money(kind: AccountKind) -> Money:
        return Money(minors.get(kind.value, 0), currency)

    return Balances(
        pending=money(AccountKind.PENDING),
        available=money(AccountKind.AVAILABLE),
        held=money(AccountKind.HELD),
        in_transit=money(AccountKind.IN_TRANSIT),
    )
