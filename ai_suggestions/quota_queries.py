"""Reading of quotas: the newest row of a plan, or else the settings."""

from __future__ import annotations

from dataclasses import dataclass

from django.conf import settings

from ai_suggestions.limit_tables import PlanQuota


@dataclass(frozen=True, slots=True)
class Quota:
    """What a member of a plan may use in a day (UTC)."""

    runs: int
    llm_calls: int


def quota_of(plan: str) -> Quota:
    """What counts at this moment, in one indexed statement."""
    newest = PlanQuota.objects.filter(plan=plan).order_by("-version").first()
    if newest is None or not newest.is_active:
        return Quota(settings.SUGGESTION_RUNS_PER_DAY[plan], settings.SUGGESTION_LLM_CALLS_PER_DAY[plan])
    return Quota(newest.runs_per_day, newest.llm_calls_per_day)
