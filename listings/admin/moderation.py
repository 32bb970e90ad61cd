"""For moderators: find listings, see photos and history, take them out of sight or put them back.

Everything is read here and changed by services: each act asks for a reason and is recorded twice, in
the listing's own history and in the admin's.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin
from django.db.models import OuterRef, Q, QuerySet, Subquery
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.html import format_html

from foundation import clock
from foundation.admin import NoteForm, ReadOnly, ask, for_each
from foundation.money import Money
from listings import queries, services
from listings.admin.reading import photo_thumbnail, thumbnail
from listings.lifecycle import APPROVED, WITHDRAWN, PhotoStatus
from listings.models import (
    Listing,
    ListingColour,
    ListingEvent,
    ListingMaterial,
    ListingPhoto,
)

if TYPE_CHECKING:
    _ListingAdmin = admin.ModelAdmin[Listing]
    _Inline = admin.TabularInline[Any, Listing]
else:  # generic only in the stubs, not at run time
    _ListingAdmin = admin.ModelAdmin
    _Inline = admin.TabularInline


class DepartmentFilter(admin.SimpleListFilter):
    title = "department"
    parameter_name = "department"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        departments = queries.catalogue_snapshot().children_of(None)
        return [(department.id, queries.name_in(department.names, "en")) for department in departments]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if not self.value():
            return queryset
        return queryset.filter(category_id__in=queries.catalogue_snapshot().leaves_below(str(self.value())))


class PhotoFailureFilter(admin.SimpleListFilter):
    title = "photos"
    parameter_name = "photos"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [
            ("flagged", "one waits for a moderator"),
            ("failed", "one failed"),
            ("processing", "one is being processed"),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() == "flagged":
            waiting = ListingPhoto.objects.exclude(flag="").filter(ruling="")
            return queryset.filter(id__in=waiting.values("listing_id"))
        if self.value() not in ("failed", "processing"):
            return queryset
        return queryset.filter(id__in=ListingPhoto.objects.filter(status=self.value()).values("listing_id"))


class PhotoInline(ReadOnly, _Inline):
    model = ListingPhoto
    fields = (
        *("image", "position", "status", "failure_code", "flag", "flag_score", "ruling"),
        *("media_type", "original_bytes", "uploaded_at"),
    )
    readonly_fields = fields
    ordering = ("position",)
    extra = 0

    @admin.display(description="photo")
    def image(self, photo: ListingPhoto) -> str:
        return photo_thumbnail(photo)


class EventInline(ReadOnly, _Inline):
    model = ListingEvent
    fields = ("happened_at", "verb", "source", "target", "actor", "actor_id", "reason", "note")
    readonly_fields = fields
    ordering = ("id",)
    extra = 0


class ReasonForm(forms.Form):
    reason = forms.ChoiceField(
        choices=[(code, f"{code}: {words}") for code, words in services.REASONS.items()],
        help_text="The seller is told this code.",
    )
    note = forms.CharField(max_length=500, help_text="Why; kept in the history, for staff only.")


def _name(listing: Listing) -> str:
    return listing.title


@admin.register(Listing)
class ListingAdmin(_ListingAdmin):
    list_display = (
        *("cover", "id", "title", "status", "hidden_by", "moderation_reason", "category_id", "brand_id"),
        *("price", "country", "seller_link", "published_at"),
    )
    list_display_links = ("id", "title")
    list_filter = (
        "status",
        "hidden_by",
        PhotoFailureFilter,
        DepartmentFilter,
        "moderation_reason",
        "country",
    )
    # Prefixes, which an index can answer; ids in full.
    search_fields = ("=id", "=seller__id", "^title")
    search_help_text = "Id of a listing or seller, or the beginning of a title"
    ordering = ("-id",)
    show_full_result_count = False
    list_per_page = 50
    actions = ("suspend_listings", "remove_listings", "restore_listings")
    inlines = (PhotoInline, EventInline)
    fieldsets = (
        (None, {"fields": ("id", "status", "hidden_by", "moderation_reason", "due_at", "seller_link")}),
        (
            "What is sold",
            {
                "fields": (
                    *("title", "description", "category", "brand", "size", "condition", "colours"),
                    *("materials", "price", "parcel_size", "country"),
                )
            },
        ),
        ("When", {"fields": ("created_at", "updated_at", "published_at", "version")}),
    )

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Listing | None = None) -> bool:
        return False

    def get_readonly_fields(self, request: HttpRequest, obj: Listing | None = None) -> list[str]:
        # Sellers write listings; who may "change" them here may use the actions.
        return [str(name) for _, options in self.fieldsets for name in options["fields"]]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Listing]:
        # A flagged photo is looked at in the photos' own list, where it is blurred.
        covers = ListingPhoto.objects.filter(
            Q(flag="") | Q(ruling=APPROVED), listing_id=OuterRef("id"), status=PhotoStatus.READY
        )
        stem = Subquery(covers.order_by("position").values("stem")[:1])
        return super().get_queryset(request).annotate(cover_stem=stem)

    @admin.display(description="photo")
    def cover(self, listing: Listing) -> str:
        return thumbnail(None if listing.status in WITHDRAWN else getattr(listing, "cover_stem", None))

    @admin.display(description="price", ordering="price_minor")
    def price(self, listing: Listing) -> str:
        if listing.price_minor is None:
            return "-"
        return str(Money(listing.price_minor, listing.currency))

    @admin.display(description="seller")
    def seller_link(self, listing: Listing) -> str:
        url = reverse("admin:members_member_change", args=[listing.seller_id])
        return format_html('<a href="{}">{}</a>', url, listing.seller_id)

    @admin.display(description="colours")
    def colours(self, listing: Listing) -> str:
        rows = ListingColour.objects.filter(listing_id=listing.id).order_by("position")
        return ", ".join(rows.values_list("colour_id", flat=True)) or "-"

    @admin.display(description="materials")
    def materials(self, listing: Listing) -> str:
        rows = ListingMaterial.objects.filter(listing_id=listing.id).order_by("position")
        return ", ".join(rows.values_list("material_id", flat=True)) or "-"

    @admin.action(description="Hide until mended…", permissions=["change"])
    def suspend_listings(self, request: HttpRequest, chosen: QuerySet[Listing]) -> HttpResponse | None:
        return self._with_reason(
            request, chosen, services.suspend, "Hide these listings until they are mended"
        )

    @admin.action(description="Remove for good…", permissions=["change"])
    def remove_listings(self, request: HttpRequest, chosen: QuerySet[Listing]) -> HttpResponse | None:
        return self._with_reason(request, chosen, services.remove, "Remove these listings for good")

    @admin.action(description="Put back on offer…", permissions=["change"])
    def restore_listings(self, request: HttpRequest, chosen: QuerySet[Listing]) -> HttpResponse | None:
        form, page = ask(request, NoteForm, chosen, "Put these listings back on offer", name=_name)
        if page is not None:
            return page
        note = form.cleaned_data["note"]

        def restore(listing: Listing) -> None:
            services.restore(
                listing_id=listing.id, moderator_id=str(request.user.pk), note=note, now=clock.now()
            )

        for_each(self, request, chosen, restore, f"Put back on offer. {note}")
        return None

    def _with_reason(
        self, request: HttpRequest, chosen: QuerySet[Listing], verb: Callable[..., None], title: str
    ) -> HttpResponse | None:
        form, page = ask(request, ReasonForm, chosen, title, name=_name)
        if page is not None:
            return page
        reason, note = form.cleaned_data["reason"], form.cleaned_data["note"]

        def act(listing: Listing) -> None:
            verb(
                listing_id=listing.id,
                moderator_id=str(request.user.pk),
                reason=reason,
                note=note,
                now=clock.now(),
            )

        for_each(self, request, chosen, act, f"{title}: {reason}. {note}")
        return None
