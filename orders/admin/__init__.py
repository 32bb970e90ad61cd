"""For staff: everything is read here and changed by services, with a reason."""

from __future__ import annotations

from orders.admin.offers import BundleAdmin, BundleLadderAdmin, OfferAdmin, OfferQuotaAdmin, TermsAdmin
from orders.admin.parcels import ParcelAdmin, ShippingOptionAdmin
from orders.admin.payments import DisputeAdmin, PaymentAdmin, RefundAdmin

__all__ = [
    "BundleAdmin",
    "BundleLadderAdmin",
    "DisputeAdmin",
    "OfferAdmin",
    "OfferQuotaAdmin",
    "ParcelAdmin",
    "PaymentAdmin",
    "RefundAdmin",
    "ShippingOptionAdmin",
    "TermsAdmin",
]
