"""Reading orders: what each of the two members sees, may do, and until when."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Q, QuerySet

from foundation.money import Money
from orders.errors import OrderNotFound
from orders.lifecycle import BUYER, ORDER, SELLER, OrderStatus
from orders.models import Order, OrderEvent, OrderItem
from orders.pricing import Fee

_S = OrderStatus
UNPAID = (_S.PENDING_PAYMENT.value, _S.EXPIRED.value, _S.FAILED.value)
# What a verb of the lifecycle is called where a member asks for it.
_ASKED_AS = {"request_cancellation": "cancel", "open_issue": "report_issue"}
# Asked for on the issue, with terms: /issues/{id} says which.
_ON_THE_ISSUE = frozenset({"agree_refund", "agree_part", "agree_return", "escalate", "send_back", "receive"})


@dataclass(frozen=True, slots=True)
class OrderItemFacts:
    """A listing as it was bought."""

    listing_id: str
    title: str
    listed: Money
    price: Money


@dataclass(frozen=True, slots=True)
class OrderMoney:
    """What was quoted, paid, and has gone back. Items, fee, postage and verification are the total."""

    items_listed: Money
    items_total: Money
    fee: Fee
    shipping: Money
    verification: Money
    total: Money
    wallet: Money
    card: Money
    refunded_items: Money
    refunded_wallet: Money
    refunded_card: Money
    refunded: Money
    seller_gets: Money


@dataclass(frozen=True, slots=True)
class OrderDeadlines:
    """Until when what is possible, or when it happens by itself; None where nothing is awaited."""

    pay_by: datetime | None
    cancel_alone_until: datetime | None
    answer_cancellation_by: datetime | None
    ship_by: datetime | None
    presumed_delivered_at: datetime | None
    report_issue_until: datetime | None
    completes_at: datetime | None
    agree_by: datetime | None
    send_back_by: datetime | None


@dataclass(frozen=True, slots=True)
class OrderFacts:
    """An order as one of its two members sees it."""

    id: str
    role: str
    status: str
    version: int
    quote_version: int
    seller_id: str
    buyer_id: str
    offer_id: str | None
    seller_country: str
    buyer_country: str
    currency: str
    is_verified: bool
    uses_wallet: bool
    parcel_size: str
    shipping_option: str
    delivery: dict[str, Any]
    verification_fee: Money
    verification_from: Money
    money: OrderMoney
    deadlines: OrderDeadlines
    allowed_actions: tuple[str, ...]
    created_at: datetime
    updated_at: datetime
    paid_at: datetime | None
    handed_over_at: datetime | None
    shipped_at: datetime | None
    delivered_at: datetime | None
    completed_at: datetime | None
    ended_at: datetime | None


@dataclass(frozen=True, slots=True)
class OrderEventFacts:
    """What happened, as both members may know it."""

    verb: str
    source: str
    status: str
    actor: str
    amount: Money | None
    happened_at: datetime


_COLUMNS = tuple(
    field.attname for field in Order._meta.concrete_fields if field.attname not in ("address", "remind_at")
)


def order_rows(member_id: str, *, role: str, statuses: Sequence[str] = ()) -> QuerySet[Order, dict[str, Any]]:
    """Rows of what a member bought or sold, not yet sorted nor cut; checkouts that came to nothing only for
    their buyer, and only when asked for.
    """
    rows = Order.objects.filter(**{"seller_id" if role == SELLER else "buyer_id": member_id})
    rows = rows.filter(status__in=statuses) if statuses else rows
    if role == SELLER or not statuses:
        rows = rows.exclude(status__in=UNPAID)
    found: QuerySet[Order, dict[str, Any]] = rows.values(*_COLUMNS)
    return found


def get_order(member_id: str, order_id: str, *, now: datetime) -> OrderFacts:
    """Raises OrderNotFound, also for one that the member has no part in, and to its seller while unpaid."""
    mine = Q(buyer_id=member_id) | Q(seller_id=member_id) & ~Q(status__in=UNPAID)
    row = Order.objects.filter(mine, id=order_id).values(*_COLUMNS).first()
    if row is None:
        raise OrderNotFound
    return order_facts(dict(row), viewer_id=member_id, now=now)


def get_checkout(buyer_id: str, order_id: str, *, now: datetime) -> OrderFacts:
    """Raises OrderNotFound, also for somebody else's."""
    row = Order.objects.filter(id=order_id, buyer_id=buyer_id).values(*_COLUMNS).first()
    if row is None:
        raise OrderNotFound
    return order_facts(dict(row), viewer_id=buyer_id, now=now)


def items_of(order_ids: Iterable[str]) -> dict[str, list[OrderItemFacts]]:
    """What is in each order, in its order; one statement."""
    items: dict[str, list[OrderItemFacts]] = defaultdict(list)
    rows = OrderItem.objects.filter(order_id__in=list(order_ids)).order_by("order_id", "position")
    for order_id, currency, listing_id, title, listed, price in rows.values_list(
        "order_id", "order__currency", "listing_id", "title", "listed_minor", "price_minor"
    ):
        items[order_id].append(
            OrderItemFacts(listing_id, title, Money(listed, currency), Money(price, currency))
        )
    return items


