"""For tax staff: what was compiled, line by line, and the exchange rates."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html

from dac7.models import Compilation, ExchangeRate, FrozenSeller, FrozenTotal
from dac7.queries.figures import find_compilation, find_frozen, get_explanation, iter_differences
from foundation.admin import ReadOnly
from foundation.money import Money

if TYPE_CHECKING:
    _CompilationAdmin = admin.ModelAdmin[Compilation]
    _SellerAdmin = admin.ModelAdmin[FrozenSeller]
    _RateAdmin = admin.ModelAdmin[ExchangeRate]
    _TotalInline = admin.TabularInline[FrozenTotal, Compilation]
else:  # generic only in the stubs, not at run time
    _CompilationAdmin = _SellerAdmin = _RateAdmin = admin.ModelAdmin
    _TotalInline = admin.TabularInline

MOST_ROWS = 1_000


class TotalInline(ReadOnly, _TotalInline):
    model = FrozenTotal
    fields = ("decision", "sellers", "activities", "consideration", "fees")
    readonly_fields = fields
    extra = 0

    @admin.display(description="consideration")
    def consideration(self, row: FrozenTotal) -> Money:
        return Money(row.consideration_minor, row.currency)

    @admin.display(description="fees")
    def fees(self, row: FrozenTotal) -> Money:
        return Money(row.fees_minor, row.currency)


@admin.register(Compilation)
class CompilationAdmin(ReadOnly, _CompilationAdmin):
    """One for each filing, with its sums; differences to the one before have their link here."""

    list_display = ("id", "year", "state", "as_of", "finished_at", "differences_link")
    list_filter = ("year", "state")
    ordering = ("-as_of",)
    show_full_result_count = False
    fields = ("id", "year", "state", "as_of", "finished_at", "fingerprint", "differences_link")
    readonly_fields = fields
    inlines = (TotalInline,)

    def get_urls(self) -> list[URLPattern]:
        """Before the admin's own, of which one takes any path for an id."""
        view = self.admin_site.admin_view
        page = path(
            "<str:before_id>/differences/<str:after_id>/", view(self.differences), name="dac7_differences"
        )
        return [page, *super().get_urls()]

    @admin.display(description="differences")
    def differences_link(self, compilation: Compilation) -> str:
        """To the same year's compilation before it."""
        earlier = Compilation.objects.filter(
            year=compilation.year,
            state=compilation.state,
            as_of__lt=compilation.as_of,
            finished_at__isnull=False,
        )
        before = earlier.order_by("-as_of").first()
        if before is None:
            return "the first of its year"
        url = reverse("admin:dac7_differences", args=[before.id, compilation.id])
        return format_html('<a href="{}">to the one before</a>', url)

    def differences(self, request: HttpRequest, before_id: str, after_id: str) -> HttpResponse:
        """Who is said differently, quarter by quarter; the first MOST_ROWS."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        compilations = [find_compilation(before_id), find_compilation(after_id)]
        if None in compilations:
            raise Http404
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": "Differences between two compilations",
            "compilations": compilations,
            "differences": list(islice(iter_differences(before_id, after_id), MOST_ROWS)),
            "most": MOST_ROWS,
        }
        return TemplateResponse(request, "admin/dac7/differences.html", context)


@admin.register(FrozenSeller)
class FrozenSellerAdmin(ReadOnly, _SellerAdmin):
    list_display = ("seller_key", "compilation", "activities", "euros", "warnings", "lines_link")
    list_filter = ("warnings",)
    search_fields = ("=seller_key", "=compilation__id")
    search_help_text = "Id of a member or a filing"
    ordering = ("-compilation", "seller_key")
    show_full_result_count = False
    list_select_related = ("compilation",)
    fields = (
        *("compilation", "seller_key", "member_ids", "activities", "euros", "quarters", "warnings"),
        "lines_link",
    )
    readonly_fields = fields

    def get_urls(self) -> list[URLPattern]:
        """Before the admin's own, of which one takes any path for an id."""
        view = self.admin_site.admin_view
        page = path("<str:filing_id>/<str:seller_key>/lines/", view(self.lines), name="dac7_lines")
        return [page, *super().get_urls()]

    @admin.display(description="lines")
    def lines_link(self, row: FrozenSeller) -> str:
        url = reverse("admin:dac7_lines", args=[row.compilation_id, row.seller_key])
        return format_html('<a href="{}">which sales, which rate</a>', url)

    def lines(self, request: HttpRequest, filing_id: str, seller_key: str) -> HttpResponse:
        """Every activity behind the four quarters; the first MOST_ROWS."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        figures = find_frozen(filing_id, seller_key)
        if figures is None:
            raise Http404
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": f"What the figures of {seller_key} are made of",
            "figures": figures,
            "lines": get_explanation(filing_id, seller_key)[:MOST_ROWS],
            "most": MOST_ROWS,
        }
        return TemplateResponse(request, "admin/dac7/lines.html", context)


@admin.register(ExchangeRate)
class ExchangeRateAdmin(ReadOnly, _RateAdmin):
    list_display = ("day", "currency", "per_euro", "loaded_at")
    list_filter = ("currency",)
    date_hierarchy = "day"
    ordering = ("-day", "currency")
    show_full_result_count = False
    fields = list_display
    readonly_fields = fields
