"""For moderators: photos of different sellers that show the same picture, and what checks said of photos."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.html import format_html

import listings.queries as listings
from ai_suggestions import services
from ai_suggestions.photo_tables import PhotoCheck, PhotoTwin, Scope, TwinRuling
from foundation import clock
from foundation.admin import NoteForm, ReadOnly, ask, for_each
from listings.admin.reading import thumbnail

if TYPE_CHECKING:
    _TwinAdmin = admin.ModelAdmin[PhotoTwin]
    _CheckAdmin = admin.ModelAdmin[PhotoCheck]
else:  # generic only in the stubs, not at run time
    _TwinAdmin = _CheckAdmin = admin.ModelAdmin


class QueueFilter(admin.SimpleListFilter):
    title = "queue"
    parameter_name = "queue"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [
            ("open", "another seller's photo, not ruled on"),
            *((r.value, r.value) for r in TwinRuling if r),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() == "open":
            return queryset.filter(scope=Scope.OTHER_SELLER.value, ruling="")
        return queryset.filter(ruling=self.value()) if self.value() else queryset


def _listing(listing_id: str) -> str:
    url = reverse("admin:listings_listing_change", args=[listing_id])
    return format_html('<a href="{}">{}</a>', url, listing_id)


@admin.register(PhotoTwin)
class PhotoTwinAdmin(ReadOnly, _TwinAdmin):
    """No member is ever told whose the other photo is. A pair is a reason to look, not a verdict: shops' own
    pictures are shown by many sellers.
    """

    list_display = (
        *("id", "later", "listing_link", "earlier", "other_listing_link", "scope", "similarity", "distance"),
        *("ruling", "found_at"),
    )
    list_filter = (QueueFilter, "scope")
    search_fields = ("=id", "=photo_id", "=other_photo_id", "=listing__id", "=other_listing__id")
    search_help_text = "Id of a pair, a photo or a listing"
    ordering = ("-id",)
    show_full_result_count = False
    list_per_page = 25
    actions = ("dismiss", "uphold")

    def has_rule_permission(self, request: HttpRequest) -> bool:
        """Who may hide listings may rule on pairs."""
        return bool(request.user.has_perm("listings.change_listing"))

    @admin.display(description="photo")
    def later(self, twin: PhotoTwin) -> str:
        return _picture(twin.listing_id, twin.photo_id)

    @admin.display(description="listing")
    def listing_link(self, twin: PhotoTwin) -> str:
        return _listing(twin.listing_id)

    @admin.display(description="looks like")
    def earlier(self, twin: PhotoTwin) -> str:
        return _picture(twin.other_listing_id, twin.other_photo_id)

    @admin.display(description="of listing")
    def other_listing_link(self, twin: PhotoTwin) -> str:
        return _listing(twin.other_listing_id)

    @admin.action(description="Dismiss: both may show it…", permissions=["rule"])
    def dismiss(self, request: HttpRequest, chosen: QuerySet[PhotoTwin]) -> HttpResponse | None:
        form, page = ask(request, NoteForm, chosen, "Both may show these photos")
        if page is not None:
            return page

        def rule(twin: PhotoTwin) -> None:
            services.dismiss_twin(twin_id=twin.id, now=clock.now())

        for_each(self, request, chosen, rule, f"Dismissed. {form.cleaned_data['note']}")
        return None

    @admin.action(description="Uphold: hide the later listing until mended…", permissions=["rule"])
    def uphold(self, request: HttpRequest, chosen: QuerySet[PhotoTwin]) -> HttpResponse | None:
        form, page = ask(request, NoteForm, chosen, "Hide the listings with the later photos")
        if page is not None:
            return page
        note = form.cleaned_data["note"]

        def rule(twin: PhotoTwin) -> None:
            services.uphold_twin(
                twin_id=twin.id, moderator_id=str(request.user.pk), note=note, now=clock.now()
            )

        for_each(self, request, chosen, rule, f"Upheld. {note}")
        return None


def _picture(listing_id: str, photo_id: str) -> str:
    photo = next((p for p in listings.list_photos(listing_id) if p.id == photo_id), None)
    if photo is None or photo.is_rejected:
        return "-"
    return thumbnail(photo.stem or None, blurred=not photo.may_be_shown)


@admin.register(PhotoCheck)
class PhotoCheckAdmin(ReadOnly, _CheckAdmin):
    """Scores of all photos, flagged or not, and checks that failed or wait."""

    list_display = (
        *("photo_id", "listing_link", "unsafe", "safety_version", "fingerprint_version", "failure_code"),
        *("attempts", "ready_at", "due_at", "checked_at"),
    )
    fields = (*list_display, "sha256", "phash")
    readonly_fields = ("listing_link",)
    list_filter = ("failure_code", ("due_at", admin.EmptyFieldListFilter))
    search_fields = ("=photo_id", "=listing__id", "=seller__id")
    ordering = ("-id",)
    show_full_result_count = False
    list_per_page = 50

    @admin.display(description="listing")
    def listing_link(self, check: PhotoCheck) -> str:
        return _listing(check.listing_id)
