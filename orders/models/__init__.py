"""The tables of orders."""

from __future__ import annotations

from orders.models.bundles import Bundle, BundleDiscount, BundleItem, BundleLadder
from orders.models.issues import Issue, IssueEvidence, Proposal
from orders.models.offers import Offer, OfferEvent, OfferQuota
from orders.models.orders import Case, Order, OrderEvent, OrderItem, Strike
from orders.models.parcels import Parcel, ParcelEvent, SandboxParcel, SenderAddress, ShippingOption
from orders.models.payments import Dispute, Payment, Refund, SandboxPayment, SandboxRefund
from orders.models.reviews import Review
from orders.models.terms import Terms

__all__ = [
    "Bundle",
    "BundleDiscount",
    "BundleItem",
    "BundleLadder",
    "Case",
    "Dispute",
    "Issue",
    "IssueEvidence",
    "Offer",
    "OfferEvent",
    "OfferQuota",
    "Order",
    "OrderEvent",
    "OrderItem",
    "Parcel",
    "ParcelEvent",
    "Payment",
    "Proposal",
    "Refund",
    "Review",
    "SandboxParcel",
    "SandboxPayment",
    "SandboxRefund",
    "SenderAddress",
    "ShippingOption",
    "Strike",
    "Terms",
]
