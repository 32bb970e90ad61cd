"""For staff: what shadows said, what that cost, and who was right by the sellers' decisions."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import mark_safe

from ai_suggestions.admin.runs import compact
from ai_suggestions.evaluation.shadows import compared
from ai_suggestions.routing_tables import ShadowField, ShadowRun
from foundation import clock
from foundation.admin import ReadOnly

if TYPE_CHECKING:
    _ShadowAdmin = admin.ModelAdmin[ShadowRun]
    _Inline = admin.TabularInline[ShadowField, ShadowRun]
else:  # generic only in the stubs, not at run time
    _ShadowAdmin = admin.ModelAdmin
    _Inline = admin.TabularInline

MOST_DAYS = 365


class ShadowFieldInline(ReadOnly, _Inline):
    model = ShadowField
    fields = (
        *("field", "state", "said", "confidence", "certainty", "note", "step"),
        *("is_right", "live_is_right"),
    )
    readonly_fields = fields
    ordering = ("id",)
    extra = 0

    @admin.display(description="value, or offered first")
    def said(self, field: ShadowField) -> str:
        if field.value is not None or not field.alternatives:
            return compact(field.value)
        return compact(field.alternatives[0]["value"])


@admin.register(ShadowRun)
class ShadowRunAdmin(ReadOnly, _ShadowAdmin):
    list_display = (
        *("id", "provider", "run_link", "error_code", "attempts", "cost"),
        *("requested_at", "ended_at"),
    )
    list_filter = ("provider", "error_code", "requested_at")
    search_fields = ("=id", "=run__id")
    search_help_text = "Id of a shadow or of its run"
    ordering = ("-id",)
    show_full_result_count = False
    list_per_page = 50
    inlines = (ShadowFieldInline,)
    fields = (
        *("id", "provider", "run_link", "route", "requested_at", "due_at", "attempts", "ended_at"),
        *("error_code", "cost", "steps_taken"),
    )
    readonly_fields = ("run_link", "route", "cost", "steps_taken")

    def get_urls(self) -> list[URLPattern]:
        """Before the admin's own, of which one takes any path for an id."""
        page = path("compared/", self.admin_site.admin_view(self.compared), name="ai_suggestions_shadows")
        return [page, *super().get_urls()]

    @admin.display(description="run")
    def run_link(self, shadow: ShadowRun) -> str:
        url = reverse("admin:ai_suggestions_suggestionrun_change", args=[shadow.run_id])
        return format_html('<a href="{}">{}</a>', url, shadow.run_id)

    @admin.display(description="route")
    def route(self, shadow: ShadowRun) -> str:
        version = shadow.route_version
        url = reverse("admin:ai_suggestions_providerroute_change", args=[version.route_id])
        return format_html('<a href="{}">{}, version {}</a>', url, version.route_id, version.version)

    @admin.display(description="cost", ordering="cost_micro")
    def cost(self, shadow: ShadowRun) -> str:
        return f"{shadow.cost_micro / 1_000_000:.4f}"

    @admin.display(description="steps")
    def steps_taken(self, shadow: ShadowRun) -> str:
        return format_html_join(
            mark_safe("<br>"),
            "{} {}: {} {} ({} ms)",
            (
                (step["name"], step["version"], step["outcome"], step["error_code"], step["elapsed_ms"])
                for step in shadow.steps
            ),
        )

    def compared(self, request: HttpRequest) -> TemplateResponse:
        """Shadow beside live provider, field by field."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        asked = request.GET.get("days", "")
        days = min(max(int(asked), 1), MOST_DAYS) if asked.isdecimal() and len(asked) < 6 else 30
        context: dict[str, Any] = {
            **self.admin_site.each_context(request),
            "title": "Shadows beside what sellers were shown",
            "opts": self.model._meta,
            "days": days,
            "lines": compared(since=clock.now() - dt.timedelta(days=days)),
        }
        return TemplateResponse(request, "admin/ai_suggestions/shadows.html", context)
