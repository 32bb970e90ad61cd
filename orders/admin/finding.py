"""What the pages of orders have in common: rows that are looked up by ids."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest

from foundation.admin import ReadOnly

if TYPE_CHECKING:
    Admin = admin.ModelAdmin[Any]
    Inline = admin.TabularInline[Any, Any]
else:  # generic only in the stubs, not at run time
    Admin = admin.ModelAdmin
    Inline = admin.TabularInline


class FoundById(ReadOnly, Admin):
    """Rows that are looked up by the ids in `looked_up`, each the beginning of an index."""

    looked_up: tuple[str, ...] = ("id",)
    # Searched by get_search_results; without a field here the admin shows no box for it.
    search_fields = ("=id",)
    show_full_result_count = False

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        if not search_term:
            return queryset, False
        wanted = Q.create([(column, search_term) for column in self.looked_up], connector=Q.OR)
        return queryset.filter(wanted), False
