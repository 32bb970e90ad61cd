"""For staff: what professional sellers sent at once, and what members used of their day. Read only."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from ai_suggestions.batch_tables import MemberUsage, SuggestionBatch, SuggestionBatchItem
from ai_suggestions.quota_queries import quota_of
from foundation.admin import ReadOnly
from members.queries import list_plans

if TYPE_CHECKING:
    _BatchAdmin = admin.ModelAdmin[SuggestionBatch]
    _ItemInline = admin.TabularInline[SuggestionBatchItem, SuggestionBatch]
    _UsageAdmin = admin.ModelAdmin[MemberUsage]
else:  # generic only in the stubs, not at run time
    _BatchAdmin = _UsageAdmin = admin.ModelAdmin
    _ItemInline = admin.TabularInline


class BatchItemInline(ReadOnly, _ItemInline):
    model = SuggestionBatchItem
    fields = ("position", "listing_id", "run_id", "run_status", "problem_code")
    readonly_fields = fields
    ordering = ("position",)
    extra = 0

    def get_queryset(self, request: HttpRequest) -> QuerySet[SuggestionBatchItem]:
        return super().get_queryset(request).select_related("run")

    @admin.display(description="status")
    def run_status(self, item: SuggestionBatchItem) -> str:
        return "-" if item.run is None else item.run.status


@admin.register(SuggestionBatch)
class SuggestionBatchAdmin(ReadOnly, _BatchAdmin):
    """Batches, newest first, with what became of each listing."""

    list_display = ("id", "status", "member_id", "requested_at", "served_at", "finished_at")
    list_filter = ("status", "requested_at")
    search_fields = ("=id", "=member__id")
    ordering = ("-id",)
    show_full_result_count = False
    inlines = (BatchItemInline,)


@admin.register(MemberUsage)
class MemberUsageAdmin(ReadOnly, _UsageAdmin):
    """What members used of their day; the plan's limits are in Plan quotas."""

    list_display = ("day", "member_id", "runs", "llm_calls")
    search_fields = ("=member__id",)
    date_hierarchy = "day"
    show_full_result_count = False
    list_select_related = ("member",)

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        quotas = {plan: quota_of(plan) for plan in list_plans()}  # once a page, not once a row

        @admin.display(description="plan (runs, LLM calls a day)")
        def plan(usage: MemberUsage) -> str:
            quota = quotas[usage.member.plan]
            return f"{usage.member.plan} ({quota.runs}, {quota.llm_calls})"

        day, member_id, *used = self.list_display
        return [day, member_id, plan, *used]
