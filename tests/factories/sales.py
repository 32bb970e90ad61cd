"""Sales in the ledger, posted as orders/ posts them."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from datetime import datetime, timedelta

from balance import events
from balance.chart import AccountKind, Event, of_member, of_platform
from balance.events import Charges, Fee, Line, NewPosting, Share
from balance.services.posting import post, post_many
from foundation.money import Money

_number = itertools.count(1)


def new_reference() -> str:
    """An order that nobody else has."""
    return f"order:test-{next(_number)}"


def sale_postings(
    seller_id: str,
    amount: Money,
    *,
    reference: str,
    donation: Money | None = None,
    charity_id: str | None = None,
    commission: Money | None = None,
) -> list[NewPosting]:
    """Paid by card, and completed. ``amount`` is the price of the items."""
    nothing = Money(0, amount.currency)
    charges = Charges(nothing, nothing, nothing)
    captured = events.sale_captured(
        seller=Share(seller_id, amount), buyer_id="nobody", wallet=nothing, card=amount, charges=charges
    )
    kept = commission or nothing
    completed = events.sale_completed(
        seller=Share(seller_id, amount - kept),
        donation=donation or nothing,
        charity_id=charity_id,
        fee=Fee(nothing, nothing),
        shipping=nothing,
        verification=Fee(nothing, nothing),
    )
    if commission is not None:
        pending = of_member(seller_id, AccountKind.PENDING, amount.currency)
        revenue = of_platform(AccountKind.FEE_REVENUE, amount.currency)
        completed = (*completed, Line(pending, revenue, commission))
    return [
        NewPosting(key=f"{reference}:{verb}", event=event, lines=lines, reference=reference, actor="system")
        for verb, event, lines in (
            ("captured", Event.SALE_CAPTURED, captured),
            ("completed", Event.SALE_COMPLETED, completed),
        )
    ]


def sell(
    seller_id: str,
    amount: Money,
    *,
    at: datetime,
    paid_at: datetime | None = None,
    reference: str | None = None,
    donation: Money | None = None,
    charity_id: str | None = None,
    commission: Money | None = None,
) -> str:
    """A sale that is credited at this moment; gives its reference."""
    reference = reference or new_reference()
    captured, completed = sale_postings(
        seller_id,
        amount,
        reference=reference,
        donation=donation,
        charity_id=charity_id,
        commission=commission,
    )
    post(captured, now=paid_at or at - timedelta(seconds=1))
    post(completed, now=at)
    return reference


def sell_many(
    seller_id: str, amounts: Sequence[Money], *, at: datetime, commissions: Sequence[Money] | None = None
) -> list[str]:
    """Sales that are all credited at this moment; gives their references."""
    references = [new_reference() for _ in amounts]
    pairs = [
        sale_postings(
            seller_id, amount, reference=reference, commission=commissions[index] if commissions else None
        )
        for index, (amount, reference) in enumerate(zip(amounts, references, strict=True))
    ]
    for start in range(0, len(pairs), 100):
        post_many([posting for pair in pairs[start : start + 100] for posting in pair], now=at)
    return references


def take_back(
    seller_id: str,
    amount: Money,
    *,
    reference: str,
    at: datetime,
    event: Event = Event.SALE_REFUNDED,
    charged: Money | None = None,
) -> str:
    """A refund to the buyer's card, a chargeback, or one that was won again; gives the posting's id.

    ``charged`` is what the seller then bears of another chargeback, when one was won.
    """
    nothing = Money(0, amount.currency)
    seller = Share(seller_id, amount)
    lines = {
        Event.SALE_REFUNDED: lambda: events.completed_sale_refunded(
            seller=seller,
            buyer_id="nobody",
            wallet=nothing,
            card=amount,
            fee=Fee(nothing, nothing),
            shipping=nothing,
            verification=Fee(nothing, nothing),
        ),
        Event.CHARGEBACK: lambda: events.chargeback(seller=seller, borne=nothing, fee=nothing),
        Event.CHARGEBACK_WON: lambda: events.chargeback_won(seller=seller, borne=nothing, charged=charged),
    }[event]()
    return post(
        NewPosting(
            key=f"{reference}:{event}:{next(_number)}",
            event=event,
            lines=lines,
            reference=reference,
            actor="system",
        ),
        now=at,
    ).id
