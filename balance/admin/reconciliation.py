"""For staff: upload settlement files, look at what differs from the ledger, write down why."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.html import format_html

from balance.errors import SettlementFileInvalid
from balance.lifecycle import OPEN_CASES
from balance.models import SettlementCase, SettlementFile
from balance.services.reconciling import import_settlement, resolve_case
from balance.settlements import COLUMNS, MAX_BYTES
from foundation import clock
from foundation.admin import NoteForm, ReadOnly, ask, for_each
from foundation.money import Money

if TYPE_CHECKING:
    _FileAdmin = admin.ModelAdmin[SettlementFile]
    _CaseAdmin = admin.ModelAdmin[SettlementCase]
else:  # generic only in the stubs, not at run time
    _FileAdmin = _CaseAdmin = admin.ModelAdmin


class UploadForm(forms.Form):
    provider = forms.CharField(
        max_length=30, help_text="As in provider:NAME for cards, as in PAYOUT_PROVIDER for transfers."
    )
    file = forms.FileField(
        help_text=f"camt.053 of a bank, Accounting Report of Adyen, or CSV with {','.join(COLUMNS)}"
    )


@admin.register(SettlementFile)
class SettlementFileAdmin(ReadOnly, _FileAdmin):
    list_display = (
        *("id", "provider", "name", "lines", "paid_out", "fees", "first_at", "last_at"),
        *("imported_by", "imported_at", "cases"),
    )
    list_filter = ("provider", "currency")
    search_fields = ("=id", "=sha256", "name")
    ordering = ("-id",)
    show_full_result_count = False
    fields = (*list_display, "sha256", "posted_as")
    readonly_fields = fields

    def has_add_permission(self, request: HttpRequest, *args: Any) -> bool:
        """Who may "add" settlement files may upload them."""
        return bool(request.user.has_perm("balance.add_settlementfile"))

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Upload a file."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        form = UploadForm(request.POST or None, request.FILES or None)
        if request.method == "POST" and form.is_valid():
            upload = form.cleaned_data["file"]
            try:
                done = import_settlement(
                    provider=form.cleaned_data["provider"],
                    name=upload.name,
                    content=upload.read(MAX_BYTES + 1),
                    actor=f"staff:{request.user.pk}",
                    now=clock.now(),
                )
            except SettlementFileInvalid as error:
                form.add_error(None, [error.detail, *(problem.detail for problem in error.errors[1:])])
            else:
                file = SettlementFile.objects.get(id=done.file_id)
                if done.replayed:
                    self.message_user(request, f"{file} was imported before; nothing was done")
                else:
                    self.log_addition(request, file, [{"added": {}}])
                    found = ", ".join(f"{number} {status}" for status, number in done.cases.items())
                    self.message_user(request, f"{file}: {done.lines} lines, {found or 'no cases'}")
                return HttpResponseRedirect(reverse("admin:balance_settlementfile_changelist"))
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": "Upload a settlement file",
            "words": "It is imported whole or not at all; the same file again changes nothing.",
            "form": form,
        }
        return TemplateResponse(request, "foundation/ask.html", context)

    @admin.display(description="paid out")
    def paid_out(self, file: SettlementFile) -> str:
        return str(Money(file.paid_out_minor, file.currency))

    @admin.display(description="fees")
    def fees(self, file: SettlementFile) -> str:
        return str(Money(file.fees_minor, file.currency))

    @admin.display(description="cases")
    def cases(self, file: SettlementFile) -> str:
        url = f"{reverse('admin:balance_settlementcase_changelist')}?file__id__exact={file.id}"
        return format_html('<a href="{}">cases</a>', url)

    @admin.display(description="posted as")
    def posted_as(self, file: SettlementFile) -> str:
        if file.posting_id is not None or not file.fees_minor:
            return _posting_link(file.posting_id)
        url = f"{reverse('admin:balance_posting_changelist')}?{urlencode({'q': file.posted_as})}"
        return format_html('<a href="{}">fees, line by line</a>', url)


class AttentionFilter(admin.SimpleListFilter):
    title = "attention"
    parameter_name = "attention"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("open", "open")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(status__in=OPEN_CASES) if self.value() == "open" else queryset


@admin.register(SettlementCase)
class SettlementCaseAdmin(ReadOnly, _CaseAdmin):
    list_display = (
        *("id", "status", "in_file", "in_ledger", "reference", "provider", "provider_id", "posted_as"),
        *("opened_at", "ended_at", "resolved_by"),
    )
    list_filter = (AttentionFilter, "status", "provider")
    search_fields = ("=id", "=line__provider_id", "=line__reference", "=posting__reference")
    search_help_text = "Id of a case, the provider's id, or a reference in full"
    ordering = ("-id",)
    list_select_related = ("line", "posting")
    show_full_result_count = False
    actions = ("resolve_cases",)
    fields = (*list_display, "file", "note")
    readonly_fields = fields

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        """Also those of one file, from its page."""
        return lookup == "file__id__exact" or super().lookup_allowed(lookup, value, request)

    def has_resolve_permission(self, request: HttpRequest) -> bool:
        """Who may "change" cases may resolve them."""
        return bool(request.user.has_perm("balance.change_settlementcase"))

    @admin.display(description="provider's id")
    def provider_id(self, case: SettlementCase) -> str:
        return "-" if case.line is None else case.line.provider_id

    @admin.display(description="reference")
    def reference(self, case: SettlementCase) -> str:
        if case.line is not None and case.line.reference:
            return str(case.line.reference)
        return "-" if case.posting is None else str(case.posting.reference)

    @admin.display(description="in the file")
    def in_file(self, case: SettlementCase) -> str:
        return "-" if case.line_minor is None else str(Money(case.line_minor, case.currency))

    @admin.display(description="in the ledger")
    def in_ledger(self, case: SettlementCase) -> str:
        return "-" if case.posting_minor is None else str(Money(case.posting_minor, case.currency))

    @admin.display(description="posting")
    def posted_as(self, case: SettlementCase) -> str:
        return _posting_link(case.posting_id)

    @admin.action(description="Resolve: I know why…", permissions=["resolve"])
    def resolve_cases(self, request: HttpRequest, chosen: QuerySet[SettlementCase]) -> HttpResponse | None:
        form, page = ask(request, NoteForm, chosen, "Resolve these cases", name=self.reference)
        if page is not None:
            return page
        note = form.cleaned_data["note"]

        def resolve(case: SettlementCase) -> None:
            resolve_case(case_id=case.id, staff_id=str(request.user.pk), note=note, now=clock.now())

        for_each(self, request, chosen, resolve, f"Resolved. {note}")
        return None


def _posting_link(posting_id: str | None) -> str:
    if posting_id is None:
        return "-"
    url = reverse("admin:balance_posting_change", args=[posting_id])
    return format_html('<a href="{}">{}</a>', url, posting_id)
