"""What holds and withdrawals say is set aside: what the accounts `held` and `in_transit` have to hold."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection

from django.db.models import Sum

from balance.chart import Account, AccountKind, of_member
from balance.lifecycle import OPEN, HoldStatus
from balance.models import Hold, Withdrawal

KINDS = frozenset({AccountKind.HELD, AccountKind.IN_TRANSIT})


def set_aside(account_ids: Collection[str]) -> dict[str, int]:
    """By account, of those that are of KINDS, what active holds or open withdrawals add up to."""
    accounts = [account for id_ in account_ids if (account := Account.from_id(id_)).kind in KINDS]
    if not accounts:
        return {}
    members = {account.owner for account in accounts}
    sums = Counter[str]()
    # Only active holds are due; there is an index of these, and none of the status.
    holds = Hold.objects.filter(member_id__in=members, due_at__isnull=False, status=HoldStatus.ACTIVE.value)
    withdrawals = Withdrawal.objects.filter(member_id__in=members, status__in=OPEN)
    for kind, rows in ((AccountKind.HELD, holds), (AccountKind.IN_TRANSIT, withdrawals)):
        totals = rows.order_by().values_list("member_id", "currency").annotate(Sum("amount_minor"))
        for member_id, currency, minor in totals:
            sums[of_member(member_id, kind, currency).id] = int(minor)
    return {account.id: sums[account.id] for account in accounts}
