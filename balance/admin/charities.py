"""For staff: the catalogue of charities, and where they are paid, for which two persons are needed."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse

from balance.ibans import MAX_LENGTH, masked
from balance.models import Charity, CharityAccount, CharityMarket, CharityText
from balance.models.banking import HOLDER_MAX_LENGTH
from balance.services import charities
from foundation import clock
from foundation.admin import NoteForm, ReadOnly, ask, for_each

if TYPE_CHECKING:
    _CharityAdmin = admin.ModelAdmin[Charity]
    _AccountAdmin = admin.ModelAdmin[CharityAccount]
    _OfCharity = admin.TabularInline[Any, Charity]
else:  # generic only in the stubs, not at run time
    _CharityAdmin = _AccountAdmin = admin.ModelAdmin
    _OfCharity = admin.TabularInline


class BankAccountForm(NoteForm):
    iban = forms.CharField(max_length=MAX_LENGTH + 16, label="IBAN", help_text="Checked; never shown again.")
    holder_name = forms.CharField(max_length=HOLDER_MAX_LENGTH, help_text="As the bank has it.")


class TextInline(_OfCharity):
    model = CharityText
    fields = ("language", "description")
    extra = 0


class MarketInline(_OfCharity):
    model = CharityMarket
    fields = ("market",)
    extra = 0


class AccountInline(ReadOnly, _OfCharity):
    model = CharityAccount
    fields = ("shown_iban", "status", "set_at", "set_by", "decided_at", "decided_by", "replaced_at")
    readonly_fields = fields
    extra = 0

    def get_queryset(self, request: HttpRequest) -> QuerySet[CharityAccount]:
        return super().get_queryset(request).defer("iban", "holder_name")

    @admin.display(description="IBAN")
    def shown_iban(self, account: CharityAccount) -> str:
        return masked(account.country, account.last_four)


class OpenFilter(admin.SimpleListFilter):
    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("draft", "draft"), ("open", "open"), ("closed", "closed")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() == "draft":
            return queryset.filter(opened_at__isnull=True)
        if self.value() == "open":
            return queryset.filter(opened_at__isnull=False, closed_at__isnull=True)
        if self.value() == "closed":
            return queryset.filter(closed_at__isnull=False)
        return queryset


@admin.register(Charity)
class CharityAdmin(_CharityAdmin):
    """The catalogue. Every change is in the admin's log; a charity is closed, never deleted."""

    list_display = ("name", "country", "registration_number", "currency", "opened_at", "closed_at")
    list_filter = (OpenFilter, "currency", "country")
    search_fields = ("=id", "name", "=registration_number")
    actions = ("open_charities", "close_charities", "propose_bank_account")
    inlines = (TextInline, MarketInline, AccountInline)
    readonly_fields = ("added_at", "opened_at", "closed_at")
    fields = ("name", "country", "registration_number", "currency", *readonly_fields)

    def get_readonly_fields(self, request: HttpRequest, obj: Charity | None = None) -> tuple[str, ...]:
        # What was given is in this currency.
        return self.readonly_fields if obj is None else ("currency", *self.readonly_fields)

    def get_inlines(self, request: HttpRequest, obj: Charity | None) -> list[Any]:
        # A new one has no account yet: an action sets it.
        return [*self.inlines] if obj is not None else [TextInline, MarketInline]

    def has_delete_permission(self, request: HttpRequest, obj: Charity | None = None) -> bool:
        return False

    def has_act_permission(self, request: HttpRequest) -> bool:
        """Who may change charities may use the actions."""
        return request.user.has_perm("balance.change_charity")

    def save_model(self, request: HttpRequest, obj: Charity, form: Any, change: bool) -> None:
        if not change:
            obj.added_at = clock.now()
        super().save_model(request, obj, form, change)

    @admin.action(description="Open for donations…", permissions=["act"])
    def open_charities(self, request: HttpRequest, chosen: QuerySet[Charity]) -> HttpResponse | None:
        return self._act(request, chosen, charities.open_charity, "Open for donations")

    @admin.action(description="Close…", permissions=["act"])
    def close_charities(self, request: HttpRequest, chosen: QuerySet[Charity]) -> HttpResponse | None:
        return self._act(request, chosen, charities.close_charity, "Close")

    def _act(
        self, request: HttpRequest, chosen: QuerySet[Charity], verb: Callable[..., None], title: str
    ) -> HttpResponse | None:
        form, page = ask(request, NoteForm, chosen, title)
        if page is not None:
            return page

        def act(charity: Charity) -> None:
            verb(charity_id=charity.id, now=clock.now())

        for_each(self, request, chosen, act, f"{title}. {form.cleaned_data['note']}")
        return None

    @admin.action(description="Propose a bank account…", permissions=["act"])
    def propose_bank_account(self, request: HttpRequest, chosen: QuerySet[Charity]) -> HttpResponse | None:
        if chosen.count() != 1:
            self.message_user(request, "Choose one charity: two have no common account.", messages.ERROR)
            return None
        form, page = ask(request, BankAccountForm, chosen, "Propose a bank account")
        if page is not None:
            return page
        given = form.cleaned_data

        def act(charity: Charity) -> None:
            charities.propose_bank_account(
                charity_id=charity.id,
                iban=given["iban"],
                holder_name=given["holder_name"],
                staff_id=str(request.user.pk),
                now=clock.now(),
            )

        for_each(self, request, chosen, act, f"Proposed a bank account. {given['note']}")
        return None


