"""Monthly statements: what each account had, what changed, what it has at the end.

A statement goes by recorded time: what the ledger learned of in a month is in that month for good, even when
it had happened before. So a closed month never changes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Min

from balance.chart import Account, AccountKind
from balance.errors import StatementNotFound, StatementTooLong
from balance.models import LedgerAccount
from balance.months import Month
from balance.queries.balances import get_account_balance_at
from balance.queries.entries import Entry, EntryFilter, iterate_entries, list_entries
from foundation.money import Money

MOST_LINES = 10_000

# All that the platform owes the member, in the order in which people ask: without the last two a purchase
# under way or a withdrawal would look like money that is gone.
_ORDER = (AccountKind.AVAILABLE, AccountKind.PENDING, AccountKind.HELD, AccountKind.IN_TRANSIT)


@dataclass(frozen=True, slots=True)
class Period:
    """The month of a statement, for one member."""

    member_id: str
    month: Month
    time_zone: str
    starts_at: datetime
    ends_at: datetime
    last_at: datetime  # its end, or now
    is_closed: bool


@dataclass(frozen=True, slots=True)
class Section:
    """One account in one month. ``lines`` are read when they are asked for, the oldest first."""

    account: Account
    period: Period
    opening: Money

    def lines(self) -> Iterator[Entry]:
        """Raises ArithmeticError at a line that does not lead to the balance after it.

        What is shown as closing is the balance after the last line, so it fits the lines even while more
        are being posted.
        """
        balance = self.opening
        for entry in iterate_entries(self.account.id, _within(self.period)):
            balance += entry.amount
            if balance != entry.balance_after:
                # Never to be handed out; the audit looks for the same, every night.
                raise ArithmeticError(f"{entry.id}: {balance} is not {entry.balance_after}")
            yield entry

    def closing(self, lines: Sequence[Entry]) -> Money:
        """What there is after these, all the lines."""
        return lines[-1].balance_after if lines else self.opening


def list_months(member_id: str, time_zone: str, now: datetime) -> list[Month]:
    """From the month in which the member's first account was opened to that of now; the latest first."""
    opened_at = LedgerAccount.objects.filter(member_id=member_id).aggregate(first=Min("opened_at"))["first"]
    if opened_at is None:
        return []
    months, last = [Month.at(opened_at, time_zone)], Month.at(now, time_zone)
    while months[-1] < last:
        months.append(months[-1].next())
    return months[::-1]


def get_period(member_id: str, month: Month, time_zone: str, now: datetime) -> Period:
    """Raises StatementNotFound for a month before the first account, or one to come."""
    if month not in list_months(member_id, time_zone, now):
        raise StatementNotFound(f"There is no statement of {month}.")
    return Period(
        member_id=member_id,
        month=month,
        time_zone=time_zone,
        starts_at=month.starts_at(time_zone),
        ends_at=month.ends_at(time_zone),
        last_at=min(month.ends_at(time_zone), now),
        is_closed=month.is_closed(time_zone, now),
    )


def list_sections(period: Period, home_currency: str) -> list[Section]:
    """The available account of every currency, and the others that had money in this month.

    The home currency comes first. The cost does not depend on how many transfers there are.
    """
    before = period.starts_at - timedelta(microseconds=1)
    accounts = [
        Account.from_id(id_)
        for id_ in LedgerAccount.objects.filter(
            member_id=period.member_id, opened_at__lt=period.ends_at
        ).values_list("id", flat=True)
    ]
    accounts.sort(
        key=lambda account: (
            account.currency != home_currency,
            account.currency,
            _ORDER.index(account.kind),
        )
    )
    sections = [Section(account, period, get_account_balance_at(account, before)) for account in accounts]
    return [section for section in sections if _says_something(section)]


def read_lines(section: Section) -> list[Entry]:
    """All lines at once. Raises StatementTooLong when there are more than MOST_LINES."""
    lines: list[Entry] = []
    for entry in section.lines():
        if len(lines) == MOST_LINES:
            raise StatementTooLong(f"More than {MOST_LINES} lines; ask for text/csv.")
        lines.append(entry)
    return lines


def _within(period: Period) -> EntryFilter:
    return EntryFilter(recorded_from=period.starts_at, recorded_until=period.ends_at)


def _says_something(section: Section) -> bool:
    return (
        section.account.kind is AccountKind.AVAILABLE
        or bool(section.opening.amount_minor)
        or bool(list_entries([section.account.id], _within(section.period), limit=1).entries)
    )
