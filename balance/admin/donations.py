"""For staff: donations, and the monthly payments to charities. IBANs stay masked."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.db.models import F, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html

from balance.ibans import masked
from balance.models import (
    Donation,
    DonationSetting,
    DonationSettlement,
    DonationSettlementCase,
)
from balance.queries.donations import iterate_settled
from balance.services import donation_settlements
from balance.services.donation_payouts import amount_of
from foundation import clock
from foundation.admin import NoteForm, ReadOnly, ask, for_each
from foundation.money import Money

if TYPE_CHECKING:
    _SettingAdmin = admin.ModelAdmin[DonationSetting]
    _DonationAdmin = admin.ModelAdmin[Donation]
    _SettlementAdmin = admin.ModelAdmin[DonationSettlement]
    _CaseAdmin = admin.ModelAdmin[DonationSettlementCase]
    _OfSettlement = admin.TabularInline[Any, DonationSettlement]
else:  # generic only in the stubs, not at run time
    _SettingAdmin = _DonationAdmin = _SettlementAdmin = _CaseAdmin = admin.ModelAdmin
    _OfSettlement = admin.TabularInline


@admin.register(DonationSetting)
class DonationSettingAdmin(ReadOnly, _SettingAdmin):
    """What members gave of their sales, and when they changed it."""

    list_display = ("id", "member_id", "version", "percent", "charity", "set_at")
    search_fields = ("=member__id", "=charity__id")
    list_select_related = ("charity",)
    ordering = ("-id",)
    show_full_result_count = False
    fields = list_display
    readonly_fields = fields


@admin.register(Donation)
class DonationAdmin(ReadOnly, _DonationAdmin):
    list_display = ("id", "kind", "status", "amount", "charity", "member_id", "sale", "given_at", "ended_at")
    list_filter = ("status", "kind", "currency")
    search_fields = ("=id", "=member__id", "=charity__id", "=sale", "=settlement__id")
    list_select_related = ("charity",)
    ordering = ("-id",)
    show_full_result_count = False
    fields = (*list_display, "settlement")
    readonly_fields = fields

    @admin.display(description="amount", ordering="amount_minor")
    def amount(self, donation: Donation) -> str:
        return str(Money(donation.amount_minor, donation.currency))


class SettlementCaseInline(ReadOnly, _OfSettlement):
    model = DonationSettlementCase
    fields = ("reference", "kind", "detail", "opened_at", "closed_at", "closed_by", "note")
    readonly_fields = fields
    ordering = ("id",)
    extra = 0


class CaseFilter(admin.SimpleListFilter):
    title = "attention"
    parameter_name = "attention"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("case", "with an open case")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() == "case":
            open_cases = DonationSettlementCase.objects.filter(closed_at__isnull=True)
            return queryset.filter(id__in=open_cases.values("settlement_id"))
        return queryset


@admin.register(DonationSettlement)
class DonationSettlementAdmin(ReadOnly, _SettlementAdmin):
    list_display = (
        *("id", "charity", "month", "status", "reason", "amount", "donations", "provider", "round"),
        *("sent_at", "ended_at", "statement"),
    )
    list_filter = ("status", CaseFilter, "month", "currency")
    search_fields = ("=id", "=charity__id", "=reference", "=provider_id")
    list_select_related = ("charity", "bank_account")
    ordering = ("-id",)
    actions = ("retry_settlements", "confirm_settlements", "deny_settlements")
    inlines = (SettlementCaseInline,)
    fields = (
        *("id", "charity", "month", "status", "reason", "amount", "donations", "statement", "shown_iban"),
        *("provider", "provider_id", "round", "reference", "attempts", "next_call_at"),
        *("opened_at", "sent_at", "ended_at"),
    )
    readonly_fields = fields

    def has_act_permission(self, request: HttpRequest) -> bool:
        """Who may "change" settlements may use the actions; nobody edits a row."""
        return request.user.has_perm("balance.change_donationsettlement")

    @admin.display(description="amount", ordering="amount_minor")
    def amount(self, settlement: DonationSettlement) -> str:
        return str(amount_of(settlement))

    @admin.display(description="to")
    def shown_iban(self, settlement: DonationSettlement) -> str:
        account = settlement.bank_account
        return "" if account is None else masked(account.country, account.last_four)

    @admin.display(description="statement")
    def statement(self, settlement: DonationSettlement) -> str:
        url = reverse("admin:balance_donationsettlement_statement", args=[settlement.id])
        return format_html('<a href="{}">CSV</a>', url)

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.statement_csv)
        name = "balance_donationsettlement_statement"
        return [path("<path:settlement_id>/statement.csv", view, name=name), *super().get_urls()]

    def statement_csv(self, request: HttpRequest, settlement_id: str) -> StreamingHttpResponse:
        """What the charity is told: each donation and the sum, and nothing of who gave it."""
        settlement = self.get_object(request, settlement_id)
        if settlement is None or not self.has_view_permission(request, settlement):
            raise Http404
        name = f"donations-{settlement.month}-{settlement.id}.csv"
        return StreamingHttpResponse(
            _csv_lines(settlement),
            content_type="text/csv; charset=utf-8",
            headers={"Content-Disposition": f'attachment; filename="{name}"'},
        )

    @admin.action(description="Pay what failed again…", permissions=["act"])
    def retry_settlements(
        self, request: HttpRequest, chosen: QuerySet[DonationSettlement]
    ) -> HttpResponse | None:
        return self._act(request, chosen, donation_settlements.retry_settlement, "Pay again")

    @admin.action(description="Mark paid: it is on the bank statement…", permissions=["act"])
    def confirm_settlements(
        self, request: HttpRequest, chosen: QuerySet[DonationSettlement]
    ) -> HttpResponse | None:
        return self._act(request, chosen, donation_settlements.confirm_settlement, "Mark paid")

    @admin.action(description="Mark failed: it is not on the bank statement…", permissions=["act"])
    def deny_settlements(
        self, request: HttpRequest, chosen: QuerySet[DonationSettlement]
    ) -> HttpResponse | None:
        return self._act(request, chosen, donation_settlements.deny_settlement, "Mark failed")

    def _act(
        self,
        request: HttpRequest,
        chosen: QuerySet[DonationSettlement],
        verb: Callable[..., None],
        title: str,
    ) -> HttpResponse | None:
        form, page = ask(request, NoteForm, chosen, title, name=self.amount)
        if page is not None:
            return page
        note = form.cleaned_data["note"]

        def act(settlement: DonationSettlement) -> None:
            verb(settlement_id=settlement.id, staff_id=str(request.user.pk), note=note, now=clock.now())

        for_each(self, request, chosen, act, f"{title}. {note}")
        return None


class _Line:
    """What csv.writer writes to: gives each line back."""

    def write(self, line: str) -> str:
        return line


def _csv_lines(settlement: DonationSettlement) -> Iterator[str]:
    writer = csv.writer(_Line())
    yield writer.writerow(["donation", "given_at", "kind", "amount", "currency"])
    total = Money(0, settlement.currency)
    for id_, given_at, kind, amount in iterate_settled(settlement.id):
        total = total + amount
        yield writer.writerow([id_, given_at.isoformat(), kind, f"{amount.amount:f}", amount.currency])
    yield writer.writerow(["total", "", "", f"{total.amount:f}", total.currency])


@admin.register(DonationSettlementCase)
class DonationSettlementCaseAdmin(ReadOnly, _CaseAdmin):
    list_display = (
        *("id", "kind", "settlement_link", "reference", "detail"),
        *("opened_at", "closed_at", "closed_by"),
    )
    list_filter = ("kind", ("closed_at", admin.EmptyFieldListFilter))
    search_fields = ("=id", "=settlement__id", "=reference")
    ordering = (F("closed_at").asc(nulls_first=True), "-id")
    actions = ("close_cases",)
    fields = (*list_display, "note")
    readonly_fields = fields

    def has_act_permission(self, request: HttpRequest) -> bool:
        """As for settlements."""
        return request.user.has_perm("balance.change_donationsettlementcase")

    @admin.display(description="settlement")
    def settlement_link(self, case: DonationSettlementCase) -> str:
        url = reverse("admin:balance_donationsettlement_change", args=[case.settlement_id])
        return format_html('<a href="{}">{}</a>', url, case.settlement_id)

    @admin.action(description="Close…", permissions=["act"])
    def close_cases(
        self, request: HttpRequest, chosen: QuerySet[DonationSettlementCase]
    ) -> HttpResponse | None:
        form, page = ask(request, NoteForm, chosen, "Close these cases")
        if page is not None:
            return page
        note = form.cleaned_data["note"]

        def close(case: DonationSettlementCase) -> None:
            donation_settlements.close_settlement_case(
                case_id=case.id, staff_id=str(request.user.pk), note=note, now=clock.now()
            )

        for_each(self, request, chosen, close, f"Closed. {note}")
        return None
