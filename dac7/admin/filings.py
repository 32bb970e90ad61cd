"""For tax staff: a filing with what the rules found, two persons' approval, export, answers, corrections."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import Count, QuerySet
from django.http import FileResponse, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse

from dac7.lifecycle.filings import PUBLISHED, FilingStatus, RecordStatus
from dac7.message.rules import RULES
from dac7.message.statuses import masked, words_of
from dac7.models.filings import (
    Filing,
    FilingExport,
    FilingFinding,
    FilingMessage,
    FilingOmission,
    FilingRecord,
)
from dac7.queries.corrections import find_changes_since
from dac7.queries.filings import list_differences
from dac7.services import approving, correcting, filing, importing_status, omitting
from dac7.tasks import advance_filing, announce_statements
from foundation import clock
from foundation.admin import NoteForm, ReadOnly, ask, for_each
from foundation.doorbell import ring_after_commit
from foundation.errors import DomainError
from foundation.xml_reading import MOST_BYTES

if TYPE_CHECKING:
    _FilingAdmin = admin.ModelAdmin[Filing]
else:  # generic only in the stubs, not at run time
    _FilingAdmin = admin.ModelAdmin

MOST_SHOWN: Final = 200
_ADVANCE, _REOPEN = ("advance", "Compile or check again"), ("reopen", "Reopen: compile anew…")
STEPS: Final[dict[str, tuple[tuple[str, str], ...]]] = {
    FilingStatus.COLLECTING: (_ADVANCE,),
    FilingStatus.COMPILED: (
        _ADVANCE,
        ("omit", "Leave out, for now, who has not answered…"),
        _REOPEN,
    ),
    FilingStatus.VALIDATED: (
        ("review", "Review (first person)…"),
        ("approve", "Approve (second person)…"),
        _REOPEN,
    ),
    FilingStatus.APPROVED: (_REOPEN,),
    FilingStatus.EXPORTED: (
        ("mark_filed", "It was handed in…"),
        ("withdraw", "Withdraw (another person than who exported): it was never handed in…"),
    ),
    FilingStatus.WITHDRAWN: (("mark_filed", "It was handed in after all…"),),
}
"""The buttons on a filing's page, by its status; each is an action of the list."""


class CorrectionForm(forms.Form):
    year = forms.IntegerField(min_value=2023, max_value=2100, help_text="Of the sales; DAC7 began in 2023.")
    reason = forms.CharField(max_length=500, help_text="Why; kept in the history, for staff only.")


class StatusForm(forms.Form):
    file = forms.FileField(help_text="As the authority gave it, unpacked and decrypted.")


class ExportForm(forms.Form):
    reason = forms.CharField(
        max_length=500, help_text="Why you take the file out: it holds everybody's data. Kept in the history."
    )


class ReceiptForm(forms.Form):
    note = forms.CharField(
        max_length=500, label="Receipt", help_text="What the authority gave for the files: number, date."
    )


