"""For staff: what was asked of the LLM, what became of it, and what a day costs. Nothing here is edited."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib import admin

from ai_suggestions.llm.tables import LlmCall, LlmDay
from foundation.admin import ReadOnly

if TYPE_CHECKING:
    _CallAdmin = admin.ModelAdmin[LlmCall]
    _DayAdmin = admin.ModelAdmin[LlmDay]
else:  # generic only in the stubs, not at run time
    _CallAdmin = admin.ModelAdmin
    _DayAdmin = admin.ModelAdmin


def _units(micro: int) -> str:
    return f"{micro / 1_000_000:.4f}"


@admin.register(LlmCall)
class LlmCallAdmin(ReadOnly, _CallAdmin):
    list_display = (
        *("called_at", "model", "mode", "outcome", "status", "latency_ms", "photos"),
        *("tokens_in", "tokens_cached", "tokens_out", "cost"),
    )
    list_filter = ("outcome", "model", "mode", "prompt_version")
    search_fields = ("request",)
    date_hierarchy = "called_at"
    show_full_result_count = False

    @admin.display(description="cost", ordering="cost_micro")
    def cost(self, call: LlmCall) -> str:
        return _units(call.cost_micro)


@admin.register(LlmDay)
class LlmDayAdmin(ReadOnly, _DayAdmin):
    list_display = ("day", "committed", "of_shadows")

    @admin.display(description="spent and set aside", ordering="committed_micro")
    def committed(self, day: LlmDay) -> str:
        return _units(day.committed_micro)

    @admin.display(description="of it for shadows", ordering="shadow_micro")
    def of_shadows(self, day: LlmDay) -> str:
        return _units(day.shadow_micro)
