"""Charities, and what members give them."""

from __future__ import annotations

import itertools
from datetime import datetime

from balance import events
from balance.chart import Event
from balance.events import Fee, NewPosting, Share
from balance.models import Charity, CharityAccount, CharityMarket, CharityText
from balance.queries.donations import DonationFacts
from balance.services.charities import approve_bank_account, open_charity, propose_bank_account
from balance.services.donations import (
    SaleDonation,
    give_donation,
    plan_sale_donation,
    record_sale_donation,
    set_donation_setting,
)
from balance.services.posting import post
from foundation.db import atomic_retry
from foundation.money import Money
from tests.factories.banking import LT_IBAN
from tests.factories.members import make_market
from tests.factories.money import NOON, euros

_number = itertools.count(1)


def make_charity(
    name: str = "Warm Hands",
    *,
    markets: tuple[str, ...] = ("LT",),
    currency: str = "EUR",
    is_open: bool = True,
) -> Charity:
    """A charity that takes donations, or a draft without a bank account."""
    charity = Charity.objects.create(
        name=name,
        country="LT",
        registration_number=f"30{next(_number):07}",
        currency=currency,
        added_at=NOON,
    )
    for code in markets:
        CharityMarket.objects.create(charity=charity, market=make_market(code))
    CharityText.objects.create(charity=charity, language="en", description="Blankets.")
    CharityText.objects.create(charity=charity, language="lt", description="Antklodės.")
    if is_open:
        set_bank_account(charity.id, LT_IBAN, name)
        open_charity(charity_id=charity.id, now=NOON)
    return charity


def set_bank_account(charity_id: str, iban: str, holder: str, *, now: datetime = NOON) -> CharityAccount:
    """Proposed by one person, approved by another."""
    account = propose_bank_account(
        charity_id=charity_id, iban=iban, holder_name=holder, staff_id="1", now=now
    )
    approve_bank_account(account_id=account.id, iban=iban, staff_id="2", now=now)
    return account


def donate(member_id: str, charity_id: str, minor: int, *, now: datetime = NOON) -> DonationFacts:
    """Give so many cents."""
    return give_donation(member_id=member_id, charity_id=charity_id, amount=euros(minor), now=now)


def choose(member_id: str, charity_id: str | None, percent: int, *, now: datetime = NOON) -> None:
    """The member's first setting."""
    set_donation_setting(
        member_id=member_id, percent=percent, charity_id=charity_id, expected_version=0, now=now
    )


@atomic_retry
def sell(member_id: str, minor: int, *, now: datetime = NOON) -> tuple[str, SaleDonation | None]:
    """A sale of so many cents is captured and completed: its reference, and what it gave."""
    reference, zero = f"order:{next(_number)}", euros(0)
    item = euros(minor)
    given = plan_sale_donation(member_id=member_id, item=item, now=now)
    nothing = events.Charges(zero, zero, zero)
    captured = events.sale_captured(
        seller=Share(member_id, item), buyer_id=member_id, wallet=zero, card=item, charges=nothing
    )
    completed = events.sale_completed(
        seller=Share(member_id, item),
        donation=zero if given is None else given.amount,
        charity_id=None if given is None else given.charity_id,
        fee=Fee(zero, zero),
        shipping=zero,
        verification=Fee(zero, zero),
    )
    for event, lines in ((Event.SALE_CAPTURED, captured), (Event.SALE_COMPLETED, completed)):
        post(NewPosting(f"{reference}:{event}", event, lines, reference, "system"), now=now)
    if given is not None:
        record_sale_donation(member_id=member_id, given=given, sale=reference, now=now)
    return reference, given


def owed(charity_id: str) -> Money:
    """What the ledger says that the platform owes a charity, in euros: the sum of its account's transfers."""
    from django.db.models import Sum

    from balance.chart import of_charity
    from balance.models import Transfer

    account = of_charity(charity_id, "EUR").id
    came = Transfer.objects.filter(credit_account_id=account).aggregate(sum=Sum("amount_minor"))["sum"] or 0
    went = Transfer.objects.filter(debit_account_id=account).aggregate(sum=Sum("amount_minor"))["sum"] or 0
    return euros(came - went)
