"""Postings between two members and the platform, and what they leave in the tables."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from balance import events
from balance.chart import Account, AccountKind, Event, of_member, of_platform
from balance.events import Charges, Line, NewPosting, Posted, Share
from balance.events.lines import between
from balance.models import LedgerAccount, Posting, Transfer
from balance.services.posting import post
from foundation.errors import DomainError
from members.models import Member
from tests.factories.money import NOON, euros


def opened(*members: Member) -> None:
    """Their accounts and those of the platform are there, with a euro in each that is a member's."""
    for kind in (AccountKind.FEE_DEFERRED, AccountKind.SHIPPING_DEFERRED, AccountKind.PSP_CLEARING):
        key = f"opening:{kind}"
        post(
            NewPosting(key, Event.CORRECTION, between(kind, AccountKind.GOODWILL, euros(1)), key, "system"),
            now=NOON,
        )
    for member in members:
        for kind in (AccountKind.AVAILABLE, AccountKind.PENDING, AccountKind.HELD):
            line = Line(
                of_platform(AccountKind.GOODWILL, "EUR"), of_member(member.id, kind, "EUR"), euros(100)
            )
            key = f"opening:{member.id}:{kind}"
            post(NewPosting(key, Event.CORRECTION, (line,), key, "system"), now=NOON)


def payment(
    debtor: Member, creditor: Member, minor: int, *, key: str = "payment:1", **rest: Any
) -> NewPosting:
    line = Line(
        of_member(debtor.id, AccountKind.AVAILABLE, "EUR"),
        of_member(creditor.id, AccountKind.AVAILABLE, "EUR"),
        euros(minor),
    )
    return NewPosting(key, rest.pop("event", Event.WITHDRAWAL_PAID), (line,), "payment", "system", **rest)


def sale(seller: Member, buyer: Member) -> NewPosting:
    """Four lines: a wallet and a card pay a seller and the platform."""
    return NewPosting(
        key="order:1:captured",
        event=Event.SALE_CAPTURED,
        lines=events.sale_captured(
            seller=Share(seller.id, euros(90)),
            buyer_id=buyer.id,
            wallet=euros(90),
            card=euros(470),
            charges=Charges(fee=euros(170), shipping=euros(300), verification=euros(0)),
        ),
        reference="order:1",
        actor="provider:sandbox",
    )


GOODWILL = of_platform(AccountKind.GOODWILL, "EUR")


def available(member: Member) -> Account:
    return of_member(member.id, AccountKind.AVAILABLE, "EUR")


def correction(debit: Account, credit: Account, minor: int) -> NewPosting:
    return NewPosting("correction", Event.CORRECTION, (Line(debit, credit, euros(minor)),), "", "system")


def outcome(posting: NewPosting, now: datetime) -> list[Any]:
    """What became of it: the error, or its rows and all balances."""
    try:
        posted = post(posting, now=now)
    except DomainError as error:
        used = LedgerAccount.objects.filter(last_entry__gt=0)  # alone, what was opened for it is gone, too
        return [type(error), str(error), error.extra, *used.order_by("id").values_list()]
    return [posted.replayed, posted.recorded_at, *written(posted)]


def balance(member: Member) -> int | None:
    row = LedgerAccount.objects.get(id=of_member(member.id, AccountKind.AVAILABLE, "EUR").id)
    return row.balance_minor


def written(posted: Posted) -> list[tuple[Any, ...]]:
    """What a posting left in the tables, members by their names."""
    names = dict(Member.objects.values_list("id", "display_name"))

    def anonymous(value: Any) -> Any:
        if not isinstance(value, str):
            return value
        for id_, name in names.items():
            value = value.replace(id_, name)
        return value.replace(posted.id, "posting")

    rows = [
        *Posting.objects.filter(id=posted.id).values_list(
            "id", "key", "event", "reference", "reverses", "actor", "reason", "effective_at", "recorded_at"
        ),
        *Transfer.objects.filter(posting_id=posted.id).order_by("position").values_list(),
        *LedgerAccount.objects.order_by("id").values_list(
            "id", "kind", "currency", "balance_minor", "last_entry"
        ),
    ]
    return sorted(([tuple(map(anonymous, row)) for row in rows]), key=str)
