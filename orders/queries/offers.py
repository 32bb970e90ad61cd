"""Reading offers: always for one of their two members, others find nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Q, QuerySet

from foundation.compiled import Arg, CompiledQuery
from foundation.money import Money
from orders.errors import OfferNotFound
from orders.lifecycle import BUYER, OFFER, OPEN, SELLER, OfferStatus
from orders.models import Offer, OfferEvent


@dataclass(frozen=True, slots=True)
class OfferFacts:
    """An offer as one of its members sees it at a moment. `amount` is what is on the table."""

    id: str
    listing_id: str
    title: str
    seller_id: str
    buyer_id: str
    role: str
    number: int
    status: str
    offered: Money
    amount: Money
    listed: Money
    allowed_actions: tuple[str, ...]
    answer_by: datetime | None
    buy_by: datetime | None
    proposed_at: datetime
    answered_at: datetime | None
    ended_at: datetime | None


@dataclass(frozen=True, slots=True)
class OfferEventFacts:
    """One thing that happened to an offer; `amount` is what was on the table afterwards."""

    verb: str
    actor: str
    amount: Money
    happened_at: datetime


_COLUMNS = (
    *("id", "listing_id", "title", "seller_id", "buyer_id", "number", "status", "currency"),
    *("offered_minor", "amount_minor", "listed_minor", "proposed_at", "answered_at", "ended_at", "due_at"),
)


def offer_facts(row: dict[str, Any], *, viewer_id: str, now: datetime) -> OfferFacts:
    """A row of offer_rows() as its viewer may see it. What is overdue allows nothing, swept or not."""
    role = SELLER if row["seller_id"] == viewer_id else BUYER
    status, due_at = row["status"], row["due_at"]
    is_overdue = due_at is not None and due_at <= now
    return OfferFacts(
        id=row["id"],
        listing_id=row["listing_id"],
        title=row["title"],
        seller_id=row["seller_id"],
        buyer_id=row["buyer_id"],
        role=role,
        number=row["number"],
        status=status,
        offered=Money(row["offered_minor"], row["currency"]),
        amount=Money(row["amount_minor"], row["currency"]),
        listed=Money(row["listed_minor"], row["currency"]),
        allowed_actions=() if is_overdue else OFFER.verbs(status, role),
        answer_by=due_at if status in OPEN else None,
        buy_by=due_at if status == OfferStatus.ACCEPTED else None,
        proposed_at=row["proposed_at"],
        answered_at=row["answered_at"],
        ended_at=row["ended_at"],
    )


def offer_rows(
    member_id: str, *, role: str, statuses: Sequence[str] = (), listing_id: str | None = None
) -> QuerySet[Offer, dict[str, Any]]:
    """Rows of what a member offered (`role` buyer) or was offered (seller); not yet sorted nor cut."""
    rows = Offer.objects.filter(**{"seller_id" if role == SELLER else "buyer_id": member_id})
    if statuses:
        rows = rows.filter(status__in=statuses)
    if listing_id is not None:
        rows = rows.filter(listing_id=listing_id)
    found: QuerySet[Offer, dict[str, Any]] = rows.values(*_COLUMNS)
    return found


def get_offer(member_id: str, offer_id: str, *, now: datetime) -> OfferFacts:
    """Raises OfferNotFound, also for one that the member has no part in."""
    mine = Q(seller_id=member_id) | Q(buyer_id=member_id)
    row = Offer.objects.filter(mine, id=offer_id).values(*_COLUMNS).first()
    if row is None:
        raise OfferNotFound
    return offer_facts(dict(row), viewer_id=member_id, now=now)


def list_offer_events(offer_id: str, *, currency: str) -> list[OfferEventFacts]:
    """What happened to an offer, in order; at most one per status, so five."""
    rows = OfferEvent.objects.filter(offer_id=offer_id).order_by("happened_at", "id")
    return [
        OfferEventFacts(row.verb, row.actor, Money(row.amount_minor, currency), row.happened_at)
        for row in rows
    ]


@dataclass(frozen=True, slots=True)
class AgreedPrice:
    """What a buyer may have a listing for, while it holds."""

    offer_id: str
    amount: Money


_AGREED = CompiledQuery(
    lambda: (
        Offer.objects.filter(
            listing_id=Arg("listing_id"),
            buyer_id=Arg("buyer_id"),
            is_live=True,
            status=OfferStatus.ACCEPTED,
            due_at__gt=Arg("now"),
        )
        .order_by()
        .values_list("id", "amount_minor", "currency")
    )
)


def find_agreed_price(listing_id: str, *, buyer_id: str, now: datetime) -> AgreedPrice | None:
    """The accepted offer of this buyer on the listing, if its time is not over."""
    row = _AGREED.find(listing_id=listing_id, buyer_id=buyer_id, now=now)
    return None if row is None else AgreedPrice(row[0], Money(row[1], row[2]))
