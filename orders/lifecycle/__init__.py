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
from orders.lifecycle.roles import BUYER, CARRIER, PROVIDER, SELLER, SUPPORT

__all__ = [
    "AGREED_FOR",
    "BUYER",
    "CARRIER",
    "HELD_FOR",
    "LISTING_TAKEN",
    "LIVE",
    "OFFER",
    "OPEN",
    "OPEN_FOR",
    "ORDER",
    "PROVIDER",
    "SELLER",
    "SUPPORT",
    "UNDER_WAY",
    "OfferStatus",
    "OrderStatus",
]
