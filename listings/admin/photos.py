"""Photos and history: what waits for a moderator's look, what failed, what happened."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.html import format_html

from foundation import clock
from foundation.admin import NoteForm, ReadOnly, ask, for_each
from listings import services
from listings.admin.reading import photo_thumbnail
from listings.lifecycle import APPROVED, REJECTED, RULINGS, PhotoStatus
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


class ReviewFilter(admin.SimpleListFilter):
    title = "review"
    parameter_name = "review"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("pending", "waits for a moderator"), (APPROVED, APPROVED), (REJECTED, REJECTED)]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() == "pending":
            return queryset.exclude(flag="").filter(ruling="")
        return queryset.filter(ruling=self.value()) if self.value() in RULINGS else queryset


@admin.register(ListingPhoto)
class ListingPhotoAdmin(ReadOnly, _PhotoAdmin):
    """Photos that wait for a moderator (blurred, the likeliest first when sorted by score), failed or are
    stuck. The bytes that were sent are gone once a photo is done.
    """

    list_display = (
        *("image", "id", "listing_link", "position", "flag", "flag_score", "ruling", "flagged_at"),
        *("status", "failure_code", "media_type", "original_bytes", "attempts"),
        *("uploaded_at", "ring_at", "processed_at"),
    )
    list_display_links = ("id",)
    list_filter = (ReviewFilter, "status", "failure_code", "media_type")
    search_fields = ("=id", "=listing__id", "=listing__seller__id", "=original_sha256")
    search_help_text = "Id of a photo, listing or seller, or the SHA-256 of the file that was sent"
    ordering = ("-id",)
    list_select_related = ("listing",)
    show_full_result_count = False
    list_per_page = 50
    actions = ("approve_photos", "reject_photos", "ring_again")

    def has_rule_permission(self, request: HttpRequest) -> bool:
        """Who may hide listings may rule on photos."""
        return bool(request.user.has_perm("listings.change_listing"))

    @admin.display(description="photo")
    def image(self, photo: ListingPhoto) -> str:
        return photo_thumbnail(photo)

    @admin.display(description="listing")
    def listing_link(self, photo: ListingPhoto) -> str:
        url = reverse("admin:listings_listing_change", args=[photo.listing_id])
        return format_html('<a href="{}">{}</a>', url, photo.listing_id)

    @admin.action(description="Approve: may be shown…", permissions=["rule"])
    def approve_photos(self, request: HttpRequest, chosen: QuerySet[ListingPhoto]) -> HttpResponse | None:
        return self._with_note(request, chosen, services.approve_photo, "Show these photos")

    @admin.action(description="Reject: never shown, listing hidden until replaced…", permissions=["rule"])
    def reject_photos(self, request: HttpRequest, chosen: QuerySet[ListingPhoto]) -> HttpResponse | None:
        return self._with_note(request, chosen, services.reject_photo, "Never show these photos")

    def _with_note(
        self, request: HttpRequest, chosen: QuerySet[ListingPhoto], verb: Callable[..., None], title: str
    ) -> HttpResponse | None:
        form, page = ask(request, NoteForm, chosen, title)
        if page is not None:
            return page
        note = form.cleaned_data["note"]

        def rule(photo: ListingPhoto) -> None:
            verb(photo_id=photo.id, moderator_id=str(request.user.pk), note=note, now=clock.now())

        for_each(self, request, chosen, rule, f"{title}. {note}")
        return None

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
