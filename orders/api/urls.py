from __future__ import annotations

from django.urls import URLPattern, path

from orders.api import bundles, offers

urlpatterns: list[URLPattern] = [
    path("listings/<id:listing_id>/offers", offers.ListingOffersView.as_view(), name="listing-offers"),
    path("offers", offers.OffersView.as_view(), name="offers"),
    path("offers/<id:offer_id>", offers.OfferView.as_view(), name="offer"),
    path("offers/<id:offer_id>/accept", offers.AcceptOfferView.as_view()),
    path("offers/<id:offer_id>/decline", offers.DeclineOfferView.as_view()),
    path("offers/<id:offer_id>/counter", offers.CounterOfferView.as_view()),
    path("bundles", bundles.BundlesView.as_view(), name="bundles"),
    path("bundles/<id:bundle_id>", bundles.BundleView.as_view(), name="bundle"),
    path("me/bundle-discounts", bundles.BundleDiscountsView.as_view(), name="bundle-discounts"),
]
