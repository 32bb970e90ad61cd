"""For staff: what was exported for training, and of whom. Nothing here is edited."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib import admin

from ai_suggestions.evaluation.tables import ExportedRun, TrainingExport
from foundation.admin import ReadOnly

if TYPE_CHECKING:
    _ExportAdmin = admin.ModelAdmin[TrainingExport]
    _RunAdmin = admin.ModelAdmin[ExportedRun]
else:  # generic only in the stubs, not at run time
    _ExportAdmin = _RunAdmin = admin.ModelAdmin


@admin.register(TrainingExport)
class TrainingExportAdmin(ReadOnly, _ExportAdmin):
    list_display = ("made_at", "folder", "since_at", "until_at", "decisions", "withheld")
    show_full_result_count = False


@admin.register(ExportedRun)
class ExportedRunAdmin(ReadOnly, _RunAdmin):
    list_display = ("export", "number", "member_id", "listing_id", "consent_version", "photo_count")
    search_fields = ("=member_id", "=listing_id")
    search_help_text = "Id of a member or a listing"
    list_select_related = ("export",)
    show_full_result_count = False

    @admin.display(description="photos")
    def photo_count(self, exported: ExportedRun) -> int:
        return len(exported.photos)
