"""For moderators: find listings, see photos and history, take them out of sight or put them back."""

from __future__ import annotations

from listings.admin.catalogue import (
    BrandAdmin,
    CatalogueReleaseAdmin,
    CategoryAdmin,
    MarketRulesAdmin,
    SizeAdmin,
    TermAdmin,
)
from listings.admin.moderation import ListingAdmin
from listings.admin.photos import ListingEventAdmin, ListingPhotoAdmin

__all__ = [
    "BrandAdmin",
    "CatalogueReleaseAdmin",
    "CategoryAdmin",
    "ListingAdmin",
    "ListingEventAdmin",
    "ListingPhotoAdmin",
    "MarketRulesAdmin",
    "SizeAdmin",
    "TermAdmin",
]
