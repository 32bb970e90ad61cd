"""The tables of statuses of orders, one module each. Nothing else assigns a `status`."""

from __future__ import annotations

from orders.lifecycle.offers import AGREED_FOR, LIVE, OFFER, OPEN, OPEN_FOR, OfferStatus
from orders.lifecycle.orders import (
    HELD_FOR,
    LISTING_TAKEN,
    ORDER,
    UNDER_WAY,
    OrderStatus,
)
from orders.lifecycle.parcels import PARCEL, Leg, ParcelCode, ParcelStatus
from orders.lifecycle.payments import (
    DISPUTE,
    PAYMENT,
    PAYMENT_OPEN,
    PAYMENT_UNDER_WAY,
    REFUND,
    REFUND_OPEN,
    WORKER,
    DisputeStatus,
    PaymentStatus,
    RefundStatus,
)
from orders.lifecycle.roles import BUYER, CARRIER, PROVIDER, SELLER, SUPPORT

__all__ = [
    "AGREED_FOR",
    "BUYER",
    "CARRIER",
    "DISPUTE",
    "HELD_FOR",
    "LISTING_TAKEN",
    "LIVE",
    "OFFER",
    "OPEN",
    "OPEN_FOR",
    "ORDER",
    "PARCEL",
    "PAYMENT",
    "PAYMENT_OPEN",
    "PAYMENT_UNDER_WAY",
    "PROVIDER",
    "REFUND",
    "REFUND_OPEN",
    "SELLER",
    "SUPPORT",
    "UNDER_WAY",
    "WORKER",
    "DisputeStatus",
    "Leg",
    "OfferStatus",
    "OrderStatus",
    "ParcelCode",
    "ParcelStatus",
    "PaymentStatus",
    "RefundStatus",
]
