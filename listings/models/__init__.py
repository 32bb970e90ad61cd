"""The tables of listings. Business effects are in listings.services, never in save() or a signal."""

from __future__ import annotations

from listings.models.catalogue import (
    Brand,
    BrandName,
    CatalogueRelease,
    Category,
    Colour,
    Condition,
    MarketRules,
    Material,
    Size,
)
from listings.models.listing import Listing, ListingColour, ListingEvent, ListingMaterial, ListingPhoto

__all__ = [
    "Brand",
    "BrandName",
    "CatalogueRelease",
    "Category",
    "Colour",
    "Condition",
    "Listing",
    "ListingColour",
    "ListingEvent",
    "ListingMaterial",
    "ListingPhoto",
    "MarketRules",
    "Material",
    "Size",
]
