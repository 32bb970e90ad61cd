"""The tables of orders."""

from __future__ import annotations

from orders.models.bundles import Bundle, BundleDiscount, BundleItem, BundleLadder
from orders.models.offers import Offer, OfferEvent, OfferQuota
from orders.models.orders import Case, Order, OrderEvent, OrderItem, Strike
from orders.models.terms import Terms

__all__ = [
    "Bundle",
    "BundleDiscount",
    "BundleItem",
    "BundleLadder",
    "Case",
    "Offer",
    "OfferEvent",
    "OfferQuota",
    "Order",
    "OrderEvent",
    "OrderItem",
    "Strike",
    "Terms",
]
