"""For support: the queue of what a person has to decide or look after, by when."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.timezone import get_current_timezone

from foundation import clock
from foundation.admin import NoteForm, ask, for_each
from orders.admin.finding import FoundById
from orders.admin.orders import link
from orders.models import Case
from orders.services.cases import resolve_case
from orders.services.supporting import return_mismatch


class StateFilter(admin.SimpleListFilter):
    """The queue shows what is open unless somebody asks for more."""

    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("overdue", "overdue"), ("resolved", "resolved"), ("all", "all")]

    def choices(self, changelist: Any) -> Any:
        """With "open" where other filters have "all"."""
        every, *others = super().choices(changelist)
        yield {**every, "display": "open"}
        yield from others

    def queryset(self, request: HttpRequest, queryset: QuerySet[Case]) -> QuerySet[Case]:
        match self.value():
            case "all":
                return queryset
            case "resolved":
                return queryset.filter(resolved_at__isnull=False)
            case "overdue":
                return queryset.filter(resolved_at__isnull=True, due_at__lte=clock.now())
        return queryset.filter(resolved_at__isnull=True)


@admin.register(Case)
class CaseAdmin(FoundById):
    change_form_template = "admin/orders/case/change_form.html"
    list_display = ("due", "code", "order_link", "order_status", "note", "resolved_at")
    list_display_links = ("code",)
    list_filter = (StateFilter, "kind")
    list_select_related = ("order",)
    looked_up = ("id", "order_id", "key")
    search_help_text = "Id of a case or an order, or the key of a matter"
    ordering = ("due_at", "id")
    list_per_page = 50
    actions = ("resolve", "give_back")
    fields = (
        *("id", "kind", "key", "order_link", "order_status", "note", "opened_at", "due"),
        *("resolved_at", "resolved_by", "resolution"),
    )
    readonly_fields = fields

    def get_queryset(self, request: HttpRequest) -> QuerySet[Case]:
        rows: QuerySet[Case] = super().get_queryset(request)
        return rows.defer("order__address", "order__terms")

    def has_act_permission(self, request: HttpRequest) -> bool:
        """Who may "change" cases resolves them; nobody edits a row."""
        return bool(request.user.has_perm("orders.change_case"))

    def has_money_permission(self, request: HttpRequest) -> bool:
        """Money goes back by those who may act on orders."""
        return bool(request.user.has_perm("orders.change_order"))

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        case = Case.objects.filter(id=object_id).first()
        steps = []
        if case is not None and case.resolved_at is None:
            if case.kind == Case.Kind.PAYMENT_MISMATCH and self.has_money_permission(request):
                steps.append(("give_back", "Return the money…"))
            if self.has_act_permission(request):
                steps.append(("resolve", "Resolve…"))
        return super().change_view(request, object_id, form_url, {**(extra_context or {}), "steps": steps})

    @admin.display(description="kind", ordering="kind")
    def code(self, case: Case) -> str:
        return str(case.kind)

    @admin.display(description="order", ordering="order_id")
    def order_link(self, case: Case) -> str:
        """Where it is decided."""
        return link("order", case.order_id)

    @admin.display(description="order is")
    def order_status(self, case: Case) -> str:
        return str(case.order.status)

    @admin.display(description="due", ordering="due_at")
    def due(self, case: Case) -> str:
        if case.resolved_at is None and case.due_at <= clock.now():
            late = clock.now() - case.due_at
            days, hours = late.days, late.seconds // 3600
            return format_html(
                '<strong style="color: var(--error-fg)">overdue by {} d {} h</strong>', days, hours
            )
        return date_format(case.due_at.astimezone(get_current_timezone()), "DATETIME_FORMAT")

    @admin.action(description="Resolve…", permissions=["act"])
    def resolve(self, request: HttpRequest, chosen: QuerySet[Case]) -> HttpResponse | None:
        form, page = ask(request, NoteForm, chosen, "Resolve, without doing anything to the order")
        if page is not None:
            return page
        note = form.cleaned_data["note"]

        def act(case: Case) -> None:
            resolve_case(case_id=case.id, staff_id=str(request.user.pk), resolution=note, now=clock.now())

        for_each(self, request, chosen, act, f"Resolved. {note}")
        return None

    @admin.action(description="Return money that is not the quote's…", permissions=["money"])
    def give_back(self, request: HttpRequest, chosen: QuerySet[Case]) -> HttpResponse | None:
        mismatches = chosen.filter(kind=Case.Kind.PAYMENT_MISMATCH)
        form, page = ask(
            request, NoteForm, mismatches, "Return to the card what was captured", name=lambda case: case.note
        )
        if page is not None:
            return page
        note = form.cleaned_data["note"]

        def act(case: Case) -> None:
            payment_id = case.key.split(":")[1]
            return_mismatch(
                payment_id=payment_id, staff_id=str(request.user.pk), reason=note, now=clock.now()
            )

        for_each(self, request, mismatches, act, f"Money returned. {note}")
        return None
