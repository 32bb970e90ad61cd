from __future__ import annotations

from django.urls import path

from members.api import notices, views

urlpatterns = [
    path("markets", views.MarketsView.as_view(), name="markets"),
    path("me", views.MeView.as_view(), name="me"),
    path("me/restrictions", views.MyRestrictionsView.as_view(), name="me-restrictions"),
    path("me/blocks", views.MyBlocksView.as_view(), name="me-blocks"),
    path("me/blocks/<id:member_id>", views.MyBlockView.as_view(), name="me-block"),
    path("me/notifications", notices.NotificationsView.as_view(), name="me-notifications"),
    path("me/notifications/read", notices.NotificationsReadView.as_view(), name="me-notifications-read"),
    path(
        "me/notifications/<id:notice_id>/read",
        notices.NotificationReadView.as_view(),
        name="me-notification-read",
    ),
    path(
        "me/notification-settings",
        notices.NotificationSettingsView.as_view(),
        name="me-notification-settings",
    ),
    path("members/<id:member_id>", views.MemberView.as_view(), name="member"),
]
