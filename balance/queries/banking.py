"""Bank accounts, identities and withdrawals, as data."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db.models import Count, QuerySet

from balance.errors import BankAccountNotFound, WithdrawalNotFound
from balance.holder_names import masked_name
from balance.ibans import masked
from balance.lifecycle import MEMBER, WITHDRAWAL
from balance.models import BankAccount, Identity, Withdrawal, WithdrawalLimit
from balance.withdrawal_limits import Limits, default_limits
from foundation.compiled import Arg, CompiledQuery
from foundation.money import Money

MAX_BANK_ACCOUNTS = 5


@dataclass(frozen=True, slots=True)
class BankAccountFacts:
    """A bank account as its owner sees it: IBAN and holder are masked."""

    id: str
    iban: str
    holder_name: str
    country: str
    currency: str
    added_at: datetime
    usable_at: datetime


@dataclass(frozen=True, slots=True)
class PayoutAccount:
    """The account that a member's money goes to, in the clear: for reports that the law asks for."""

    iban: str = field(repr=False)
    holder_name: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class IdentityFacts:
    """Who a member is before the law. `version` grows with every change."""

    legal_name: str = field(repr=False)
    date_of_birth: str = field(repr=False)
    street: str = field(repr=False)
    postal_code: str = field(repr=False)
    city: str = field(repr=False)
    country: str
    version: int
    given_at: datetime
    changed_at: datetime


@dataclass(frozen=True, slots=True)
class WithdrawalFacts:
    """A withdrawal as its member sees it. `reason`: why it failed, came back or waits."""

    id: str
    status: str
    amount: Money
    bank_account_id: str
    iban: str
    reason: str
    requested_at: datetime
    sent_at: datetime | None
    ended_at: datetime | None

    @property
    def allowed_actions(self) -> tuple[str, ...]:
        """What the member may do with it now."""
        return WITHDRAWAL.verbs(self.status, MEMBER)


def bank_account_facts(account: BankAccount) -> BankAccountFacts:
    """The row as data. Raises CannotOpen."""
    return BankAccountFacts(
        id=account.id,
        iban=masked(account.country, account.last_four),
        holder_name=masked_name(account.holder_name.reveal()),
        country=account.country,
        currency=account.currency,
        added_at=account.added_at,
        usable_at=account.usable_at,
    )


def list_bank_accounts(member_id: str) -> list[BankAccountFacts]:
    """The standing ones, the latest first; at most MAX_BANK_ACCOUNTS and a few."""
    rows = BankAccount.objects.filter(member_id=member_id, is_standing=True).order_by("-id")
    return [bank_account_facts(account) for account in rows[: 2 * MAX_BANK_ACCOUNTS]]


def list_payout_accounts(member_ids: Iterable[str]) -> dict[str, PayoutAccount]:
    """Of each member the standing account that was added last; without one, the member is left out."""
    rows = BankAccount.objects.filter(member_id__in=set(member_ids), is_standing=True).order_by("id")
    return {row.member_id: PayoutAccount(row.iban.reveal(), row.holder_name.reveal()) for row in rows}


def get_bank_account(member_id: str, bank_account_id: str) -> BankAccountFacts:
    """A standing one of this member. Raises BankAccountNotFound."""
    account = BankAccount.objects.filter(id=bank_account_id, member_id=member_id, is_standing=True).first()
    if account is None:
        raise BankAccountNotFound
    return bank_account_facts(account)


def count_members_by_iban(iban_indexes: Iterable[str]) -> dict[str, int]:
    """How many members each IBAN stands with, by its blind index; removed accounts count too."""
    rows = (
        BankAccount.objects.filter(iban_index__in=set(iban_indexes))
        .order_by()
        .values("iban_index")
        .annotate(members=Count("member_id", distinct=True))
    )
    return {row["iban_index"]: row["members"] for row in rows}


def list_members_of_same_ibans(member_id: str) -> list[str]:
    """Others who have, or had, a bank account with an IBAN of this member's; in order."""
    own = BankAccount.objects.filter(member_id=member_id).values_list("iban_index", flat=True)
    rows = BankAccount.objects.filter(iban_index__in=set(own)).exclude(member_id=member_id)
    return sorted(set(rows.values_list("member_id", flat=True)))


