"""What the clock brings about with money (foundation.sandbox). Days are sealed in real time only: whoever is
booking while the clock is advanced still books on the day before.
"""

from __future__ import annotations

from datetime import datetime

from django.conf import settings

from balance.models import Donation, DonationSettlement, Hold, Withdrawal
from balance.months import SETTLING, Month
from balance.queries.banking import due_withdrawal_ids
from balance.queries.donations import due_settlement_ids
from balance.services.donation_settlements import TIME_ZONE, advance_settlement, collect_donations
from balance.services.holds import expire_holds
from balance.services.sending import BATCH, advance_withdrawal
from foundation.sandbox import Sweeper, earliest, register


def call_banks(*, now: datetime) -> int:
    """Send the withdrawals that are due, or ask how far they are; returns how many calls were made."""
    due = due_withdrawal_ids(now=now, limit=BATCH)
    for withdrawal_id in due:
        advance_withdrawal(withdrawal_id=withdrawal_id, now=now)
    # What a worker has in hand stays due.
    return len(due) - Withdrawal.objects.filter(id__in=due, next_call_at__lte=now).count() if due else 0


def settle_donations(*, now: datetime) -> int:
    """Collect what was given, and pay the charities; returns how many calls of the bank were made."""
    collect_donations(provider=settings.PAYOUT_PROVIDER, now=now)
    due = due_settlement_ids(now=now, limit=BATCH)
    for settlement_id in due:
        advance_settlement(settlement_id=settlement_id, now=now)
    still = DonationSettlement.objects.filter(id__in=due, next_call_at__lte=now)
    return len(due) - still.count() if due else 0


def next_settlement(*, after: datetime) -> datetime | None:
    """The next call of the bank, or the end of a month in which something was given."""
    calls = earliest(DonationSettlement.objects.all(), "next_call_at")(after=after)
    if not Donation.objects.filter(status="given").exists():
        return calls
    month_ends = Month.at(after - SETTLING, TIME_ZONE).ends_at(TIME_ZONE) + SETTLING
    return month_ends if calls is None else min(calls, month_ends)


def register_sweepers() -> None:
    """Called once the apps are loaded."""
    register(Sweeper("balance.holds", sweep=expire_holds, next_due=earliest(Hold.objects.all(), "due_at")))
    register(
        Sweeper(
            "balance.withdrawals",
            sweep=call_banks,
            next_due=earliest(Withdrawal.objects.all(), "next_call_at"),
        )
    )
    register(Sweeper("balance.donations", sweep=settle_donations, next_due=next_settlement))
