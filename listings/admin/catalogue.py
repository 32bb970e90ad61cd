"""The catalogue, read here and changed in its files; price limits, of which new ones are added here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.http import HttpRequest

from foundation.admin import ReadOnly
from listings.models import (
    Brand,
    CatalogueRelease,
    Category,
    Colour,
    Condition,
    MarketRules,
    Material,
    Size,
)

if TYPE_CHECKING:
    _AnyAdmin = admin.ModelAdmin[Any]
else:  # generic only in the stubs, not at run time
    _AnyAdmin = admin.ModelAdmin


@admin.register(Category)
class CategoryAdmin(ReadOnly, _AnyAdmin):
    """Changed in listings/data and loaded by `manage.py load_catalogue`, like all that follows."""

    list_display = (
        "id",
        "__str__",
        "parent_id",
        "kind",
        "size_system",
        "attributes",
        "parcel_size",
        "is_retired",
    )
    list_filter = ("is_leaf", "is_retired", "size_system")
    search_fields = ("id", "=kind", "=parent__id")


@admin.register(Brand)
class BrandAdmin(ReadOnly, _AnyAdmin):
    list_display = ("id", "name", "aliases", "is_retired")
    list_filter = ("is_retired",)
    search_fields = ("id", "name")


@admin.register(Size)
class SizeAdmin(ReadOnly, _AnyAdmin):
    list_display = ("id", "system", "position", "label", "aliases", "is_retired")
    list_filter = ("system", "is_retired")
    search_fields = ("id", "label")


@admin.register(Colour, Condition, Material)
class TermAdmin(ReadOnly, _AnyAdmin):
    list_display = ("id", "__str__", "position", "is_retired")
    list_filter = ("is_retired",)
    search_fields = ("id",)


@admin.register(CatalogueRelease)
class CatalogueReleaseAdmin(ReadOnly, _AnyAdmin):
    list_display = ("digest", "loaded_at")


@admin.register(MarketRules)
class MarketRulesAdmin(_AnyAdmin):
    """New limits are new rows with the day they begin; what was valid stays as it was."""

    list_display = (
        *("market_id", "valid_from_date", "currency", "price_min_minor", "price_max_minor"),
        "verified_above_minor",
    )
    list_filter = ("market",)
    ordering = ("market", "-valid_from_date")

    def has_change_permission(self, request: HttpRequest, obj: MarketRules | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: MarketRules | None = None) -> bool:
        return False