class ApprovalForm(NoteForm):
    iban = forms.CharField(
        max_length=MAX_LENGTH + 16,
        label="IBAN",
        help_text="As you have it from the charity, not from who proposed it. Has to be the one proposed.",
    )


@admin.register(CharityAccount)
class CharityAccountAdmin(ReadOnly, _AccountAdmin):
    """The queue: what waits for a second person first."""

    list_display = ("id", "charity", "shown_iban", "status", "set_at", "set_by", "decided_at", "decided_by")
    list_filter = ("status",)
    search_fields = ("=id", "=charity__id")
    search_help_text = "Id of an account or a charity"
    ordering = ("decided_at", "-id")
    list_select_related = ("charity",)
    fields = (*list_display, "replaced_at")
    readonly_fields = fields
    actions = ("approve_accounts", "reject_accounts")

    def get_queryset(self, request: HttpRequest) -> QuerySet[CharityAccount]:
        return super().get_queryset(request).defer("iban", "holder_name")

    def has_decide_permission(self, request: HttpRequest) -> bool:
        """Who may "change" charities' accounts decides on them; proposing takes the right on charities."""
        return request.user.has_perm("balance.change_charityaccount")

    @admin.display(description="IBAN")
    def shown_iban(self, account: CharityAccount) -> str:
        return masked(account.country, account.last_four)

    @admin.action(description="Approve (second person): pay there from now on…", permissions=["decide"])
    def approve_accounts(self, request: HttpRequest, chosen: QuerySet[CharityAccount]) -> HttpResponse | None:
        form, page = ask(request, ApprovalForm, chosen, "Approve the bank account", name=_described)
        if page is not None:
            return page
        given = form.cleaned_data

        def approve(account: CharityAccount) -> None:
            charities.approve_bank_account(
                account_id=account.id, iban=given["iban"], staff_id=str(request.user.pk), now=clock.now()
            )

        for_each(self, request, chosen, approve, f"Approved the bank account. {given['note']}")
        return None

    @admin.action(description="Reject…", permissions=["decide"])
    def reject_accounts(self, request: HttpRequest, chosen: QuerySet[CharityAccount]) -> HttpResponse | None:
        form, page = ask(request, NoteForm, chosen, "Reject the bank account", name=_described)
        if page is not None:
            return page

        def reject(account: CharityAccount) -> None:
            charities.reject_bank_account(
                account_id=account.id, staff_id=str(request.user.pk), now=clock.now()
            )

        for_each(self, request, chosen, reject, f"Rejected the bank account. {form.cleaned_data['note']}")
        return None


def _described(account: CharityAccount) -> str:
    return f"{account.charity}, {masked(account.country, account.last_four)}"
