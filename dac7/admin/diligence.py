"""For tax staff: how the year stands, who was asked and what happened, and the log of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path

from dac7.models import (
    ClosedAccount,
    DiligenceEvent,
    InformationRequest,
    LateChange,
    QuarterCheck,
    SellerYear,
)
from dac7.quarters import local_date
from dac7.queries.overview import get_overview
from dac7.services import diligence
from dac7.services.watching import rules_now
from dac7.tasks import enforce_stops
from foundation import clock
from foundation.admin import NoteForm, ReadOnly, ask, for_each
from foundation.doorbell import ring_after_commit

if TYPE_CHECKING:
    _SellerYearAdmin = admin.ModelAdmin[SellerYear]
    _RequestAdmin = admin.ModelAdmin[InformationRequest]
    _EventAdmin = admin.ModelAdmin[DiligenceEvent]
    _CheckAdmin = admin.ModelAdmin[QuarterCheck]
    _ChangeAdmin = admin.ModelAdmin[LateChange]
    _EventInline = admin.TabularInline[DiligenceEvent, InformationRequest]
    _ClosedInline = admin.TabularInline[ClosedAccount, InformationRequest]
else:  # generic only in the stubs, not at run time
    _SellerYearAdmin = _RequestAdmin = _EventAdmin = _CheckAdmin = _ChangeAdmin = admin.ModelAdmin
    _EventInline = _ClosedInline = admin.TabularInline


@admin.register(SellerYear)
class SellerYearAdmin(ReadOnly, _SellerYearAdmin):
    """Sellers by how near they are; the overview of a year has its link here."""

    change_list_template = "admin/dac7/seller_years.html"
    list_display = ("member_id", "year", "standing", "activities", "euros", "read_at")
    list_filter = ("year", "standing")
    search_fields = ("=member__id",)
    search_help_text = "Id of a member"
    ordering = ("-year", "-activities", "id")
    show_full_result_count = False
    fields = list_display
    readonly_fields = fields

    def get_urls(self) -> list[URLPattern]:
        """Before the admin's own, of which one takes any path for an id."""
        view = self.admin_site.admin_view
        return [path("overview/", view(self.overview), name="dac7_overview"), *super().get_urls()]

    def overview(self, request: HttpRequest) -> HttpResponse:
        """A year, ``?year=``: who is near, who was asked, what was compiled and filed.

        Without it the one that there is most to do for: until 31 January the last one.
        """
        if not self.has_view_permission(request):
            raise PermissionDenied
        now = clock.now()
        this_year, rules = rules_now(now)
        in_january = local_date(now, rules.time_zone).month == 1
        text = request.GET.get("year", "")
        year = int(text) if text.isascii() and text.isdecimal() and len(text) == 4 else this_year - in_january
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": f"DAC7 in {year}",
            "year": year,
            "before": year - 1,
            "after": year + 1,
            "overview": get_overview(year, rules.time_zone, now),
        }
        return TemplateResponse(request, "admin/dac7/overview.html", context)


class EventInline(ReadOnly, _EventInline):
    model = DiligenceEvent
    fields = ("happened_at", "verb", "source", "target", "actor", "notice", "notice_params", "note")
    readonly_fields = fields
    extra = 0


class ClosedInline(ReadOnly, _ClosedInline):
    model = ClosedAccount
    fields = ("member_id", "found_by", "closed_at", "opened_at")
    readonly_fields = fields
    extra = 0


@admin.register(InformationRequest)
class InformationRequestAdmin(ReadOnly, _RequestAdmin):
    """The queue: what is open first, the longest asked first."""

    list_display = ("member_id", "year", "status", "requested_at", "due_at", "ended_at")
    list_filter = ("status", "year")
    search_fields = ("=id", "=member__id")
    search_help_text = "Id of a request or a member"
    ordering = ("-is_open", "requested_at", "id")
    show_full_result_count = False
    fields = ("id", *list_display, "withdrawals_held_by", "selling_stopped_by")
    readonly_fields = fields
    inlines = (ClosedInline, EventInline)
    actions = ("bar_selling", "close_accounts", "drop_requests")

    def has_decide_permission(self, request: HttpRequest) -> bool:
        """Rows are not edited, but whoever may "change" them may decide."""
        return bool(request.user.has_perm("dac7.change_informationrequest"))

    @admin.action(description="Stop selling as well", permissions=["decide"])
    def bar_selling(self, request: HttpRequest, chosen: QuerySet[InformationRequest]) -> HttpResponse | None:
        """Withdrawals are held already, and there is no answer."""
        return self._decide(request, chosen, diligence.bar_selling, "Stop selling as well")

    @admin.action(description="Close the account, and every other of the person", permissions=["decide"])
    def close_accounts(
        self, request: HttpRequest, chosen: QuerySet[InformationRequest]
    ) -> HttpResponse | None:
        """Until the answer; instead of withholding for ever."""
        return self._decide(request, chosen, diligence.close_account, "Close the account")

    @admin.action(description="Drop: nothing had to be asked", permissions=["decide"])
    def drop_requests(
        self, request: HttpRequest, chosen: QuerySet[InformationRequest]
    ) -> HttpResponse | None:
        """Whatever was held is let go."""
        return self._decide(request, chosen, diligence.drop_request, "Drop the request")

    def _decide(
        self,
        request: HttpRequest,
        chosen: QuerySet[InformationRequest],
        verb: diligence.Decide,
        title: str,
    ) -> HttpResponse | None:
        form, page = ask(request, NoteForm, chosen, title)
        if page is not None:
            return page
        note, staff_id, now = form.cleaned_data["note"], str(request.user.pk), clock.now()
        for_each(
            self,
            request,
            chosen,
            lambda row: verb(request_id=row.id, staff_id=staff_id, note=note, now=now),
            f"{title}. {note}",
        )
        ring_after_commit(enforce_stops)
        return None


@admin.register(DiligenceEvent)
class DiligenceEventAdmin(ReadOnly, _EventAdmin):
    list_display = ("happened_at", "member_id", "year", "verb", "source", "target", "actor", "notice")
    list_filter = ("verb", "year")
    search_fields = ("=member__id", "=request__id")
    search_help_text = "Id of a member or a request"
    ordering = ("-id",)
    show_full_result_count = False
    fields = (*list_display, "request", "notice_params", "note")
    readonly_fields = fields


@admin.register(LateChange)
class LateChangeAdmin(ReadOnly, _ChangeAdmin):
    """Whose sales of a year that is over were changed, the latest first."""

    list_display = ("member_id", "year", "changed_at")
    list_filter = ("year",)
    search_fields = ("=member__id",)
    search_help_text = "Id of a member"
    show_full_result_count = False
    fields = list_display
    readonly_fields = fields


@admin.register(QuarterCheck)
class QuarterCheckAdmin(ReadOnly, _CheckAdmin):
    list_display = ("year", "quarter", "made_at", "sellers", "over", "near", "incomplete")
    ordering = ("-year", "-quarter")
    fields = list_display
    readonly_fields = fields
