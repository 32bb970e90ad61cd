"""For staff: what was suggested, from which photos, why a step broke, and what sellers did with it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.core.files.storage import storages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html, format_html_join

import listings.queries as listings
from ai_suggestions import services
from ai_suggestions.models import FieldSuggestion, RunStep, SuggestionRun
from foundation import clock
from foundation.admin import ReadOnly, for_each
from listings.photos import names

if TYPE_CHECKING:
    _RunAdmin = admin.ModelAdmin[SuggestionRun]
    _Inline = admin.TabularInline[Any, SuggestionRun]
else:  # generic only in the stubs, not at run time
    _RunAdmin = admin.ModelAdmin
    _Inline = admin.TabularInline


def compact(value: Any) -> str:
    """JSON in one line."""
    return "-" if value is None else json.dumps(value, ensure_ascii=False)


class StepInline(ReadOnly, _Inline):
    model = RunStep
    fields = (
        "name",
        "step_version",
        "outcome",
        "error_code",
        "elapsed_ms",
        "reused",
        "usage",
        "attempt",
        "ended_at",
    )
    readonly_fields = fields
    ordering = ("position",)
    extra = 0


class FieldInline(ReadOnly, _Inline):
    model = FieldSuggestion
    fields = (
        *("field", "state", "said", "confidence", "certainty", "others", "why", "note", "step"),
        *("decision", "decided", "edit_distance", "decided_at"),
    )
    readonly_fields = fields
    ordering = ("id",)
    extra = 0

    @admin.display(description="value")
    def said(self, suggestion: FieldSuggestion) -> str:
        return compact(suggestion.value)

    @admin.display(description="alternatives")
    def others(self, suggestion: FieldSuggestion) -> str:
        return format_html_join(
            "",
            "{} {}<br>",
            ((compact(a["value"]), "" if a.get("confidence") is None else round(a["confidence"], 3))
             for a in suggestion.alternatives),
        )  # fmt: skip

    @admin.display(description="evidence")
    def why(self, suggestion: FieldSuggestion) -> str:
        return format_html_join(
            "",
            "{}: {} {} {}<br>",
            (
                (
                    piece["source"],
                    piece.get("note", ""),
                    piece.get("text", ""),
                    f"{len(piece['comparables'])} items" if piece.get("comparables") else "",
                )
                for piece in suggestion.evidence
            ),
        )

    @admin.display(description="decided value")
    def decided(self, suggestion: FieldSuggestion) -> str:
        return compact(suggestion.decided_value)


@admin.register(SuggestionRun)
class SuggestionRunAdmin(ReadOnly, _RunAdmin):
    """Runs, newest first. They are made by sellers and done by workers; staff may have one done again."""

    list_display = (
        *("id", "status", "failure_code", "listing_link", "member_link", "provider", "steps"),
        *("attempts", "requested_at", "finished_at"),
    )
    list_filter = ("status", "provider", "failure_code", "requested_at")
    search_fields = ("=id", "=listing__id", "=member__id")
    search_help_text = "Id of a run, a listing or a member"
    ordering = ("-id",)
    show_full_result_count = False
    list_per_page = 50
    actions = ("run_again",)
    inlines = (FieldInline, StepInline)
    fieldsets = (
        (None, {"fields": ("id", "status", "failure_code", "photos", "listing_link", "member_link")}),
        (
            "Asked",
            {
                "fields": (
                    *("provider", "route", "country", "department", "language", "requested_at"),
                    "batch",
                )
            },
        ),
        (
            "Done",
            {
                "fields": (
                    *("attempts", "retries", "steps", "started_at", "finished_at"),
                    *("owner", "lease_until", "ring_at"),
                )
            },
        ),
        ("Seen", {"fields": ("inputs",), "classes": ("collapse",)}),
    )
    readonly_fields = ("listing_link", "member_link", "photos", "route", "steps")

    @admin.display(description="listing")
    def listing_link(self, run: SuggestionRun) -> str:
        url = reverse("admin:listings_listing_change", args=[run.listing_id])
        return format_html('<a href="{}">{}</a>', url, run.listing_id)

    @admin.display(description="member")
    def member_link(self, run: SuggestionRun) -> str:
        url = reverse("admin:members_member_change", args=[run.member_id])
        return format_html('<a href="{}">{}</a>', url, run.member_id)

    @admin.display(description="route")
    def route(self, run: SuggestionRun) -> str:
        if run.route_version is None:
            return "-"
        url = reverse("admin:ai_suggestions_providerroute_change", args=[run.route_version.route_id])
        return format_html('<a href="{}">{}</a>', url, run.route_version)

    @admin.display(description="steps")
    def steps(self, run: SuggestionRun) -> str:
        return f"{run.steps_done}/{run.steps_total}"

    @admin.display(description="photos as they are now")
    def photos(self, run: SuggestionRun) -> str:
        smallest = min(names.RENDITIONS)
        ready = [photo for photo in listings.list_photos(run.listing_id) if photo.stem]
        return format_html_join(
            " ",
            '<img src="{}" alt="{}" title="{}" loading="lazy" style="max-height:120px">',
            (
                (storages[names.PUBLIC].url(names.rendition_name(photo.stem, smallest)), photo.id, photo.id)
                for photo in ready
            ),
        )

    @admin.action(description="Have a new run done over the photos as they are now", permissions=["view"])
    def run_again(self, request: HttpRequest, chosen: QuerySet[SuggestionRun]) -> None:
        def again(run: SuggestionRun) -> None:
            services.request_run(
                member_id=run.member_id,
                listing_id=run.listing_id,
                department=run.department or None,
                provider=run.provider,
                is_counted=False,
                now=clock.now(),
            )

        for_each(self, request, chosen, again, "Asked for a new run")
