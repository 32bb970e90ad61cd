"""For staff and accountants: what audits found, the sealed days, the trial balance and debts by age."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import islice
from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html

from balance.models import AuditFinding, AuditRun, LedgerDay
from balance.models.control import FindingKind
from balance.queries.reports import bucket_totals, list_debts, list_stale, trial_balance
from balance.queries.totals import end_of
from balance.services.ringing import ring_for_audit
from foundation import clock
from foundation.admin import ReadOnly

if TYPE_CHECKING:
    _RunAdmin = admin.ModelAdmin[AuditRun]
    _FindingAdmin = admin.ModelAdmin[AuditFinding]
    _DayAdmin = admin.ModelAdmin[LedgerDay]
    _FindingInline = admin.TabularInline[AuditFinding, AuditRun]
else:  # generic only in the stubs, not at run time
    _RunAdmin = _FindingAdmin = _DayAdmin = admin.ModelAdmin
    _FindingInline = admin.TabularInline

STALE_AFTER_DAYS = 30
MOST_ROWS = 500


class Subject:
    """With a link to what a finding is about."""

    @admin.display(description="about")
    def subject_link(self, finding: AuditFinding) -> str:
        """To the account (where it can be unfrozen), the posting or the day."""
        if finding.kind in (FindingKind.BALANCE_DRIFT, FindingKind.HISTORY_DRIFT):
            url = f"{reverse('admin:balance_ledgeraccount_changelist')}?q={finding.subject}"
        elif finding.kind == FindingKind.EMPTY_POSTING:
            url = reverse("admin:balance_posting_change", args=[finding.subject])
        else:
            url = reverse("admin:balance_ledgerday_change", args=[finding.subject.replace("-", "_2D")])
        return format_html('<a href="{}">{}</a>', url, finding.subject)


class FindingInline(Subject, ReadOnly, _FindingInline):
    model = AuditFinding
    fields = ("kind", "subject_link", "expected", "found")
    readonly_fields = fields
    extra = 0


@admin.register(AuditRun)
class AuditRunAdmin(ReadOnly, _RunAdmin):
    change_list_template = "admin/balance/audit_runs.html"
    list_display = ("id", "started_at", "finished_at", "accounts", "transfers", "findings")
    ordering = ("-id",)
    show_full_result_count = False
    fields = list_display
    readonly_fields = fields
    inlines = (FindingInline,)

    def has_audit_permission(self, request: HttpRequest) -> bool:
        """Who may "add" runs may ask for one."""
        return bool(request.user.has_perm("balance.add_auditrun"))

    def get_urls(self) -> list[URLPattern]:
        """Before the admin's own, of which one takes any path for an id."""
        page = path("audit-now/", self.admin_site.admin_view(self.audit_now), name="balance_audit_now")
        return [page, *super().get_urls()]

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """With a button."""
        may_audit = self.has_audit_permission(request)
        return super().changelist_view(request, {**(extra_context or {}), "may_audit": may_audit})

    def audit_now(self, request: HttpRequest) -> HttpResponse:
        """Ring for the nightly task: a long ledger takes longer than a page may."""
        if not self.has_audit_permission(request):
            raise PermissionDenied
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        ring_for_audit()
        self.message_user(request, "An audit was asked for; its two runs stand here when they are done.")
        return HttpResponseRedirect(reverse("admin:balance_auditrun_changelist"))


@admin.register(AuditFinding)
class AuditFindingAdmin(Subject, ReadOnly, _FindingAdmin):
    list_display = ("id", "code", "subject_link", "expected", "found", "run")
    list_filter = ("kind",)
    search_fields = ("=subject",)
    search_help_text = "Id of an account or posting, or a day"
    ordering = ("-id",)
    list_select_related = ("run",)
    show_full_result_count = False
    fields = ("kind", "subject_link", "expected", "found", "run")
    readonly_fields = fields

    @admin.display(description="kind", ordering="kind")
    def code(self, finding: AuditFinding) -> str:
        return str(finding.kind)


@admin.register(LedgerDay)
class LedgerDayAdmin(ReadOnly, _DayAdmin):
    """Sealed days; the reports that are made of them have their links here."""

    change_list_template = "admin/balance/ledger_days.html"
    list_display = ("day", "postings", "transfers", "short_hash", "sealed_at")
    ordering = ("-day",)
    show_full_result_count = False
    fields = ("day", "postings", "transfers", "previous_hash", "hash", "sealed_at")
    readonly_fields = fields

    def get_urls(self) -> list[URLPattern]:
        """Before the admin's own, of which one takes any path for an id."""
        view = self.admin_site.admin_view
        return [
            path("trial-balance/", view(self.trial_balance), name="balance_trial_balance"),
            path("aging/", view(self.aging), name="balance_aging"),
            *super().get_urls(),
        ]

    @admin.display(description="hash")
    def short_hash(self, day: LedgerDay) -> str:
        return f"{day.hash[:16]}…"

    def trial_balance(self, request: HttpRequest) -> HttpResponse:
        """As of now, or with all of ``?day=`` (UTC)."""
        day, now = _day(request.GET.get("day", "")), clock.now()
        balances = trial_balance(now if day is None else end_of(day, now))
        context = {
            "title": "Trial balance",
            "day": "" if day is None else day.isoformat(),
            "balances": [
                {
                    "balance": balance,
                    "categories": [(c.value, total) for c, total in balance.by_category().items()],
                }
                for balance in balances
            ],
        }
        return self._page(request, "admin/balance/trial_balance.html", context)

    def aging(self, request: HttpRequest) -> HttpResponse:
        """Debts by age, and money that has not moved on for ``?days=``."""
        now = clock.now()
        text = request.GET.get("days", "")
        days = int(text) if text.isascii() and text.isdecimal() and len(text) <= 4 else STALE_AFTER_DAYS
        debts = list(list_debts(now))
        context = {
            "title": "Debts and old money",
            "totals": bucket_totals(debts),
            "debts": sorted(debts, key=lambda debt: debt.since)[:MOST_ROWS],
            "days": days,
            "stale": list(islice(list_stale(now, older_than=timedelta(days=days)), MOST_ROWS)),
            "most": MOST_ROWS,
        }
        return self._page(request, "admin/balance/aging.html", context)

    def _page(self, request: HttpRequest, template: str, context: dict[str, Any]) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        common = {**self.admin_site.each_context(request), "opts": self.opts}
        return TemplateResponse(request, template, {**common, **context})


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None
