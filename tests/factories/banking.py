"""Members who can withdraw, and what their bank does."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from balance.models import Withdrawal
from balance.providers import sandbox
from balance.providers.contract import Outcome, PayoutReport
from balance.queries.banking import BankAccountFacts, IdentityFacts, WithdrawalFacts
from balance.services.banking import IdentityDetails, add_bank_account, give_identity
from balance.services.callbacks import KIND
from balance.services.withdrawing import request_withdrawal
from foundation.incoming.processing import process_event
from foundation.incoming.receiving import receive
from foundation.money import Money
from tests.factories.money import NOON, euros

LT_IBAN = "LT121000011101001000"
OTHER_LT_IBAN = "LT601010012345678901"
DE_IBAN = "DE89370400440532013000"
YESTERDAY = NOON - timedelta(days=2)


def details(legal_name: str = "Ona Kazlauskienė", **facts: str) -> IdentityDetails:
    """Who Ona is before the law."""
    known = {"street": "Gedimino pr. 1", "postal_code": "LT-01103", "city": "Vilnius", "country": "LT"}
    return IdentityDetails(legal_name=legal_name, date_of_birth=date(1990, 5, 17), **(known | facts))


def activate(
    member_id: str, *, now: datetime = YESTERDAY, legal_name: str = "Ona Kazlauskienė"
) -> IdentityFacts:
    """The member has said who they are."""
    return give_identity(member_id=member_id, details=details(legal_name), expected_version=None, now=now)


def make_bank_account(
    member_id: str, *, iban: str = LT_IBAN, holder_name: str = "Ona Kazlauskienė", now: datetime = YESTERDAY
) -> BankAccountFacts:
    """An account whose cool-down is over at noon."""
    return add_bank_account(member_id=member_id, iban=iban, holder_name=holder_name, now=now)


def withdraw(
    member_id: str, bank_account_id: str, amount: Money | None = None, *, now: datetime = NOON
) -> WithdrawalFacts:
    """Ask for 20.00 or another amount, from the sandbox bank."""
    return request_withdrawal(
        member_id=member_id,
        bank_account_id=bank_account_id,
        amount=amount or euros(2000),
        provider="sandbox",
        now=now,
    )


def report(
    withdrawal_id: str, outcome: Outcome, *, minor: int = 2000, reason: str = "", provider_id: str = "bank-1"
) -> PayoutReport:
    """What a bank may say of it."""
    return PayoutReport(withdrawal_id, provider_id, outcome, euros(minor), reason)


def bank_tells(withdrawal_id: str, outcome: Outcome, *, now: datetime = NOON, times: int = 1) -> None:
    """The sandbox bank's signed callback arrives, and a worker handles it."""
    sandbox.settle(withdrawal_id, outcome, reason="account_closed" if outcome is not Outcome.PAID else "")
    for _ in range(times):
        body, headers = sandbox.callback(withdrawal_id, outcome, now=now)
        event_id, _new = receive(kind=KIND, provider="sandbox", body=body, headers=headers, now=now)
        process_event(event_id=event_id, now=now)


def status_of(withdrawal_id: str) -> str:
    """Where it stands."""
    return str(Withdrawal.objects.values_list("status", flat=True).get(id=withdrawal_id))
