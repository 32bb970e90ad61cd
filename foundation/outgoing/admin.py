"""For staff: subscribers, what was told to whom, and telling it again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from foundation import clock
from foundation.admin import NoteForm, ReadOnly, ask, for_each
from foundation.models import OutgoingEvent, WebhookDelivery, WebhookEndpoint
from foundation.outgoing import endpoints
from foundation.outgoing.delivering import send_again
from foundation.outgoing.errors import EndpointUrlRefused
from foundation.outgoing.network import check_url

if TYPE_CHECKING:
    _EndpointAdmin = admin.ModelAdmin[WebhookEndpoint]
    _EventAdmin = admin.ModelAdmin[OutgoingEvent]
    _DeliveryAdmin = admin.ModelAdmin[WebhookDelivery]
    _Inline = admin.TabularInline[WebhookDelivery, OutgoingEvent]
    _EndpointForm = forms.ModelForm[WebhookEndpoint]
else:  # generic only in the stubs, not at run time
    _EndpointAdmin = _EventAdmin = _DeliveryAdmin = admin.ModelAdmin
    _Inline = admin.TabularInline
    _EndpointForm = forms.ModelForm


class EndpointForm(_EndpointForm):
    kinds = forms.CharField(
        required=False,
        help_text="Kinds of events, separated by blanks: order.paid order.completed. Empty: all.",
    )

    class Meta:
        model = WebhookEndpoint
        fields = ("url", "description", "kinds", "active")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial["kinds"] = " ".join(self.instance.kinds)

    def clean_url(self) -> str:
        url = str(self.cleaned_data["url"])
        try:
            check_url(url)
        except EndpointUrlRefused as error:
            raise forms.ValidationError(error.detail) from None
        return url

    def clean_kinds(self) -> list[str]:
        return str(self.cleaned_data["kinds"]).split()


@admin.register(WebhookEndpoint)
class WebhookEndpointAdmin(_EndpointAdmin):
    form = EndpointForm
    list_display = ("id", "url", "description", "active", "failures", "resting_until", "created_at")
    list_filter = ("active",)
    ordering = ("-id",)
    actions = ("show_secret", "renew_secret")

    def has_delete_permission(self, request: HttpRequest, obj: WebhookEndpoint | None = None) -> bool:
        return False  # what was told to it stays; switch it off

    def save_model(self, request: HttpRequest, obj: WebhookEndpoint, form: Any, change: bool) -> None:
        given = {name: form.cleaned_data[name] for name in ("url", "kinds", "description")}
        if change:
            endpoints.change_endpoint(endpoint_id=obj.id, **given, active=form.cleaned_data["active"])
        else:
            obj.id = endpoints.add_endpoint(**given, now=clock.now())

    @admin.action(description="Show the signing secret")
    def show_secret(self, request: HttpRequest, chosen: QuerySet[WebhookEndpoint]) -> HttpResponse:
        form, page = ask(request, NoteForm, chosen, "Show the signing secret", name=_url)
        if page is not None:
            return page
        shown = list(chosen)
        for endpoint in shown:
            self.log_change(request, endpoint, f"Secret shown: {form.cleaned_data['note']}")
        context = {
            **admin.site.each_context(request),
            "title": "Signing secrets",
            "secrets": [(endpoint.url, endpoint.secret.reveal()) for endpoint in shown],
        }
        return TemplateResponse(request, "foundation/secrets.html", context)

    @admin.action(description="Renew the signing secret (the former one signs beside it)")
    def renew_secret(self, request: HttpRequest, chosen: QuerySet[WebhookEndpoint]) -> HttpResponse | None:
        form, page = ask(request, NoteForm, chosen, "Renew the signing secret", name=_url)
        if page is not None:
            return page
        for_each(
            self,
            request,
            chosen,
            lambda endpoint: endpoints.renew_secret(endpoint_id=endpoint.id),
            f"Secret renewed: {form.cleaned_data['note']}",
        )
        return None


def _url(endpoint: WebhookEndpoint) -> str:
    return endpoint.url


class DeliveryInline(ReadOnly, _Inline):
    model = WebhookDelivery
    fields = ("id", "endpoint", "status", "attempts", "last_status", "last_error", "due_at", "delivered_at")
    readonly_fields = fields
    ordering = ("id",)
    extra = 0


@admin.register(OutgoingEvent)
class OutgoingEventAdmin(ReadOnly, _EventAdmin):
    list_display = ("sequence", "id", "kind", "subject", "occurred_at")
    list_filter = ("kind",)
    search_fields = ("=id", "=subject")
    fields = ("sequence", "id", "kind", "subject", "occurred_at", "fan_out_at", "body")
    readonly_fields = fields
    ordering = ("-sequence",)
    show_full_result_count = False
    inlines = (DeliveryInline,)


@admin.register(WebhookDelivery)
class WebhookDeliveryAdmin(ReadOnly, _DeliveryAdmin):
    list_display = (
        *("id", "event", "endpoint", "status", "attempts"),
        *("last_status", "last_error", "due_at", "delivered_at"),
    )
    list_filter = ("status", "last_status", "last_error")
    list_select_related = ("event", "endpoint")
    search_fields = ("=id", "=subject", "=event__id", "=endpoint__id")
    ordering = ("-id",)
    show_full_result_count = False
    actions = ("send_again",)

    @admin.action(description="Send again")
    def send_again(self, request: HttpRequest, chosen: QuerySet[WebhookDelivery]) -> HttpResponse | None:
        form, page = ask(request, NoteForm, chosen, "Send again")
        if page is not None:
            return page
        now = clock.now()
        for_each(
            self,
            request,
            chosen,
            lambda delivery: send_again(delivery_id=delivery.id, now=now),
            f"Sent again: {form.cleaned_data['note']}",
        )
        return None
