from __future__ import annotations

from django.urls import URLPattern, path

from listings import services
from listings.api import catalogue, listings, photos
from listings.api.listings import verb_view

urlpatterns: list[URLPattern] = [
    path("catalogue/categories", catalogue.CategoriesView.as_view(), name="catalogue-categories"),
    path(
        "catalogue/categories/<slug:category_id>/attributes",
        catalogue.CategoryAttributesView.as_view(),
        name="catalogue-category-attributes",
    ),
    path("catalogue/brands", catalogue.BrandsView.as_view(), name="catalogue-brands"),
    path("catalogue/sizes", catalogue.SizesView.as_view(), name="catalogue-sizes"),
    path("catalogue/colours", catalogue.ColoursView.as_view(), name="catalogue-colours"),
    path("catalogue/conditions", catalogue.ConditionsView.as_view(), name="catalogue-conditions"),
    path("catalogue/materials", catalogue.MaterialsView.as_view(), name="catalogue-materials"),
    path("me/listings", listings.OwnListingsView.as_view(), name="own-listings"),
    path("listings", listings.ListingsView.as_view(), name="listings"),
    path("listings/<id:listing_id>", listings.ListingView.as_view(), name="listing"),
    path("listings/<id:listing_id>/photos", photos.PhotosView.as_view(), name="listing-photos"),
    path("listings/<id:listing_id>/photos/<id:photo_id>", photos.PhotoView.as_view(), name="listing-photo"),
    path("listings/<id:listing_id>/publish", verb_view("publish", services.publish, "Put it on offer")),
    path(
        "listings/<id:listing_id>/hide", verb_view("hide", services.hide, "Take it out of sight for a while")
    ),
    path("listings/<id:listing_id>/unhide", verb_view("unhide", services.unhide, "Put it back on offer")),
    path(
        "listings/<id:listing_id>/relist",
        verb_view("relist", services.relist, "Put it on offer again after its sale was undone"),
    ),
    path(
        "listings/<id:listing_id>/reserve", verb_view("reserve", services.reserve, "Promise it to somebody")
    ),
    path("listings/<id:listing_id>/release", verb_view("release", services.release, "End your reservation")),
    path(
        "listings/<id:listing_id>/duplicate",
        verb_view(
            "duplicate", services.duplicate, "A new draft that says the same, without the photos", status=201
        ),
    ),
]
