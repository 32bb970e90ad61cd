"""For staff: accounts, postings, transfers and holds, and a member's ledger with its running balance.

Nothing is edited. Every search looks into an index, and no page counts a whole table: there are more
postings than of anything else.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.functional import cached_property
from django.utils.html import format_html

from balance.chart import MAX_MINOR, MEMBER_KINDS
from balance.lifecycle import OPEN, HoldStatus
from balance.models import Hold, LedgerAccount, Posting, StatementCalendar, Transfer, Withdrawal
from balance.queries.balances import list_standings
from balance.queries.entries import EntryFilter, Position, list_entries, list_member_accounts
from balance.services.blocks import list_blocks
from balance.services.control import unfreeze
from balance.services.holds import release_hold
from foundation import clock
from foundation.admin import NoteForm, ReadOnly, ask, for_each
from foundation.ids import ID_LENGTH
from foundation.money import Money
from members.queries import find_member_facts

if TYPE_CHECKING:
    _Admin = admin.ModelAdmin[Any]
    _TransferInline = admin.TabularInline[Transfer, Posting]
    _Paginator = Paginator[Any]
else:  # generic only in the stubs, not at run time
    _Admin = admin.ModelAdmin
    _TransferInline = admin.TabularInline
    _Paginator = Paginator

MOST_ROWS = 1000
ENTRIES_PER_PAGE = 50
LONGEST_NUMBER = len(str(MAX_MINOR))  # of 63 bits


class BoundedPaginator(_Paginator):
    """Counts to MOST_ROWS and no further; who looks for something older searches for it."""

    @cached_property
    def count(self) -> int:
        return int(self.object_list[:MOST_ROWS].count())  # type: ignore[attr-defined]  # a queryset here


class LedgerPage(ReadOnly, _Admin):
    """What the pages of the ledger have in common."""

    paginator = BoundedPaginator
    show_full_result_count = False
    list_per_page = 50
    # Searched by get_search_results; without a field here the admin shows no box for it.
    search_fields = ("=id",)


def member_ledger_link(member_id: str) -> str:
    """To the member's entries with their running balance."""
    url = reverse("admin:balance_member_ledger", args=[member_id])
    return format_html('<a href="{}">{}</a>', url, member_id)


def _posting_ids(term: str) -> set[str]:
    """Of the postings of this id, key or reference: three look-ups, for one OR would read the table."""
    found: set[str] = set()
    for field in ("id", "key", "reference"):
        rows = Posting.objects.filter(**{field: term}).order_by("-id")
        found.update(rows.values_list("id", flat=True)[:MOST_ROWS])
    return found


