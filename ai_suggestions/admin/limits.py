"""For staff: what the LLM may cost, when it is left alone, and what plans may use. Each change is a row."""

from __future__ import annotations

from dataclasses import asdict
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django import forms
from django.conf import settings
from django.contrib import admin
from django.http import HttpRequest

from ai_suggestions import services
from ai_suggestions.limit_tables import LimitVersion, LlmPolicy, PlanQuota
from ai_suggestions.llm.policy import current_policy
from ai_suggestions.quota_queries import quota_of
from foundation import clock
from members.queries import list_plans

if TYPE_CHECKING:
    _PolicyAdmin = admin.ModelAdmin[LlmPolicy]
    _QuotaAdmin = admin.ModelAdmin[PlanQuota]
    _PolicyForm = forms.ModelForm[LlmPolicy]
    _QuotaForm = forms.ModelForm[PlanQuota]
else:  # generic only in the stubs, not at run time
    _PolicyAdmin = _QuotaAdmin = admin.ModelAdmin
    _PolicyForm = _QuotaForm = forms.ModelForm

_KEPT = ("version", "changed_at", "changed_by")
_WHY = ("is_active", "note")


class AddOnly:
    """A change is another row. The rows that counted before stay as they were."""

    def has_change_permission(self, request: HttpRequest, obj: LimitVersion | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: LimitVersion | None = None) -> bool:
        return False


class LlmPolicyForm(_PolicyForm):
    """Refuses what cannot work."""

    class Meta:
        model = LlmPolicy
        fields = (
            *("daily_budget", "input_price", "cached_price", "output_price"),
            *("failures", "within_s", "pause_s", "longest_pause_s", "probe_s", *_WHY),
        )

    def clean_probe_s(self) -> int:
        seconds = int(self.cleaned_data["probe_s"])
        if seconds <= settings.LLM_TIMEOUT_S:
            raise forms.ValidationError(f"A call may take {settings.LLM_TIMEOUT_S:g} s: give it longer.")
        return seconds


class PlanQuotaForm(_QuotaForm):
    """Plans are those that members have."""

    plan = forms.ChoiceField(choices=lambda: [(plan, plan) for plan in list_plans()])

    class Meta:
        model = PlanQuota
        fields = ("plan", "runs_per_day", "llm_calls_per_day", *_WHY)


@admin.register(LlmPolicy)
class LlmPolicyAdmin(AddOnly, _PolicyAdmin):
    """The first row counts; without one, or when it is switched off, the settings do."""

    form = LlmPolicyForm
    readonly_fields = _KEPT
    list_display = (
        *("version", "is_active", "daily_budget", "input_price", "cached_price", "output_price"),
        *("circuit", "note", "changed_by", "changed_at"),
    )
    ordering = ("-version",)
    fieldsets = (
        ("Money", {"fields": ("daily_budget", "input_price", "cached_price", "output_price")}),
        ("Circuit", {"fields": ("failures", "within_s", "pause_s", "longest_pause_s", "probe_s")}),
        ("Why", {"fields": (*_WHY, *_KEPT)}),
    )

    @admin.display(description="circuit")
    def circuit(self, policy: LlmPolicy) -> str:
        return (
            f"{policy.failures} in {policy.within_s} s, pause {policy.pause_s}-{policy.longest_pause_s} s, "
            f"probe {policy.probe_s} s"
        )

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """What counts now: one number is changed, the others stay."""
        now = current_policy()
        budget = {} if now.limit_micro is None else {"daily_budget": Decimal(now.limit_micro) / 1_000_000}
        prices = {
            "input_price": now.prices.input,
            "cached_price": now.prices.cached_input,
            "output_price": now.prices.output,
        }
        rules = {name: round(value) for name, value in asdict(now.breaker).items()}
        return budget | prices | rules

    def save_model(self, request: HttpRequest, obj: LlmPolicy, form: Any, change: bool) -> None:
        services.keep_llm_policy(obj, changed_by=str(request.user.pk), now=clock.now())


@admin.register(PlanQuota)
class PlanQuotaAdmin(AddOnly, _QuotaAdmin):
    """The first row of a plan counts; without one, or when it is switched off, the settings do."""

    form = PlanQuotaForm
    readonly_fields = _KEPT
    list_display = (
        *("plan", "version", "is_active", "runs_per_day", "llm_calls_per_day"),
        *("note", "changed_by", "changed_at"),
    )
    list_filter = ("plan",)
    ordering = ("plan", "-version")
    fields = ("plan", "runs_per_day", "llm_calls_per_day", *_WHY, *_KEPT)

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """What counts now for the plan of the address, or else for the first one."""
        plans = list_plans()
        plan = request.GET.get("plan")
        plan = plan if plan in plans else plans[0]
        quota = quota_of(plan)
        return {"plan": plan, "runs_per_day": quota.runs, "llm_calls_per_day": quota.llm_calls}

    def save_model(self, request: HttpRequest, obj: PlanQuota, form: Any, change: bool) -> None:
        services.keep_plan_quota(obj, changed_by=str(request.user.pk), now=clock.now())