def event_rows(order_id: str) -> QuerySet[OrderEvent, dict[str, Any]]:
    """What happened to an order, not yet sorted nor cut. Reasons of support are for support."""
    columns = ("id", "number", "verb", "source", "target", "actor", "amount_minor", "happened_at")
    rows: QuerySet[OrderEvent, dict[str, Any]] = OrderEvent.objects.filter(order_id=order_id).values(*columns)
    return rows


def order_event_facts(row: dict[str, Any], *, currency: str) -> OrderEventFacts:
    """What a row of event_rows() says."""
    amount = row["amount_minor"]
    return OrderEventFacts(
        verb=row["verb"],
        source=row["source"],
        status=row["target"],
        actor=row["actor"],
        amount=None if amount is None else Money(amount, currency),
        happened_at=row["happened_at"],
    )


def order_facts(row: dict[str, Any], *, viewer_id: str, now: datetime) -> OrderFacts:
    """What a row of order_rows() says to one of the two."""
    role = BUYER if row["buyer_id"] == viewer_id else SELLER
    return OrderFacts(
        role=role,
        uses_wallet=row["use_wallet"],
        verification_fee=Money(row["terms"]["verification_fee_minor"], row["currency"]),
        verification_from=Money(row["terms"]["verification_from_minor"], row["currency"]),
        money=_money(row),
        deadlines=_deadlines(row),
        allowed_actions=allowed_actions(row, role, now=now),
        **{
            name: row[name]
            for name in (
                *("id", "status", "version", "quote_version", "seller_id", "buyer_id", "offer_id"),
                *("seller_country", "buyer_country", "currency", "is_verified", "parcel_size"),
                *("shipping_option", "delivery", "created_at", "updated_at", "paid_at", "handed_over_at"),
                *("shipped_at", "delivered_at", "completed_at", "ended_at"),
            )
        },
    )


def allowed_actions(row: dict[str, Any], role: str, *, now: datetime) -> tuple[str, ...]:
    """What a member may ask for on the order now: the verbs of the table, with the guards of their rows."""
    status, due_at = row["status"], row["due_at"]
    if status == _S.PENDING_PAYMENT:
        return ("change", "pay", "abandon") if role == BUYER and due_at > now else ()
    verbs = []
    for verb in ORDER.verbs(status, role):
        if verb in _ON_THE_ISSUE or (verb == "ship" and row["handed_over_at"] is not None):
            continue
        if verb == "open_issue" and due_at <= now:
            continue
        verbs.append(_ASKED_AS.get(verb, verb))
    return tuple(dict.fromkeys(verbs))


def asked_verbs(status: str, actor: str) -> list[str]:
    """What the table lets an actor do, as it is called where it is asked for."""
    return list(dict.fromkeys(_ASKED_AS.get(verb, verb) for verb in ORDER.verbs(status, actor)))


def _money(row: dict[str, Any]) -> OrderMoney:
    def money(*names: str) -> Money:
        return Money(sum(row[f"{name}_minor"] for name in names), row["currency"])

    item, refunded_item = money("item"), money("refunded_item")
    return OrderMoney(
        items_listed=money("listed"),
        items_total=item,
        fee=Fee(total=money("fee"), net=money("fee") - money("fee_vat"), vat=money("fee_vat")),
        shipping=money("shipping"),
        verification=money("verification"),
        total=money("item", "fee", "shipping", "verification"),
        wallet=money("wallet"),
        card=money("card"),
        refunded_items=refunded_item,
        refunded_wallet=money("refunded_wallet"),
        refunded_card=money("refunded_card"),
        refunded=money("refunded_wallet", "refunded_card"),
        seller_gets=item - refunded_item,
    )


def _deadlines(row: dict[str, Any]) -> OrderDeadlines:
    status, due_at, paid_at = row["status"], row["due_at"], row["paid_at"]
    alone_until = None
    if status == _S.PAID:
        alone_until = paid_at + timedelta(hours=row["terms"]["cancel_alone_hours"])

    def due_in(*statuses: str) -> datetime | None:
        return due_at if status in statuses else None

    return OrderDeadlines(
        pay_by=due_in(_S.PENDING_PAYMENT),
        cancel_alone_until=alone_until,
        answer_cancellation_by=due_in(_S.CANCEL_REQUESTED),
        ship_by=row["ship_by_at"] if status in (_S.PAID, _S.CANCEL_REQUESTED) else None,
        presumed_delivered_at=due_in(_S.SHIPPED, _S.IN_TRANSIT, _S.READY_FOR_PICKUP, _S.VERIFIED),
        report_issue_until=due_in(_S.DELIVERED),
        completes_at=due_in(_S.DELIVERED),
        agree_by=due_in(_S.ISSUE_OPEN),
        send_back_by=due_in(_S.RETURN_PENDING),
    )
