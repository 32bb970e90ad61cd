"""For staff: what was suggested and why, who answers, what it costs, and what sellers make of it."""

from __future__ import annotations

from ai_suggestions.admin.batches import MemberUsageAdmin, SuggestionBatchAdmin
from ai_suggestions.admin.calibration import CalibrationFigureAdmin
from ai_suggestions.admin.exports import ExportedRunAdmin, TrainingExportAdmin
from ai_suggestions.admin.feedback import AcceptanceAdmin
from ai_suggestions.admin.limits import LlmPolicyAdmin, PlanQuotaAdmin
from ai_suggestions.admin.routes import ProviderRouteAdmin
from ai_suggestions.admin.runs import SuggestionRunAdmin
from ai_suggestions.admin.shadows import ShadowRunAdmin
from ai_suggestions.admin.twins import PhotoCheckAdmin, PhotoTwinAdmin
from ai_suggestions.llm.admin import LlmCallAdmin, LlmDayAdmin

__all__ = [
    "AcceptanceAdmin",
    "CalibrationFigureAdmin",
    "ExportedRunAdmin",
    "LlmCallAdmin",
    "LlmDayAdmin",
    "LlmPolicyAdmin",
    "MemberUsageAdmin",
    "PhotoCheckAdmin",
    "PhotoTwinAdmin",
    "PlanQuotaAdmin",
    "ProviderRouteAdmin",
    "ShadowRunAdmin",
    "SuggestionBatchAdmin",
    "SuggestionRunAdmin",
    "TrainingExportAdmin",
]
