"""Photos and history, for looking up what failed or happened."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html

from foundation.admin import ReadOnly
from listings.admin.reading import shown_stem, thumbnail
from listings.lifecycle import PhotoStatus
from listings.models import (
    ListingEvent,
    ListingPhoto,
)
from listings.services.ringing import ring

if TYPE_CHECKING:
    _PhotoAdmin = admin.ModelAdmin[ListingPhoto]
    _EventAdmin = admin.ModelAdmin[ListingEvent]
else:  # generic only in the stubs, not at run time
    _PhotoAdmin = _EventAdmin = admin.ModelAdmin


@admin.register(ListingPhoto)
class ListingPhotoAdmin(ReadOnly, _PhotoAdmin):
    """Photos that failed or are stuck. The bytes that were sent are gone once a photo is done."""

    list_display = (
        *("image", "id", "listing_link", "position", "status", "failure_code", "media_type"),
        *("original_bytes", "attempts", "uploaded_at", "ring_at", "processed_at"),
    )
    list_display_links = ("id",)
    list_filter = ("status", "failure_code", "media_type")
    search_fields = ("=id", "=listing__id", "=listing__seller__id", "=original_sha256")
    search_help_text = "Id of a photo, listing or seller, or the SHA-256 of the file that was sent"
    ordering = ("-id",)
    list_select_related = ("listing",)
    show_full_result_count = False
    list_per_page = 50
    actions = ("ring_again",)

    @admin.display(description="photo")
    def image(self, photo: ListingPhoto) -> str:
        return thumbnail(shown_stem(photo))

    @admin.display(description="listing")
    def listing_link(self, photo: ListingPhoto) -> str:
        url = reverse("admin:listings_listing_change", args=[photo.listing_id])
        return format_html('<a href="{}">{}</a>', url, photo.listing_id)

    @admin.action(description="Ring for a worker again", permissions=["view"])
    def ring_again(self, request: HttpRequest, chosen: QuerySet[ListingPhoto]) -> None:
        waiting = [photo.id for photo in chosen if photo.status == PhotoStatus.PROCESSING]
        for photo_id in waiting:
            ring(photo_id)
        self.message_user(request, f"Rung for {len(waiting)} photos that are being processed.")


@admin.register(ListingEvent)
class ListingEventAdmin(ReadOnly, _EventAdmin):
    list_display = (
        "id",
        "listing_id",
        "verb",
        "source",
        "target",
        "actor",
        "actor_id",
        "reason",
        "happened_at",
    )
    list_filter = ("actor", "verb", "reason")
    search_fields = ("=id", "=listing__id", "=actor_id")
    show_full_result_count = False
    ordering = ("-id",)
