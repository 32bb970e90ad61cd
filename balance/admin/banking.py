"""For staff: bank accounts, withdrawals and what the bank said about them. Read here, changed by services.

IBANs and names stay masked: whoever compares a holder with a member sees both in the page of one withdrawal
in review, and nowhere else.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.db.models import Count, F, OuterRef, QuerySet, Subquery
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.html import format_html

from balance.ibans import masked, normalised
from balance.lifecycle import WithdrawalStatus
from balance.models import (
    BankAccount,
    Identity,
    Withdrawal,
    WithdrawalCase,
    WithdrawalEvent,
    WithdrawalLimit,
)
from balance.queries.banking import get_holder_and_name
from balance.services import reviewing
from foundation import clock
from foundation.admin import NoteForm, ReadOnly, ask, for_each
from foundation.encryption import matching
from foundation.money import Money

if TYPE_CHECKING:
    _BankAccountAdmin = admin.ModelAdmin[BankAccount]
    _IdentityAdmin = admin.ModelAdmin[Identity]
    _WithdrawalAdmin = admin.ModelAdmin[Withdrawal]
    _CaseAdmin = admin.ModelAdmin[WithdrawalCase]
    _LimitAdmin = admin.ModelAdmin[WithdrawalLimit]
    _Inline = admin.TabularInline[Any, Withdrawal]
else:  # generic only in the stubs, not at run time
    _BankAccountAdmin = _IdentityAdmin = _WithdrawalAdmin = _CaseAdmin = _LimitAdmin = admin.ModelAdmin
    _Inline = admin.TabularInline

# After a day a SEPA credit transfer has arrived (Regulation (EU) 260/2012; PSD2 art. 83: one business day).
STUCK_AFTER = timedelta(days=2)


def _member_link(member_id: str) -> str:
    return format_html(
        '<a href="{}">{}</a>', reverse("admin:members_member_change", args=[member_id]), member_id
    )


class SharedFilter(admin.SimpleListFilter):
    title = "risk"
    parameter_name = "risk"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("shared", "the IBAN stands with several members")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(members__gt=1) if self.value() == "shared" else queryset


@admin.register(BankAccount)
class BankAccountAdmin(ReadOnly, _BankAccountAdmin):
    list_display = ("id", "shown_iban", "member_link", "shared_with", "added_at", "usable_at", "removed_at")
    list_filter = ("country", SharedFilter)
    search_fields = ("=id", "=member__id")
    search_help_text = "Id of an account or member, or a whole IBAN"
    ordering = ("-id",)
    show_full_result_count = False
    fields = (
        *("id", "shown_iban", "member_link", "shared_with", "country", "currency"),
        *("added_at", "usable_at", "removed_at"),
    )
    readonly_fields = fields

    def get_queryset(self, request: HttpRequest) -> QuerySet[BankAccount]:
        same = BankAccount.objects.filter(iban_index=OuterRef("iban_index")).order_by()
        members = same.values("iban_index").annotate(n=Count("member_id", distinct=True)).values("n")
        return super().get_queryset(request).defer("iban", "holder_name").annotate(members=Subquery(members))

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[BankAccount], search_term: str
    ) -> tuple[QuerySet[BankAccount], bool]:
        """By a whole IBAN too; it goes no further than into its blind index."""
        found, duplicates = super().get_search_results(request, queryset, search_term)
        if search_term:
            found = found | queryset.filter(matching(BankAccount, "iban", normalised(search_term)))
        return found, duplicates

    @admin.display(description="IBAN")
    def shown_iban(self, account: BankAccount) -> str:
        return masked(account.country, account.last_four)

    @admin.display(description="member")
    def member_link(self, account: BankAccount) -> str:
        return _member_link(account.member_id)

    @admin.display(description="members with this IBAN")
    def shared_with(self, account: BankAccount) -> int:
        members: int = getattr(account, "members", 1)
        return members


@admin.register(Identity)
class IdentityAdmin(ReadOnly, _IdentityAdmin):
    """That an identity was given, and when. What it says is nobody's business but a review's."""

    list_display = ("id", "member_link", "country", "version", "given_at", "changed_at")
    search_fields = ("=id", "=member__id")
    ordering = ("-id",)
    show_full_result_count = False
    fields = list_display
    readonly_fields = fields

    @admin.display(description="member")
    def member_link(self, identity: Identity) -> str:
        return _member_link(identity.member_id)


class EventInline(ReadOnly, _Inline):
    model = WithdrawalEvent
    fields = ("happened_at", "verb", "source", "target", "actor", "actor_id", "reason", "note")
    readonly_fields = fields
    ordering = ("id",)
    extra = 0


class CaseInline(ReadOnly, _Inline):
    model = WithdrawalCase
    fields = ("kind", "detail", "opened_at", "closed_at", "closed_by", "note")
    readonly_fields = fields
    ordering = ("id",)
    extra = 0


class AttentionFilter(admin.SimpleListFilter):
    title = "attention"
    parameter_name = "attention"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [
            ("stuck", "with the bank for more than two days"),
            ("abandoned", "no longer sent by itself"),
            ("case", "with an open case"),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() == "stuck":
            return queryset.filter(status=WithdrawalStatus.SENT, sent_at__lt=clock.now() - STUCK_AFTER)
        if self.value() == "abandoned":
            return queryset.filter(status=WithdrawalStatus.SENT, next_call_at__isnull=True)
        if self.value() == "case":
            open_cases = WithdrawalCase.objects.filter(closed_at__isnull=True)
            return queryset.filter(id__in=open_cases.values("withdrawal_id"))
        return queryset


@admin.register(Withdrawal)
class WithdrawalAdmin(ReadOnly, _WithdrawalAdmin):
    list_display = (
        *("id", "status", "reason", "amount", "member_link", "shown_iban", "provider"),
        *("attempts", "requested_at", "sent_at", "ended_at"),
    )
    list_filter = ("status", AttentionFilter, "provider", "currency", "reason")
    search_fields = ("=id", "=member__id", "=provider_id")
    search_help_text = "Id of a withdrawal, a member, or the provider's own"
    ordering = ("-id",)
    list_select_related = ("bank_account",)
    show_full_result_count = False
    list_per_page = 50
    actions = (
        *("release_withdrawals", "refuse_withdrawals", "retry_withdrawals"),
        *("confirm_withdrawals", "deny_withdrawals"),
    )
    inlines = (EventInline, CaseInline)
    fields = (
        *("id", "status", "reason", "amount", "member_link", "shown_iban", "holder_and_name"),
        *("provider", "provider_id", "attempts", "next_call_at", "requested_at", "sent_at", "ended_at"),
    )
    readonly_fields = fields

    def has_act_permission(self, request: HttpRequest) -> bool:
        """Who may "change" withdrawals may use the actions; nobody edits a row."""
        return request.user.has_perm("balance.change_withdrawal")

    def get_fields(self, request: HttpRequest, obj: Withdrawal | None = None) -> list[Any]:
        """Names only for those who have to compare them."""
        may_act = self.has_act_permission(request)
        return [name for name in self.fields if may_act or name != "holder_and_name"]

    @admin.display(description="amount", ordering="amount_minor")
    def amount(self, withdrawal: Withdrawal) -> str:
        return str(Money(withdrawal.amount_minor, withdrawal.currency))

    @admin.display(description="member")
    def member_link(self, withdrawal: Withdrawal) -> str:
        return _member_link(withdrawal.member_id)

    @admin.display(description="to")
    def shown_iban(self, withdrawal: Withdrawal) -> str:
        account = withdrawal.bank_account
        return masked(account.country, account.last_four)

    @admin.display(description="holder, and legal name of the member")
    def holder_and_name(self, withdrawal: Withdrawal) -> str:
        if withdrawal.status != WithdrawalStatus.IN_REVIEW:
            return "shown while it is in review"
        return " / ".join(get_holder_and_name(withdrawal.id))

    @admin.action(description="Release from review…", permissions=["act"])
    def release_withdrawals(self, request: HttpRequest, chosen: QuerySet[Withdrawal]) -> HttpResponse | None:
        return self._act(request, chosen, reviewing.release_withdrawal, "Release from review")

    @admin.action(description="Refuse in review…", permissions=["act"])
    def refuse_withdrawals(self, request: HttpRequest, chosen: QuerySet[Withdrawal]) -> HttpResponse | None:
        return self._act(request, chosen, reviewing.refuse_withdrawal, "Refuse in review")

    @admin.action(description="Retry now…", permissions=["act"])
    def retry_withdrawals(self, request: HttpRequest, chosen: QuerySet[Withdrawal]) -> HttpResponse | None:
        return self._act(request, chosen, reviewing.retry_withdrawal, "Retry now")

    @admin.action(description="Mark paid: it is on the bank statement…", permissions=["act"])
    def confirm_withdrawals(self, request: HttpRequest, chosen: QuerySet[Withdrawal]) -> HttpResponse | None:
        return self._act(request, chosen, reviewing.confirm_withdrawal, "Mark paid after bank statement")

    @admin.action(description="Mark failed: it is not on the bank statement…", permissions=["act"])
    def deny_withdrawals(self, request: HttpRequest, chosen: QuerySet[Withdrawal]) -> HttpResponse | None:
        return self._act(request, chosen, reviewing.deny_withdrawal, "Mark failed after bank statement")

    def _act(
        self, request: HttpRequest, chosen: QuerySet[Withdrawal], verb: Callable[..., None], title: str
    ) -> HttpResponse | None:
        form, page = ask(request, NoteForm, chosen, title, name=self.amount)
        if page is not None:
            return page
        note = form.cleaned_data["note"]

        def act(withdrawal: Withdrawal) -> None:
            verb(withdrawal_id=withdrawal.id, staff_id=str(request.user.pk), note=note, now=clock.now())

        for_each(self, request, chosen, act, f"{title}. {note}")
        return None


@admin.register(WithdrawalCase)
class WithdrawalCaseAdmin(ReadOnly, _CaseAdmin):
    list_display = ("id", "kind", "withdrawal_link", "detail", "opened_at", "closed_at", "closed_by")
    list_filter = ("kind", ("closed_at", admin.EmptyFieldListFilter))
    search_fields = ("=id", "=withdrawal__id")
    ordering = (F("closed_at").asc(nulls_first=True), "-id")
    show_full_result_count = False
    actions = ("close_cases",)
    fields = (*list_display, "note")
    readonly_fields = fields

    def has_act_permission(self, request: HttpRequest) -> bool:
        """As for withdrawals."""
        return request.user.has_perm("balance.change_withdrawalcase")

    @admin.display(description="withdrawal")
    def withdrawal_link(self, case: WithdrawalCase) -> str:
        url = reverse("admin:balance_withdrawal_change", args=[case.withdrawal_id])
        return format_html('<a href="{}">{}</a>', url, case.withdrawal_id)

    @admin.action(description="Close…", permissions=["act"])
    def close_cases(self, request: HttpRequest, chosen: QuerySet[WithdrawalCase]) -> HttpResponse | None:
        form, page = ask(request, NoteForm, chosen, "Close these cases")
        if page is not None:
            return page
        note = form.cleaned_data["note"]

        def close(case: WithdrawalCase) -> None:
            reviewing.close_case(case_id=case.id, staff_id=str(request.user.pk), note=note, now=clock.now())

        for_each(self, request, chosen, close, f"Closed. {note}")
        return None


@admin.register(WithdrawalLimit)
class WithdrawalLimitAdmin(_LimitAdmin):
    """Settings: a new row takes over at its moment; the former ones stay as they were."""

    list_display = ("country", "valid_from", "minimum_minor", "maximum_minor")
    list_filter = ("country",)

    def has_change_permission(self, request: HttpRequest, obj: WithdrawalLimit | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: WithdrawalLimit | None = None) -> bool:
        return False
