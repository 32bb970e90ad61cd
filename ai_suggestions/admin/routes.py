"""For staff: which provider answers for which listings. Routing is data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from django.utils import timezone

from ai_suggestions.models import ProviderRoute
from ai_suggestions.providers.registry import provider_names
from members.queries import list_markets

if TYPE_CHECKING:
    _RouteAdmin = admin.ModelAdmin[ProviderRoute]
    _RouteForm = forms.ModelForm[ProviderRoute]
else:  # generic only in the stubs, not at run time
    _RouteAdmin = admin.ModelAdmin
    _RouteForm = forms.ModelForm


class RouteForm(_RouteForm):
    """The provider is one of those there are; the country one of the markets."""

    provider = forms.ChoiceField(choices=lambda: [(name, name) for name in provider_names()])

    class Meta:
        model = ProviderRoute
        fields = ("position", "country", "share", "provider", "is_active", "note")

    def clean_country(self) -> str:
        country = str(self.cleaned_data["country"]).upper()
        if country and country not in {market.code for market in list_markets()}:
            raise forms.ValidationError("There is no such market.")
        return country


@admin.register(ProviderRoute)
class ProviderRouteAdmin(_RouteAdmin):
    """Routing is data: who changed what is in each row's history."""

    form = RouteForm
    list_display = ("position", "country", "share", "provider", "is_active", "note", "changed_at")
    list_display_links = ("position", "provider")
    list_filter = ("is_active", "provider")
    ordering = ("position",)

    def save_model(self, request: HttpRequest, obj: ProviderRoute, form: Any, change: bool) -> None:
        obj.changed_at = timezone.now()
        super().save_model(request, obj, form, change)
