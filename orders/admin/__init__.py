"""For staff: everything is read here and changed by services, with a reason."""

from __future__ import annotations

from orders.admin.cases import CaseAdmin
from orders.admin.issues import IssueAdmin, StrikeAdmin
from orders.admin.offers import BundleAdmin, BundleLadderAdmin, OfferAdmin, OfferQuotaAdmin, TermsAdmin
from orders.admin.orders import OrderAdmin
from orders.admin.parcels import ParcelAdmin, SenderAddressAdmin, ShippingOptionAdmin
from orders.admin.payments import DisputeAdmin, PaymentAdmin, RefundAdmin

__all__ = [
    "BundleAdmin",
    "BundleLadderAdmin",
    "CaseAdmin",
    "DisputeAdmin",
    "IssueAdmin",
    "OfferAdmin",
    "OfferQuotaAdmin",
    "OrderAdmin",
    "ParcelAdmin",
    "PaymentAdmin",
    "RefundAdmin",
    "SenderAddressAdmin",
    "ShippingOptionAdmin",
    "StrikeAdmin",
    "TermsAdmin",
]
