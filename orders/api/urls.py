from __future__ import annotations

from django.urls import URLPattern, path

from orders.api import bundles, checkouts, issues, offers, orders, parcels_sandbox, pickup_points

urlpatterns: list[URLPattern] = [
    path("listings/<id:listing_id>/offers", offers.ListingOffersView.as_view(), name="listing-offers"),
    path("offers", offers.OffersView.as_view(), name="offers"),
    path("offers/<id:offer_id>", offers.OfferView.as_view(), name="offer"),
    path("offers/<id:offer_id>/accept", offers.AcceptOfferView.as_view()),
    path("offers/<id:offer_id>/decline", offers.DeclineOfferView.as_view()),
    path("offers/<id:offer_id>/counter", offers.CounterOfferView.as_view()),
    path("bundles", bundles.BundlesView.as_view(), name="bundles"),
    path("bundles/<id:bundle_id>", bundles.BundleView.as_view(), name="bundle"),
    path("checkouts", checkouts.CheckoutsView.as_view(), name="checkouts"),
    path("checkouts/<id:order_id>", checkouts.CheckoutView.as_view(), name="checkout"),
    path("checkouts/<id:order_id>/pay", checkouts.PayCheckoutView.as_view()),
    path("orders", orders.OrdersView.as_view(), name="orders"),
    path("orders/<id:order_id>", orders.OrderView.as_view(), name="order"),
    path("orders/<id:order_id>/events", orders.OrderEventsView.as_view(), name="order-events"),
    path("orders/<id:order_id>/cancel", orders.cancel_view),
    path("orders/<id:order_id>/refuse-cancellation", orders.refuse_cancellation_view),
    path("orders/<id:order_id>/ship", orders.ship_view),
    path("orders/<id:order_id>/confirm", orders.confirm_view),
    path("orders/<id:order_id>/issue", issues.OrderIssueView.as_view()),
    path("issues/<id:issue_id>", issues.IssueView.as_view(), name="issue"),
    path("issues/<id:issue_id>/evidence", issues.IssueEvidenceView.as_view()),
    path(
        "issues/<id:issue_id>/evidence/<id:evidence_id>",
        issues.EvidencePhotoView.as_view(),
        name="issue-evidence",
    ),
    path("issues/<id:issue_id>/propose", issues.ProposeView.as_view()),
    path("issues/<id:issue_id>/accept", issues.accept_view),
    path("issues/<id:issue_id>/decline", issues.decline_view),
    path("issues/<id:issue_id>/escalate", issues.escalate_view),
    path("issues/<id:issue_id>/return", issues.send_back_view),
    path("issues/<id:issue_id>/receive", issues.receive_view),
    path("pickup-points", pickup_points.PickupPointsView.as_view(), name="pickup-points"),
    path("orders/<id:order_id>/label", pickup_points.LabelView.as_view(), name="order-label"),
    path("sandbox/parcels/<id:parcel_id>/label", parcels_sandbox.SandboxLabelView.as_view()),
    path("sandbox/parcels/<id:parcel_id>/events", parcels_sandbox.SandboxParcelEventsView.as_view()),
    path("me/bundle-discounts", bundles.BundleDiscountsView.as_view(), name="bundle-discounts"),
]
