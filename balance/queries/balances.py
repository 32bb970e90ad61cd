"""What members have. Cached balances; the sums they stand for are the audit's (balance.queries.control)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from balance.chart import MEMBER_KINDS, AccountKind, of_member
from balance.models import LedgerAccount, Transfer
from balance.moments import entry_number
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


def get_balances(member_id: str, currency: str) -> Balances:
    """The balances now; zero where nothing was ever posted. One statement."""
    ids = [of_member(member_id, kind, currency).id for kind in sorted(MEMBER_KINDS)]
    rows = LedgerAccount.objects.filter(id__in=ids).values_list("kind", "balance_minor")
    return _balances({kind: minor or 0 for kind, minor in rows}, currency)


def get_balances_at(member_id: str, currency: str, at: datetime) -> Balances:
    """The balances as they were once everything recorded up to ``at`` (inclusive) was.

    The cost does not depend on how many transfers there are: two index look-ups per account.
    """
    moment = entry_number(at)
    minors = {}
    for kind in sorted(MEMBER_KINDS):
        account_id = of_member(member_id, kind, currency).id
        sides = (
            Transfer.objects.filter(debit_account_id=account_id, debit_entry__lte=moment)
            .order_by("-debit_entry")
            .values_list("debit_entry", "debit_balance_minor")
            .first(),
            Transfer.objects.filter(credit_account_id=account_id, credit_entry__lte=moment)
            .order_by("-credit_entry")
            .values_list("credit_entry", "credit_balance_minor")
            .first(),
        )
        _, minor = max((side for side in sides if side), default=(0, 0))
        minors[kind.value] = minor or 0
    return _balances(minors, currency)


def _balances(minors: dict[str, int], currency: str) -> Balances:
    def money(kind: AccountKind) -> Money:
        return Money(minors.get(kind.value, 0), currency)

    return Balances(
        pending=money(AccountKind.PENDING),
        available=money(AccountKind.AVAILABLE),
        held=money(AccountKind.HELD),
        in_transit=money(AccountKind.IN_TRANSIT),
    )