@admin.register(Filing)
class FilingAdmin(ReadOnly, _FilingAdmin):
    list_display = (
        *("name", "status", "dialect", "files", "sellers", "problems"),
        *("opened_at", "reviewed_by", "approved_by", "filed_at"),
    )
    list_filter = ("status", "year", "state")
    search_fields = ("=id", "=messages__message_ref", "=records__doc_ref")
    search_help_text = "Id of a filing, a message or a record"
    ordering = ("-id",)
    show_full_result_count = False
    actions = ("advance", "omit", "review", "approve", "reopen", "mark_filed", "withdraw")
    fields = (
        ("status", "dialect", "reason"),
        ("opened_at", "opened_by"),
        ("compiled_at", "checked_at"),
        ("reviewed_at", "reviewed_by", "review_note"),
        ("approved_at", "approved_by", "approval_note"),
        ("filed_at", "filed_by", "filing_note"),
        ("statements_sent_at", "exported_at", "exported_by"),
        ("withdrawn_at", "withdrawn_by", "withdrawal_note"),
    )
    readonly_fields = ("name", "files", "sellers", "problems")

    def has_add_permission(self, request: HttpRequest, *args: Any) -> bool:
        """Who may "add" filings may open corrections."""
        return bool(request.user.has_perm("dac7.add_filing"))

    def has_decide_permission(self, request: HttpRequest) -> bool:
        """Who may "change" filings reviews, approves, exports and imports."""
        return bool(request.user.has_perm("dac7.change_filing"))

    def get_queryset(self, request: HttpRequest) -> QuerySet[Filing]:
        return super().get_queryset(request).annotate(file_count=Count("messages", distinct=True))

    def get_urls(self) -> list[URLPattern]:
        own = [
            path("import/", self.admin_site.admin_view(self.import_view), name="dac7_filing_import"),
            path(
                "export/<str:message_id>/",
                self.admin_site.admin_view(self.export_view),
                name="dac7_filing_export",
            ),
        ]
        return [*own, *super().get_urls()]

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        more = {"may_import": self.has_decide_permission(request)}
        return super().changelist_view(request, {**(extra_context or {}), **more})

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        row = Filing.objects.filter(id=object_id).first()
        more = {} if row is None else self._details(request, row)
        return super().change_view(request, object_id, form_url, {**(extra_context or {}), **more})

    def _details(self, request: HttpRequest, row: Filing) -> dict[str, Any]:
        may = self.has_decide_permission(request)
        findings = FilingFinding.objects.filter(filing=row).order_by("is_warning", "id")[:MOST_SHOWN]
        in_error = FilingRecord.objects.filter(filing=row, status=RecordStatus.IN_ERROR)[:MOST_SHOWN]
        return {
            "messages_of_filing": FilingMessage.objects.filter(filing=row).order_by("part"),
            "findings": [(finding, RULES[finding.rule].words) for finding in findings],
            "differences": list_differences(row, limit=MOST_SHOWN),
            "in_error": [
                (
                    record,
                    words_of(record.error_code, row.dialect),
                    masked(record.error_details.reveal()) if record.error_details else "",
                )
                for record in in_error
            ],
            "most_shown": MOST_SHOWN,
            "steps": [(action, label) for action, label in STEPS.get(row.status, ()) if may],
            "may_export": may and row.status in PUBLISHED and row.statements_sent_at is not None,
            "omissions": FilingOmission.objects.filter(filing=row)[:MOST_SHOWN],
            "omitted": row.omissions.count(),
            "changed": find_changes_since(row),
            "exports": FilingExport.objects.filter(message__filing=row).select_related("message")[
                :MOST_SHOWN
            ],
            "may_import": may,
        }

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Opens a correction; the first filing of a year opens itself in January."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        form = CorrectionForm(request.POST or None)
        if request.method == "POST" and form.is_valid():
            try:
                filing_id = correcting.open_correction(
                    **form.cleaned_data, by=f"staff:{request.user.pk}", now=clock.now()
                )
            except DomainError as error:
                form.add_error(None, error.detail)
            else:
                row = Filing.objects.get(id=filing_id)
                self.log_addition(request, row, [{"added": {}}])
                ring_after_commit(advance_filing, filing_id)
                self.message_user(request, f"{row} is opened; a worker compiles and checks it")
                return HttpResponseRedirect(reverse("admin:dac7_filing_change", args=[filing_id]))
        words = "It says what differs from what the authority holds: corrected, deleted and new sellers."
        return self._page(request, form, "Open a correction", words)

    def import_view(self, request: HttpRequest) -> HttpResponse:
        """Takes in a status message, whole or not at all."""
        if not self.has_decide_permission(request):
            raise PermissionDenied
        form = StatusForm(request.POST or None, request.FILES or None)
        if request.method == "POST" and form.is_valid():
            data = form.cleaned_data["file"].read(MOST_BYTES + 1)
            try:
                message_id = importing_status.import_status(
                    data=data, by=f"staff:{request.user.pk}", now=clock.now()
                )
            except DomainError as error:
                form.add_error(None, error.detail)
            else:
                message = FilingMessage.objects.select_related("filing").get(id=message_id)
                self.log_change(request, message.filing, f"Answer to {message.file_name} imported")
                self.message_user(request, f"{message.file_name}: {message.status}")
                return HttpResponseRedirect(reverse("admin:dac7_filing_change", args=[message.filing_id]))
        words = "It counts as a whole or not at all; the same file again changes nothing."
        return self._page(request, form, "Import a status message", words)

    def export_view(self, request: HttpRequest, message_id: str) -> HttpResponse | FileResponse:
        """Gives the file out, for a reason that is kept."""
        if not self.has_decide_permission(request):
            raise PermissionDenied
        form = ExportForm(request.POST or None)
        if request.method == "POST" and form.is_valid():
            reason = form.cleaned_data["reason"]
            target = tempfile.TemporaryFile()  # noqa: SIM115  # the response reads it after we are gone
            try:
                message = filing.export_message(
                    message_id=message_id,
                    target=target,
                    by=f"staff:{request.user.pk}",
                    reason=reason,
                    now=clock.now(),
                )
            except DomainError as error:
                target.close()
                form.add_error(None, error.detail)
            else:
                self.log_change(request, message.filing, f"{message.file_name} exported. {reason}")
                target.seek(0)
                return FileResponse(target, as_attachment=True, filename=filing.file_name_of(message))
        words = (
            "The file is the one that was checked, to the byte; it is encrypted if a recipient is set. "
            "With the first file that leaves, the filing can no longer be reopened."
        )
        return self._page(request, form, "Export a file", words)

    def _page(self, request: HttpRequest, form: forms.Form, title: str, words: str) -> TemplateResponse:
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": title,
            "words": words,
            "form": form,
        }
        return TemplateResponse(request, "foundation/ask.html", context)

    @admin.display(description="filing", ordering="id")
    def name(self, row: Filing) -> str:
        return str(row)

    @admin.display(description="files")
    def files(self, row: Any) -> int:
        return int(row.file_count)

    @admin.display(description="sellers")
    def sellers(self, row: Filing) -> int:
        return sum(row.messages.values_list("seller_count", flat=True))

    @admin.display(description="errors")
    def problems(self, row: Filing) -> int:
        return row.findings.filter(is_warning=False).count()

    @admin.action(description="Compile or check (again)", permissions=["decide"])
    def advance(self, request: HttpRequest, chosen: QuerySet[Filing]) -> None:
        for row in chosen.filter(status__in=[FilingStatus.COLLECTING, FilingStatus.COMPILED]):
            ring_after_commit(advance_filing, row.id)
            self.message_user(request, f"{row}: a worker was rung for")

    @admin.action(description="Leave out, for now, who has not answered…", permissions=["decide"])
    def omit(self, request: HttpRequest, chosen: QuerySet[Filing]) -> HttpResponse | None:
        return self._decide(
            request,
            chosen,
            omitting.omit_silent_sellers,
            "Leave out who has not answered",
            "reason",
            lambda row: ring_after_commit(advance_filing, row.id),
        )

    @admin.action(description="Review (first person)…", permissions=["decide"])
    def review(self, request: HttpRequest, chosen: QuerySet[Filing]) -> HttpResponse | None:
        return self._decide(request, chosen, approving.review_filing, "Review", "note")

    @admin.action(description="Approve (second person)…", permissions=["decide"])
    def approve(self, request: HttpRequest, chosen: QuerySet[Filing]) -> HttpResponse | None:
        # Sellers are told before anything can be exported: at once, not with the next sweep.
        return self._decide(
            request,
            chosen,
            approving.approve_filing,
            "Approve",
            "note",
            lambda _: ring_after_commit(announce_statements),
        )

    @admin.action(description="Reopen: compile anew…", permissions=["decide"])
    def reopen(self, request: HttpRequest, chosen: QuerySet[Filing]) -> HttpResponse | None:
        return self._decide(
            request,
            chosen,
            approving.reopen_filing,
            "Reopen",
            "reason",
            lambda row: ring_after_commit(advance_filing, row.id),
        )

    @admin.action(description="It was handed in…", permissions=["decide"])
    def mark_filed(self, request: HttpRequest, chosen: QuerySet[Filing]) -> HttpResponse | None:
        return self._decide(request, chosen, filing.file_filing, "It was handed in", "receipt")

    @admin.action(description="Withdraw: it was never handed in…", permissions=["decide"])
    def withdraw(self, request: HttpRequest, chosen: QuerySet[Filing]) -> HttpResponse | None:
        return self._decide(request, chosen, filing.withdraw_filing, "Withdraw", "reason")

    def _decide(
        self,
        request: HttpRequest,
        chosen: QuerySet[Filing],
        verb: Callable[..., object],
        title: str,
        argument: str,
        ring: Callable[[Filing], None] | None = None,
    ) -> HttpResponse | None:
        form, page = ask(request, ReceiptForm if argument == "receipt" else NoteForm, chosen, title)
        if page is not None:
            return page
        note = form.cleaned_data["note"]

        def decide(row: Filing) -> None:
            verb(filing_id=row.id, staff_id=str(request.user.pk), now=clock.now(), **{argument: note})
            if ring is not None:
                ring(row)

        for_each(self, request, chosen, decide, f"{title}. {note}")
        return None