def identity_facts(identity: Identity) -> IdentityFacts:
    """The row as data. Raises CannotOpen."""
    return IdentityFacts(
        legal_name=identity.legal_name.reveal(),
        date_of_birth=identity.date_of_birth.reveal(),
        street=identity.street.reveal(),
        postal_code=identity.postal_code.reveal(),
        city=identity.city.reveal(),
        country=identity.country,
        version=identity.version,
        given_at=identity.given_at,
        changed_at=identity.changed_at,
    )


_IDENTITY = CompiledQuery(lambda: Identity.objects.filter(member_id=Arg("member_id")).order_by())


def find_identity(member_id: str) -> IdentityFacts | None:
    """None until the member has given it."""
    identity = _IDENTITY.find(member_id=member_id)
    return None if identity is None else identity_facts(identity)


def limits_of(country: str, currency: str, *, now: datetime) -> Limits:
    """What one withdrawal may be in this market: its latest row that has begun, else the defaults."""
    row = WithdrawalLimit.objects.filter(country=country, valid_from__lte=now).order_by("-valid_from").first()
    if row is None:
        return default_limits(currency)
    return Limits(Money(row.minimum_minor, currency), Money(row.maximum_minor, currency))


WITHDRAWAL_FIELDS = (
    "id",
    "status",
    "amount_minor",
    "currency",
    "bank_account_id",
    "bank_account__country",
    "bank_account__last_four",
    "reason",
    "requested_at",
    "sent_at",
    "ended_at",
)


def withdrawal_rows(member_id: str, *, status: str | None = None) -> QuerySet[Withdrawal, Any]:
    """Rows for a cursor page sorted by id; ``withdrawal_facts`` makes sense of one."""
    rows = Withdrawal.objects.filter(member_id=member_id)
    if status is not None:
        rows = rows.filter(status=status)
    found: QuerySet[Withdrawal, Any] = rows.values(*WITHDRAWAL_FIELDS)
    return found


def withdrawal_facts(row: dict[str, Any]) -> WithdrawalFacts:
    """A row of ``withdrawal_rows`` as data."""
    return WithdrawalFacts(
        id=row["id"],
        status=row["status"],
        amount=Money(row["amount_minor"], row["currency"]),
        bank_account_id=row["bank_account_id"],
        iban=masked(row["bank_account__country"], row["bank_account__last_four"]),
        reason=row["reason"],
        requested_at=row["requested_at"],
        sent_at=row["sent_at"],
        ended_at=row["ended_at"],
    )


def get_withdrawal(member_id: str, withdrawal_id: str) -> WithdrawalFacts:
    """One of this member's. Raises WithdrawalNotFound."""
    row = withdrawal_rows(member_id).filter(id=withdrawal_id).first()
    if row is None:
        raise WithdrawalNotFound
    return withdrawal_facts(row)


def get_holder_and_name(withdrawal_id: str) -> tuple[str, str]:
    """Holder of the bank account and legal name of the member, for the person who compares them."""
    withdrawal = Withdrawal.objects.select_related("bank_account").get(id=withdrawal_id)
    identity = find_identity(withdrawal.member_id)
    return withdrawal.bank_account.holder_name.reveal(), "" if identity is None else identity.legal_name


def due_withdrawal_ids(*, now: datetime, limit: int) -> list[str]:
    """Those a worker has to call or ask the bank about, the longest due first."""
    rows = Withdrawal.objects.filter(next_call_at__lte=now).order_by("next_call_at", "id")
    return list(rows.values_list("id", flat=True)[:limit])


def count_withdrawals_by_status() -> dict[str, int]:
    """Of the statuses in which something is still to happen."""
    counts = dict.fromkeys(("in_review", "requested", "sent"), 0)
    rows = Withdrawal.objects.filter(status__in=counts).order_by().values("status")
    return counts | {row["status"]: row["number"] for row in rows.annotate(number=Count("id"))}


def find_oldest_sent_at() -> datetime | None:
    """When the withdrawal was sent whose outcome has been open the longest."""
    rows = Withdrawal.objects.filter(status="sent").order_by("sent_at")
    return rows.values_list("sent_at", flat=True).first()