@admin.register(LedgerAccount)
class LedgerAccountAdmin(LedgerPage):
    list_display = ("id", "kind", "currency", "balance", "ledger", "opened_at", "frozen_at")
    search_help_text = "Id of a member, or the beginning of an account's id"
    ordering = ("id",)
    fields = ("id", "ledger", "kind", "currency", "balance", "opened_at", "frozen_at")
    readonly_fields = fields
    actions = ("unfreeze_accounts",)

    def has_unfreeze_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm("balance.change_ledgeraccount"))

    @admin.action(description="Unfreeze: it adds up again…", permissions=["unfreeze"])
    def unfreeze_accounts(self, request: HttpRequest, chosen: QuerySet[LedgerAccount]) -> HttpResponse | None:
        form, page = ask(request, NoteForm, chosen, "Let these accounts be used again")
        if page is not None:
            return page
        note, actor, now = form.cleaned_data["note"], f"staff:{request.user.pk}", clock.now()

        def let_go(account: LedgerAccount) -> None:
            unfreeze(account_id=account.id, actor=actor, reason=note, now=now)

        for_each(self, request, chosen, let_go, f"Unfrozen. {note}")
        return None

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[LedgerAccount], search_term: str
    ) -> tuple[QuerySet[LedgerAccount], bool]:
        if not search_term:
            return queryset, False
        # A range of the primary key: LIKE would not use it on every engine.
        return queryset.filter(id__gte=search_term, id__lt=f"{search_term}~"), False

    def get_urls(self) -> list[URLPattern]:
        """Before the admin's own, of which one takes any path for an id."""
        page = path(
            "member/<id:member_id>/",
            self.admin_site.admin_view(self.member_ledger),
            name="balance_member_ledger",
        )
        return [page, *super().get_urls()]

    @admin.display(description="balance")
    def balance(self, account: LedgerAccount) -> str:
        if account.balance_minor is None:
            return "a sum"
        return str(Money(account.balance_minor, account.currency))

    @admin.display(description="member's ledger")
    def ledger(self, account: LedgerAccount) -> str:
        return "-" if account.member_id is None else member_ledger_link(account.member_id)

    def member_ledger(self, request: HttpRequest, member_id: str) -> HttpResponse:
        """What a member has, and the entries of all own accounts or one."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        member = find_member_facts(member_id)
        accounts = list_member_accounts(member_id)
        chosen = request.GET.get("account", "")
        if member is None or (chosen and chosen not in accounts):
            raise Http404
        run = list_entries(
            [chosen] if chosen else accounts,
            EntryFilter(),
            limit=ENTRIES_PER_PAGE,
            after=_position(request.GET.get("after", "")),
        )
        standings = list_standings(member_id, member.currency)
        context = {
            **self.admin_site.each_context(request),
            "title": "A member's ledger",
            "member_id": member_id,
            "balances": [
                {
                    "currency": currency,
                    "amounts": [
                        *(standing.balances.pending, standing.balances.available, standing.balances.held),
                        *(standing.balances.in_transit, standing.balances.debt),
                    ],
                    "is_frozen": standing.is_frozen,
                }
                for currency, standing in standings.items()
            ],
            "blocks": list_blocks(member_id=member_id, now=clock.now()),
            "holds": Hold.objects.filter(member_id=member_id, status=HoldStatus.ACTIVE.value).count(),
            "withdrawals": Withdrawal.objects.filter(member_id=member_id, status__in=OPEN).count(),
            "accounts": accounts,
            "account": chosen,
            "entries": run.entries,
            "older": None if run.go_on_after is None else "{}~{}".format(*run.go_on_after),
        }
        return TemplateResponse(request, "admin/balance/member_ledger.html", context)


def _position(text: str) -> Position | None:
    number, _, account_id = text.partition("~")
    is_number = number.isascii() and number.isdecimal() and len(number) <= LONGEST_NUMBER
    return Position(int(number), account_id) if is_number else None


class TransferInline(ReadOnly, _TransferInline):
    model = Transfer
    fields = ("position", "debit", "credit", "amount", "debit_after", "credit_after")
    readonly_fields = fields
    ordering = ("position",)
    extra = 0

    @admin.display(description="debited")
    def debit(self, transfer: Transfer) -> str:
        return _account_link(transfer.debit_account_id)

    @admin.display(description="credited")
    def credit(self, transfer: Transfer) -> str:
        return _account_link(transfer.credit_account_id)

    @admin.display(description="amount")
    def amount(self, transfer: Transfer) -> str:
        return _money(transfer.amount_minor, transfer)

    @admin.display(description="debited account after it")
    def debit_after(self, transfer: Transfer) -> str:
        return _money(transfer.debit_balance_minor, transfer)

    @admin.display(description="credited account after it")
    def credit_after(self, transfer: Transfer) -> str:
        return _money(transfer.credit_balance_minor, transfer)


def _account_link(account_id: str) -> str:
    owner, kind, _ = account_id.split(":")
    if kind in MEMBER_KINDS:
        url = f"{reverse('admin:balance_member_ledger', args=[owner])}?account={account_id}"
    else:
        url = reverse("admin:balance_ledgeraccount_change", args=[account_id])
    return format_html('<a href="{}">{}</a>', url, account_id)


def _money(minor: int | None, transfer: Transfer) -> str:
    return "-" if minor is None else str(Money(minor, transfer.currency))


@admin.register(Posting)
class PostingAdmin(LedgerPage):
    list_display = ("id", "recorded_at", "effective_at", "event", "reference", "key", "actor")
    search_help_text = "Id, key or reference, in full"
    ordering = ("-id",)
    fields = (
        *("id", "key", "event", "reference", "actor", "reason", "effective_at", "recorded_at"),
        *("undoes", "undone_by", "fingerprint"),
    )
    readonly_fields = fields
    inlines = (TransferInline,)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Posting], search_term: str
    ) -> tuple[QuerySet[Posting], bool]:
        term = search_term.strip()
        return (queryset.filter(id__in=_posting_ids(term)) if term else queryset), False

    @admin.display(description="undoes")
    def undoes(self, posting: Posting) -> str:
        return "-" if posting.reverses_id is None else _posting_link(posting.reverses_id)

    @admin.display(description="undone by")
    def undone_by(self, posting: Posting) -> str:
        by = Posting.objects.filter(reverses_id=posting.id).values_list("id", flat=True).first()
        if by is not None:
            return _posting_link(by)
        url = f"{reverse('admin:balance_correction_add')}?posting={posting.id}"
        return format_html('- (<a href="{}">ask for a correction</a>)', url)


def _posting_link(posting_id: str) -> str:
    url = reverse("admin:balance_posting_change", args=[posting_id])
    return format_html('<a href="{}">{}</a>', url, posting_id)


@admin.register(Transfer)
class TransferAdmin(LedgerPage):
    list_display = ("id", "posting_link", "debit_account_id", "credit_account_id", "amount")
    search_help_text = "Id, or the id, key or reference of its posting; of a member see the member's ledger"
    ordering = ("-id",)
    fields = (
        *("id", "posting_link", "position", "debit_account_id", "credit_account_id", "amount"),
        *("debit_entry", "debit_balance_minor", "credit_entry", "credit_balance_minor"),
    )
    readonly_fields = fields

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Transfer], search_term: str
    ) -> tuple[QuerySet[Transfer], bool]:
        term = search_term.strip()
        if not term:
            return queryset, False
        if len(term) > ID_LENGTH and term[ID_LENGTH] == "-":
            return queryset.filter(id=term), False
        return queryset.filter(posting_id__in=_posting_ids(term)), False

    @admin.display(description="posting")
    def posting_link(self, transfer: Transfer) -> str:
        return _posting_link(transfer.posting_id)

    @admin.display(description="amount")
    def amount(self, transfer: Transfer) -> str:
        return _money(transfer.amount_minor, transfer)


@admin.register(Hold)
class HoldAdmin(LedgerPage):
    """Money set aside. One that a broken checkout left behind ends by itself, or is released here."""

    list_display = (
        *("id", "status", "ledger", "amount", "captured", "reference", "key"),
        *("placed_at", "expires_at", "ended_at"),
    )
    search_help_text = "Id, key, or id of a member"
    ordering = ("-id",)
    fields = (*list_display, "ended_by")
    readonly_fields = fields
    actions = ("release_holds",)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Hold], search_term: str
    ) -> tuple[QuerySet[Hold], bool]:
        term = search_term.strip()
        if not term:
            return queryset, False
        found: set[str] = set()
        for field in ("id", "key", "member_id"):
            rows = Hold.objects.filter(**{field: term}).order_by("-id")
            found.update(rows.values_list("id", flat=True)[:MOST_ROWS])
        return queryset.filter(id__in=found), False

    def has_release_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm("balance.change_hold"))

    @admin.display(description="member's ledger")
    def ledger(self, hold: Hold) -> str:
        return member_ledger_link(hold.member_id)

    @admin.display(description="amount")
    def amount(self, hold: Hold) -> str:
        return str(Money(hold.amount_minor, hold.currency))

    @admin.display(description="captured")
    def captured(self, hold: Hold) -> str:
        used = hold.status == HoldStatus.CAPTURED
        return str(Money(hold.captured_minor, hold.currency)) if used else "-"

    @admin.action(description="Release: give the money back…", permissions=["release"])
    def release_holds(self, request: HttpRequest, chosen: QuerySet[Hold]) -> HttpResponse | None:
        form, page = ask(request, NoteForm, chosen, "Give this money back to its members")
        if page is not None:
            return page
        note, actor, now = form.cleaned_data["note"], f"staff:{request.user.pk}", clock.now()

        def release(hold: Hold) -> None:
            release_hold(key=hold.key, actor=actor, reason=note, now=now)

        for_each(self, request, chosen, release, f"Released. {note}")
        return None


@admin.register(StatementCalendar)
class StatementCalendarAdmin(LedgerPage):
    list_display = ("member_id", "time_zone", "fixed_at")
    search_fields = ("=member__id",)
    search_help_text = "Id of a member"
    ordering = ("member_id",)
