"""For staff: ask for a correction of the ledger, approve or reject somebody else's."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.html import format_html

from balance.models import Correction, CorrectionLimit
from balance.models.corrections import CorrectionKind
from balance.services import correcting
from foundation import clock
from foundation.admin import NoteForm, ReadOnly, ask, for_each
from foundation.errors import DomainError
from foundation.money import Money, UnknownCurrency, exponent_of

if TYPE_CHECKING:
    _CorrectionAdmin = admin.ModelAdmin[Correction]
    _LimitAdmin = admin.ModelAdmin[CorrectionLimit]
else:  # generic only in the stubs, not at run time
    _CorrectionAdmin = _LimitAdmin = admin.ModelAdmin


def _wide() -> forms.TextInput:
    return forms.TextInput(attrs={"size": 60})


class CorrectionForm(forms.Form):
    """Either the posting, or both accounts and the amount."""

    kind = forms.ChoiceField(choices=CorrectionKind.choices, widget=forms.RadioSelect)
    posting = forms.CharField(
        required=False, max_length=26, help_text="Id of the posting to undo.", widget=_wide()
    )
    debit = forms.CharField(
        required=False,
        max_length=70,
        label="Debited account",
        widget=_wide(),
        help_text="owner:kind:currency, as in platform:goodwill:EUR. A debit takes from a member's account.",
    )
    credit = forms.CharField(
        required=False,
        max_length=70,
        label="Credited account",
        widget=_wide(),
        help_text="A credit adds to a member's account.",
    )
    amount = forms.DecimalField(
        required=False,
        max_digits=19,  # of 63 bits; "1e999999" is a decimal number too
        decimal_places=3,
        help_text="In the accounts' currency, such as 12.50.",
    )
    reason = forms.CharField(max_length=500, widget=forms.Textarea(attrs={"rows": 3, "cols": 60}))

    def clean(self) -> dict[str, Any]:
        """What goes with the kind has to be there."""
        data = super().clean() or {}
        needed = (
            ("posting",) if data.get("kind") == CorrectionKind.REVERSAL else ("debit", "credit", "amount")
        )
        for name in needed:
            if name not in self.errors and data.get(name) in ("", None):
                self.add_error(name, "This is needed.")
        if "amount" in needed and not self.errors:
            try:
                data["money"] = _money(data["amount"], data["debit"].rpartition(":")[2])
            except UnknownCurrency:
                self.add_error("debit", f"{data['debit']} is no account: owner:kind:currency.")
            except ValueError:
                self.add_error("amount", "This is no amount in the currency of the debited account.")
        return data


def _money(amount: Decimal, currency: str) -> Money:
    minor = amount.scaleb(exponent_of(currency))
    if minor != minor.to_integral_value():
        raise ValueError(amount)
    return Money(int(minor), currency)


@admin.register(Correction)
class CorrectionAdmin(ReadOnly, _CorrectionAdmin):
    list_display = (
        *("id", "status", "amount", "what", "short_reason", "needs_second_person"),
        *("requested_by", "requested_at", "decided_by"),
    )
    list_filter = ("status", "kind", "needs_second_person", "currency")
    search_fields = ("=id", "=undoes__id", "=requested_by")
    search_help_text = "Id of a correction or of the posting undone, or staff:ID"
    ordering = ("-id",)
    show_full_result_count = False
    actions = ("approve_corrections", "reject_corrections")
    fields = (
        *("id", "status", "kind", "amount", "what", "reason", "needs_second_person", "requested_by"),
        *("requested_at", "decided_by", "decided_at", "note", "posted_as"),
    )
    readonly_fields = fields

    def has_add_permission(self, request: HttpRequest, *args: Any) -> bool:
        """Who may "add" corrections may ask for them."""
        return bool(request.user.has_perm("balance.add_correction"))

    def has_decide_permission(self, request: HttpRequest) -> bool:
        """Who may "change" corrections decides on them."""
        return bool(request.user.has_perm("balance.change_correction"))

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Through the service, not through the model."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        posting = request.GET.get("posting", "")
        kind = CorrectionKind.REVERSAL if posting else CorrectionKind.MANUAL
        form = CorrectionForm(request.POST or None, initial={"posting": posting, "kind": kind})
        if request.method == "POST" and form.is_valid():
            try:
                correction = Correction.objects.get(id=self._ask_for(request, form.cleaned_data))
            except DomainError as error:
                form.add_error(None, error.detail)
            else:
                self.log_addition(request, correction, [{"added": {}}])
                waits = "it waits for a second person" if correction.posting_id is None else "it is posted"
                self.message_user(request, f"{correction}: {waits}")
                return HttpResponseRedirect(reverse("admin:balance_correction_changelist"))
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": "Ask for a correction",
            "words": "Up to the limit of one person it is posted at once; above it somebody else approves it."
            " What holds and withdrawals have set aside is not corrected here.",
            "form": form,
        }
        return TemplateResponse(request, "foundation/ask.html", context)

    def _ask_for(self, request: HttpRequest, data: dict[str, Any]) -> str:
        common = {"reason": data["reason"], "staff_id": str(request.user.pk), "now": clock.now()}
        if data["kind"] == CorrectionKind.REVERSAL:
            return correcting.request_reversal(posting_id=data["posting"], **common)
        return correcting.request_correction(
            debit=data["debit"], credit=data["credit"], amount=data["money"], **common
        )

    @admin.display(description="amount", ordering="amount_minor")
    def amount(self, correction: Correction) -> str:
        return str(Money(correction.amount_minor, correction.currency))

    @admin.display(description="what")
    def what(self, correction: Correction) -> str:
        if correction.undoes_id is None:
            return f"{correction.debit_account} → {correction.credit_account}"
        return format_html("undoes {}", _posting_link(correction.undoes_id))

    @admin.display(description="reason")
    def short_reason(self, correction: Correction) -> str:
        return correction.reason if len(correction.reason) <= 60 else f"{correction.reason[:59]}…"

    @admin.display(description="posted as")
    def posted_as(self, correction: Correction) -> str:
        return "-" if correction.posting_id is None else _posting_link(correction.posting_id)

    @admin.action(description="Approve and post…", permissions=["decide"])
    def approve_corrections(self, request: HttpRequest, chosen: QuerySet[Correction]) -> HttpResponse | None:
        return self._decide(request, chosen, correcting.approve_correction, "Approve and post")

    @admin.action(description="Reject…", permissions=["decide"])
    def reject_corrections(self, request: HttpRequest, chosen: QuerySet[Correction]) -> HttpResponse | None:
        return self._decide(request, chosen, correcting.reject_correction, "Reject")

    def _decide(
        self, request: HttpRequest, chosen: QuerySet[Correction], verb: Callable[..., None], title: str
    ) -> HttpResponse | None:
        form, page = ask(request, NoteForm, chosen, title, name=_described)
        if page is not None:
            return page
        note = form.cleaned_data["note"]

        def decide(correction: Correction) -> None:
            verb(correction_id=correction.id, staff_id=str(request.user.pk), note=note, now=clock.now())

        for_each(self, request, chosen, decide, f"{title}. {note}")
        return None


def _described(correction: Correction) -> str:
    return f"{Money(correction.amount_minor, correction.currency)}, {correction.reason}"


def _posting_link(posting_id: str) -> str:
    url = reverse("admin:balance_posting_change", args=[posting_id])
    return format_html('<a href="{}">{}</a>', url, posting_id)


@admin.register(CorrectionLimit)
class CorrectionLimitAdmin(_LimitAdmin):
    """Settings: a new row takes over at its moment; the former ones stay as they were."""

    list_display = ("currency", "valid_from", "alone", "set_by")
    list_filter = ("currency",)

    def save_model(self, request: HttpRequest, obj: CorrectionLimit, form: Any, change: bool) -> None:
        """Who sets a limit does not correct alone under it."""
        obj.set_by = f"staff:{request.user.pk}"
        super().save_model(request, obj, form, change)

    def has_change_permission(self, request: HttpRequest, obj: CorrectionLimit | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: CorrectionLimit | None = None) -> bool:
        return False

    @admin.display(description="one person in 24 hours")
    def alone(self, limit: CorrectionLimit) -> str:
        return str(Money(limit.alone_minor, limit.currency))
