"""Orders and checkouts, translated out."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from orders.lifecycle import BUYER, SELLER, OrderStatus
from orders.queries.issues import find_issue_id, lacks_return_address
from orders.queries.orders import (
    OrderFacts,
    OrderItemFacts,
    event_rows,
    items_of,
    order_event_facts,
)
from orders.queries.parcels import parcels_of
from orders.queries.payments import find_latest_payment
from orders.queries.reviews import may_review
from orders.queries.shipping import options_for

LATEST_EVENTS = 50


def order_card(order: OrderFacts, items: Sequence[OrderItemFacts]) -> dict[str, Any]:
    """OrderCardSerializer."""
    return {
        "id": order.id,
        "role": order.role,
        "status": order.status,
        "seller_id": order.seller_id,
        "buyer_id": order.buyer_id,
        "offer_id": order.offer_id,
        "items": [
            {
                "listing_id": item.listing_id,
                "title": item.title,
                "listed": item.listed.as_json(),
                "price": item.price.as_json(),
            }
            for item in items
        ],
        "money": _money(order),
        "deadlines": {
            name: getattr(order.deadlines, name)
            for name in (
                *(
                    "pay_by",
                    "cancel_alone_until",
                    "answer_cancellation_by",
                    "ship_by",
                    "presumed_delivered_at",
                ),
                *("report_issue_until", "completes_at", "agree_by", "send_back_by"),
            )
        },
        "allowed_actions": list(order.allowed_actions),
        "is_verified": order.is_verified,
        **{
            name: getattr(order, name)
            for name in (
                *("created_at", "updated_at", "paid_at", "handed_over_at", "shipped_at"),
                *("delivered_at", "completed_at", "ended_at"),
            )
        },
    }


def order_body(order: OrderFacts, *, now: datetime) -> dict[str, Any]:
    """OrderSerializer."""
    latest = reversed(list(event_rows(order.id).order_by("-number")[:LATEST_EVENTS]))
    card = order_card(order, items_of([order.id]).get(order.id, []))
    parcels = parcels_of(order.id) if order.paid_at else ()
    is_address_needed = any(parcel.waits_for_address for parcel in parcels) or (
        order.status == OrderStatus.RETURN_PENDING and lacks_return_address(order.id)
    )
    if order.role == SELLER and is_address_needed:
        card["allowed_actions"].append("give_sender_address")
    if order.completed_at is not None and may_review(order.id, order.role, order.completed_at, now=now):
        card["allowed_actions"].append("review")
    return {
        **card,
        "delivery": _delivery(order),
        "parcels": [
            {
                "id": parcel.id,
                "leg": parcel.leg,
                "carrier": parcel.carrier,
                "status": parcel.status,
                "waits_for": "sender_address" if parcel.waits_for_address else None,
                "tracking_number": parcel.tracking_number,
                "tracking_url": parcel.tracking_url,
                "events": [{"code": news.code, "occurred_at": news.occurred_at} for news in parcel.events],
            }
            for parcel in parcels
        ],
        "payment": _payment(order),
        "issue_id": find_issue_id(order.id) if order.delivered_at else None,
        "events": [event_body(row, order.currency) for row in latest],
    }


def checkout_body(order: OrderFacts, *, now: datetime) -> dict[str, Any]:
    """CheckoutSerializer."""
    return {
        **order_body(order, now=now),
        "quote_version": order.quote_version,
        "uses_wallet": order.uses_wallet,
        "shipping_options": [
            {
                "code": option.code,
                "carrier": option.carrier,
                "kind": option.kind,
                "days": option.days,
                "price": option.price.as_json(),
            }
            for option in options_for(
                from_country=order.seller_country,
                to_country=order.buyer_country,
                size=order.parcel_size,
                currency=order.currency,
                at=now,
            )
        ],
        "verification_offer": {
            "fee": order.verification_fee.as_json(),
            "minimum": order.verification_from.as_json(),
            "is_offered": order.verification_from <= order.money.items_total,
        },
    }


def event_body(row: dict[str, Any], currency: str) -> dict[str, Any]:
    """OrderEventSerializer."""
    event = order_event_facts(row, currency=currency)
    return {
        "verb": event.verb,
        "status_before": event.source,
        "status": event.status,
        "actor": event.actor,
        "amount": None if event.amount is None else event.amount.as_json(),
        "happened_at": event.happened_at,
    }


def _money(order: OrderFacts) -> dict[str, Any]:
    money = order.money
    amounts = {
        name: getattr(money, name).as_json()
        for name in (
            *(
                "items_listed",
                "items_total",
                "shipping",
                "verification",
                "total",
                "wallet",
                "card",
                "refunded",
            ),
            *("refunded_items", "refunded_wallet", "refunded_card", "seller_gets"),
        )
    }
    fee = {"total": money.fee.total, "net": money.fee.net, "vat": money.fee.vat}
    return {**amounts, "fee": {name: part.as_json() for name, part in fee.items()}}


def _delivery(order: OrderFacts) -> dict[str, Any] | None:
    if not order.shipping_option:
        return None
    chosen = order.delivery
    return {
        "option": order.shipping_option,
        "carrier": chosen["carrier"],
        "kind": chosen["kind"],
        "days": chosen["days"],
        # Where the buyer collects it is nothing that the seller needs to know.
        "pickup_point": chosen["pickup_point"] if order.role == BUYER else None,
    }


def _payment(order: OrderFacts) -> dict[str, Any] | None:
    payment = find_latest_payment(order.id) if order.role == BUYER else None
    if payment is None:
        return None
    return {
        "id": payment.id,
        "status": payment.status,
        "amount": payment.amount.as_json(),
        "action_url": payment.action_url or None,
        "failure_code": payment.failure_code or None,
    }
