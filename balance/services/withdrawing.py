"""What members do with withdrawals: ask for one, take it back."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings

from balance import events
from balance.chart import Event
from balance.errors import (
    BankAccountAbroad,
    BankAccountCoolingDown,
    BankAccountNotFound,
    CurrencyMismatch,
    InvalidAmount,
    KycRequired,
    WithdrawalNotFound,
    WithdrawalOutOfRange,
)
from balance.events import NewPosting, Share
from balance.holder_names import is_same_person
from balance.lifecycle import MEMBER, WORKER, WithdrawalStatus
from balance.models import BankAccount, Identity, Withdrawal
from balance.queries.banking import WithdrawalFacts, get_withdrawal, limits_of
from balance.services.blocks import require_may_withdraw
from balance.services.posting import post
from balance.services.ringing import ring_for_withdrawal
from balance.services.withdrawal_moves import lock_withdrawal, move, record
from foundation.db import atomic_retry
from foundation.ids import new_id
from foundation.money import Money
from members.queries import MemberFacts, get_member_facts

IDENTITY_MISSING = "identity_missing"
HOLDER_MISMATCH = "holder_mismatch"
IDENTITY_CHANGED = "identity_changed"


@atomic_retry
def request_withdrawal(
    *, member_id: str, bank_account_id: str, amount: Money, provider: str, now: datetime
) -> WithdrawalFacts:
    """Set the amount aside and have it sent to the member's bank account.

    Raises TaxInformationRequired, KycRequired, WithdrawalsBlocked, AccountFrozen, InvalidAmount,
    CurrencyMismatch, WithdrawalOutOfRange, BankAccountNotFound, BankAccountAbroad, BankAccountCoolingDown,
    InsufficientFunds.
    """
    member = get_member_facts(member_id)
    require_may_withdraw(member_id=member_id, currency=member.currency, now=now)
    identity = Identity.objects.filter(member_id=member_id).first()
    if identity is None:
        raise KycRequired(extra={"reason": IDENTITY_MISSING})
    _check_amount(amount, member, now=now)
    account = _usable_account(member, bank_account_id, now=now)
    withdrawal_id = new_id()
    post(
        NewPosting(
            key=f"withdrawal:{withdrawal_id}:requested",
            event=Event.WITHDRAWAL_REQUESTED,
            lines=events.withdrawal_requested(Share(member_id, amount)),
            reference=f"withdrawal:{withdrawal_id}",
            actor=f"member:{member_id}",
        ),
        now=now,
    )
    withdrawal = Withdrawal.objects.create(
        id=withdrawal_id,
        member_id=member_id,
        bank_account_id=account.id,
        amount_minor=amount.amount_minor,
        currency=amount.currency,
        status=WithdrawalStatus.REQUESTED,
        provider=provider,
        next_call_at=now,
        requested_at=now,
    )
    record(withdrawal, "request", "", MEMBER, now=now, actor_id=member_id)
    doubt = _find_doubt(account, identity, now=now)
    if doubt:
        move(withdrawal, verb="hold", actor=WORKER, reason=doubt, now=now)
    else:
        ring_for_withdrawal(withdrawal.id)
    return get_withdrawal(member_id, withdrawal.id)


@atomic_retry
def cancel_withdrawal(*, member_id: str, withdrawal_id: str, now: datetime) -> WithdrawalFacts:
    """Take it back while it was not sent; the money is available again at once.

    Raises WithdrawalNotFound, WithdrawalStatusConflict.
    """
    withdrawal = lock_withdrawal(withdrawal_id)
    if withdrawal is None or withdrawal.member_id != member_id:
        raise WithdrawalNotFound
    move(withdrawal, verb="cancel", actor=MEMBER, actor_id=member_id, now=now)
    return get_withdrawal(member_id, withdrawal_id)


def _find_doubt(account: BankAccount, identity: Identity, *, now: datetime) -> str:
    """Why a person has to look at it first, as a code; empty when nobody has to."""
    if not is_same_person(account.holder_name.reveal(), identity.legal_name.reveal()):
        return HOLDER_MISMATCH
    # Else who has stolen a session would change the name to that of the new account's holder.
    changed_lately = now < identity.changed_at + timedelta(hours=settings.BANK_ACCOUNT_COOL_DOWN_H)
    return IDENTITY_CHANGED if identity.version > 1 and changed_lately else ""


def _check_amount(amount: Money, member: MemberFacts, *, now: datetime) -> None:
    if amount.amount_minor <= 0:
        raise InvalidAmount(f"{amount} is no amount to withdraw.")
    if amount.currency != member.currency:
        raise CurrencyMismatch(f"Your balance is in {member.currency}.")
    limits = limits_of(member.country, member.currency, now=now)
    if not limits.minimum <= amount <= limits.maximum:
        raise WithdrawalOutOfRange(
            f"From {limits.minimum} to {limits.maximum}.",
            extra={"minimum": limits.minimum.as_json(), "maximum": limits.maximum.as_json()},
        )


def _usable_account(member: MemberFacts, bank_account_id: str, *, now: datetime) -> BankAccount:
    # Locked, so that it is not removed between this look and the withdrawal.
    account = (
        BankAccount.objects.select_for_update()
        .filter(id=bank_account_id, member_id=member.id, is_standing=True)
        .first()
    )
    if account is None:
        raise BankAccountNotFound
    if (account.country, account.currency) != (member.country, member.currency):
        raise BankAccountAbroad
    if now < account.usable_at:
        raise BankAccountCoolingDown(extra={"until": account.usable_at})
    return account
