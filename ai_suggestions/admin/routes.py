"""For staff: which provider answers for which listings. Routing is data, and every version of it is kept."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.conf import settings
from django.contrib import admin
from django.http import HttpRequest
from django.utils.html import format_html_join

from ai_suggestions import services
from ai_suggestions.llm.combined import DEFAULT_RULES
from ai_suggestions.providers import CASCADE, asks_llm, provider_names
from ai_suggestions.routing_tables import ProviderRoute, RouteVersion
from foundation import clock
from foundation.admin import ReadOnly
from members.queries import list_markets, list_plans

if TYPE_CHECKING:
    _RouteAdmin = admin.ModelAdmin[ProviderRoute]
    _RouteForm = forms.ModelForm[ProviderRoute]
    _VersionInline = admin.TabularInline[RouteVersion, ProviderRoute]
else:  # generic only in the stubs, not at run time
    _RouteAdmin = admin.ModelAdmin
    _RouteForm = forms.ModelForm
    _VersionInline = admin.TabularInline


RULED = tuple(DEFAULT_RULES)
"""The fields that an LLM may answer."""


class RulesWidget(forms.MultiWidget):
    """A line for each field that an LLM may answer: whether, and below which confidence it is asked."""

    template_name = "admin/ai_suggestions/rules.html"

    def __init__(self) -> None:
        number = {"step": "0.01", "min": "0", "max": "1", "style": "width: 6em"}
        super().__init__([w for _ in RULED for w in (forms.CheckboxInput(), forms.NumberInput(number))])

    def decompress(self, value: dict[str, float | None] | None) -> list[Any]:
        """From the stored rules; without any, those that count where no route says otherwise."""
        rules = value or {field.value: below for field, below in DEFAULT_RULES.items()}
        return [part for field in RULED for part in (field.value in rules, rules.get(field.value))]

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        context = super().get_context(name, value, attrs)
        inputs = context["widget"]["subwidgets"]
        context["lines"] = list(zip((field.value for field in RULED), inputs[::2], inputs[1::2], strict=True))
        return context


class RulesField(forms.MultiValueField):
    """``llm_fields`` of a route."""

    def __init__(self) -> None:
        parts: list[forms.Field] = []
        for _ in RULED:
            parts += [forms.BooleanField(required=False), forms.FloatField(min_value=0.0, max_value=1.0)]
        super().__init__(
            parts, widget=RulesWidget(), required=False, require_all_fields=False, label="Fields for the LLM"
        )
        for part in self.fields:
            part.required = False

    def compress(self, data_list: list[Any]) -> dict[str, float | None]:
        """As it is stored."""
        parts = data_list or [None] * (2 * len(RULED))
        lines = zip(RULED, parts[::2], parts[1::2], strict=True)
        return {field.value: below for field, may, below in lines if may}


def _providers(*, none: bool = False) -> list[tuple[str, str]]:
    names = [(name, name) for name in provider_names()]
    return [("", "none"), *names] if none else names


class RouteForm(_RouteForm):
    """Refuses what cannot work."""

    provider = forms.ChoiceField(choices=_providers, initial=lambda: settings.SUGGESTIONS_PROVIDER)
    shadow_provider = forms.ChoiceField(
        choices=lambda: _providers(none=True), required=False, label="Shadow provider"
    )
    plan = forms.ChoiceField(
        choices=lambda: [("", "every plan"), *((plan, plan) for plan in list_plans())], required=False
    )
    llm_fields = RulesField()

    class Meta:
        model = ProviderRoute
        fields = (
            *("position", "country", "plan", "share", "provider", "llm_fields"),
            *("shadow_provider", "shadow_share", "shadow_daily_cap", "is_active", "note"),
        )

    def clean_country(self) -> str:
        country = str(self.cleaned_data["country"]).upper()
        if country and country not in {market.code for market in list_markets()}:
            raise forms.ValidationError("There is no such market.")
        return country

    def clean(self) -> dict[str, Any]:
        """Adds an error to each input that cannot work; rules without a cascade are dropped."""
        given: dict[str, Any] = super().clean() or self.cleaned_data
        shadow, share = given.get("shadow_provider", ""), given.get("shadow_share") or 0
        if bool(shadow) != (1 <= share <= 100):
            self.add_error("shadow_share", "A shadow and a share from 1 to 100 go together.")
        if shadow and shadow == given.get("provider"):
            self.add_error("shadow_provider", "It would say the same as the provider.")
        if asks_llm(shadow) and given.get("shadow_daily_cap") is None:
            self.add_error("shadow_daily_cap", "Say what shadows that ask an LLM may cost on a day.")
        if CASCADE not in (given.get("provider"), shadow):
            given["llm_fields"] = {}
        elif all(below is None for below in given.get("llm_fields", {}).values()):
            self.add_error("llm_fields", "Name at least one field for which the LLM is asked.")
        return given


class VersionInline(ReadOnly, _VersionInline):
    """The route's history: what counted from when on."""

    model = RouteVersion
    fields = (
        *("version", "changed_at", "changed_by", "listings", "provider", "rules", "shadow"),
        *("is_active", "note"),
    )
    readonly_fields = fields
    ordering = ("-version",)
    extra = 0
    max_num = 0
    verbose_name_plural = "versions"

    @admin.display(description="listings")
    def listings(self, version: RouteVersion) -> str:
        return f"{version.share} % of {version.country or 'every market'}, {version.plan or 'every plan'}"

    @admin.display(description="LLM, asked below")
    def rules(self, version: RouteVersion) -> str:
        return format_html_join(
            "",
            "{} {}<br>",
            ((field, "along" if below is None else below) for field, below in version.llm_fields.items()),
        )

    @admin.display(description="shadow")
    def shadow(self, version: RouteVersion) -> str:
        if not version.shadow_provider:
            return "-"
        cap = "" if version.shadow_daily_cap is None else f", {version.shadow_daily_cap} a day"
        return f"{version.shadow_provider}, {version.shadow_share} %{cap}"


@admin.register(ProviderRoute)
class ProviderRouteAdmin(_RouteAdmin):
    """Who changed what is in each row's history and in its versions. A route is switched off, not deleted."""

    form = RouteForm
    list_display = (
        *("position", "country", "plan", "share", "provider", "shadow_provider", "shadow_share"),
        *("is_active", "version", "note", "changed_at"),
    )
    list_display_links = ("position", "provider")
    list_filter = ("is_active", "provider")
    ordering = ("position",)
    inlines = (VersionInline,)
    fieldsets = (
        ("Which listings", {"fields": ("position", "country", "plan", "share", "is_active", "note")}),
        ("Who answers", {"fields": ("provider",)}),
        (
            f"Cascade ({CASCADE})",
            {
                "description": (
                    "The LLM is asked when a field has no value, or one with a confidence below the number "
                    "(0: only without a value). Without a number the field is answered along with others."
                ),
                "fields": ("llm_fields",),
            },
        ),
        (
            "Shadow",
            {
                "description": (
                    "Looks at the same photos after the run has ended. Sellers never see what it says."
                ),
                "fields": ("shadow_provider", "shadow_share", "shadow_daily_cap"),
            },
        ),
    )

    def has_delete_permission(self, request: HttpRequest, obj: ProviderRoute | None = None) -> bool:
        return False

    def get_inlines(self, request: HttpRequest, obj: ProviderRoute | None) -> list[type[Any]]:
        return [VersionInline] if obj is not None else []

    def save_model(self, request: HttpRequest, obj: ProviderRoute, form: Any, change: bool) -> None:
        services.keep_route(obj, changed_by=str(request.user.pk), now=clock.now())
