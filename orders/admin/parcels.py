"""For staff: where parcels are, what carriers told of them, what shipping costs. Read-only.

Never addresses, labels or what carriers sent: they are personal data, and nobody here needs them.
"""

from __future__ import annotations

from django.contrib import admin

from foundation.admin import ReadOnly
from foundation.money import Money
from orders.admin.finding import Admin, FoundById, Inline
from orders.models import Parcel, ParcelEvent, SenderAddress, ShippingOption


class ParcelEventInline(ReadOnly, Inline):
    model = ParcelEvent
    fields = ("code", "has_moved", "occurred_at", "received_at", "event_id")
    readonly_fields = fields
    ordering = ("occurred_at", "id")
    extra = 0


@admin.register(Parcel)
class ParcelAdmin(FoundById):
    list_display = ("id", "order_id", "leg", "provider", "status", "tracking_number", "attempts", "due_at")
    list_filter = ("status", "leg", "provider")
    looked_up = ("id", "order_id", "tracking_number")
    search_help_text = "Id of a parcel or an order, or a tracking number"
    fields = (
        *("id", "order_id", "leg", "status", "reason", "provider", "carrier", "service", "size"),
        *("provider_id", "tracking_number", "tracking_url", "attempts", "due_at"),
        *("requested_at", "labelled_at", "last_event_at", "ended_at"),
    )
    readonly_fields = fields
    inlines = (ParcelEventInline,)


@admin.register(SenderAddress)
class SenderAddressAdmin(FoundById):
    """That there is one, and since when."""

    list_display = ("id", "member_id", "version", "changed_at")
    looked_up = ("id", "member_id")
    search_help_text = "Id of a member"
    fields = list_display
    readonly_fields = fields


@admin.register(ShippingOption)
class ShippingOptionAdmin(ReadOnly, Admin):
    list_display = (
        "market",
        "destination",
        "size",
        "provider",
        "code",
        "kind",
        "price",
        "days",
        "valid_from",
    )
    list_filter = ("provider", "kind", "size", "destination", "market")
    ordering = ("market", "destination", "size", "code", "-valid_from")

    @admin.display(description="price")
    def price(self, option: ShippingOption) -> str:
        return (
            "not offered" if option.price_minor is None else str(Money(option.price_minor, option.currency))
        )
