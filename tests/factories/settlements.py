"""Captures that the ledger knows, and settlement files that tell of them."""

from __future__ import annotations

from datetime import datetime, timedelta

from balance import events
from balance.chart import Event
from balance.events import Charges, NewPosting, Posted, Share
from balance.services.posting import post
from balance.settlements import COLUMNS
from tests.factories.money import NOON, euros

PROVIDER = "cards"
LATER = NOON + timedelta(days=2)


def capture(seller_id: str, buyer_id: str, minor: int, order: str, *, now: datetime = NOON) -> Posted:
    """A sale of so many cents, paid by card."""
    lines = events.sale_captured(
        seller=Share(seller_id, euros(minor)),
        buyer_id=buyer_id,
        wallet=euros(0),
        card=euros(minor),
        charges=Charges(euros(0), euros(0), euros(0)),
    )
    return post(
        NewPosting(f"{order}:captured", Event.SALE_CAPTURED, lines, order, f"provider:{PROVIDER}"), now=now
    )


def refund(minor: int, order: str, number: int) -> Posted:
    """Money that the provider gave back to a card."""
    lines = events.refund_settled(euros(minor))
    key = f"{order}:refund:{number}"
    return post(NewPosting(key, Event.REFUND_SETTLED, lines, order, f"provider:{PROVIDER}"), now=NOON)


def settlement_file(*rows: str, payout: str | None = "po-1,,-24.00,0.00,EUR,2026-03-03T00:00:00Z") -> bytes:
    """A file of these lines; the payout is the last one."""
    last = [] if payout is None else [f"payout,{payout}"]
    return "\n".join([",".join(COLUMNS), *rows, *last, ""]).encode()


def payment(provider_id: str, reference: str, amount: str, fee: str = "0.00") -> str:
    """A line at noon."""
    return f"payment,{provider_id},{reference},{amount},{fee},EUR,2026-03-02T12:00:00Z"
