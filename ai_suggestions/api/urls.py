from __future__ import annotations

from django.urls import URLPattern, path

from ai_suggestions.api import batches, events, views

urlpatterns: list[URLPattern] = [
    path(
        "listings/<id:listing_id>/suggestions",
        views.ListingSuggestionsView.as_view(),
        name="listing-suggestions",
    ),
    path("suggestion-runs/<id:run_id>", views.RunView.as_view(), name="suggestion-run"),
    path("suggestion-runs/<id:run_id>/cancel", views.CancelView.as_view(), name="suggestion-run-cancel"),
    path("suggestion-runs/<id:run_id>/retry", views.RetryView.as_view(), name="suggestion-run-retry"),
    path(
        "suggestion-runs/<id:run_id>/decisions",
        views.DecisionsView.as_view(),
        name="suggestion-run-decisions",
    ),
    path("suggestion-runs/<id:run_id>/events", events.RunEventsView.as_view(), name="suggestion-run-events"),
    path("suggestion-batches", batches.BatchesView.as_view(), name="suggestion-batches"),
    path("suggestion-batches/<id:batch_id>", batches.BatchView.as_view(), name="suggestion-batch"),
    path(
        "suggestion-batches/<id:batch_id>/cancel",
        batches.BatchCancelView.as_view(),
        name="suggestion-batch-cancel",
    ),
]
