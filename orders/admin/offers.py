"""For staff: terms, offers with their history, bundles and discounts. Read-only; services write them."""

from __future__ import annotations

from django.contrib import admin

from foundation.admin import ReadOnly
from foundation.money import Money
from orders.admin.finding import Admin, FoundById, Inline
from orders.models import (
    Bundle,
    BundleDiscount,
    BundleItem,
    BundleLadder,
    Offer,
    OfferEvent,
    OfferQuota,
    Terms,
)


@admin.register(Terms)
class TermsAdmin(ReadOnly, Admin):
    list_display = ("market", "valid_from", "fee_fixed", "fee_rate_bp", "vat_rate_bp", "offer_floor_bp")
    list_filter = ("market",)
    ordering = ("market", "-valid_from")

    @admin.display(description="fixed fee")
    def fee_fixed(self, terms: Terms) -> str:
        return str(Money(terms.fee_fixed_minor, terms.currency))


class OfferEventInline(ReadOnly, Inline):
    model = OfferEvent
    ordering = ("happened_at", "id")
    extra = 0


@admin.register(Offer)
class OfferAdmin(FoundById):
    list_display = ("id", "listing_id", "seller_id", "buyer_id", "status", "amount", "listed", "due_at")
    list_filter = ("status",)
    looked_up = ("id", "listing_id", "buyer_id", "seller_id")
    search_help_text = "Id of an offer, a listing or a member"
    raw_id_fields = ("listing", "seller")
    inlines = (OfferEventInline,)

    @admin.display(description="on the table")
    def amount(self, offer: Offer) -> str:
        return str(Money(offer.amount_minor, offer.currency))

    @admin.display(description="listed at")
    def listed(self, offer: Offer) -> str:
        return str(Money(offer.listed_minor, offer.currency))


@admin.register(OfferQuota)
class OfferQuotaAdmin(FoundById):
    list_display = ("buyer_id", "on_date", "used")
    looked_up = ("buyer_id",)
    raw_id_fields = ("buyer",)


class BundleItemInline(ReadOnly, Inline):
    model = BundleItem
    extra = 0


@admin.register(Bundle)
class BundleAdmin(FoundById):
    list_display = ("id", "buyer_id", "seller_id", "created_at", "updated_at")
    looked_up = ("id", "buyer_id")
    raw_id_fields = ("buyer",)
    inlines = (BundleItemInline,)


class BundleDiscountInline(ReadOnly, Inline):
    model = BundleDiscount
    extra = 0


@admin.register(BundleLadder)
class BundleLadderAdmin(FoundById):
    list_display = ("seller_id", "changed_at")
    looked_up = ("seller_id",)
    raw_id_fields = ("seller",)
    inlines = (BundleDiscountInline,)
