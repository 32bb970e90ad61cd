"""Keyset pagination: stable under inserts, as fast on page 1,000 as on page 1, no total count.

DRF's CursorPagination positions on one column and counts an offset within equal values; sorting
by price has thousands of equal values, so the position here is (sort column, id).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar
from urllib.parse import urlencode

from django.core import signing
from django.db.models import Q, QuerySet
from rest_framework import serializers
from rest_framework.request import Request

from foundation.api.serializers import StrictSerializer
from foundation.errors import Malformed

T = TypeVar("T")
Row = TypeVar("Row", bound=Mapping[str, Any])

DEFAULT_LIMIT = 20
MAX_LIMIT = 100
_SALT = "foundation.cursor"


class InvalidCursor(Malformed):
    code = "invalid_cursor"
    title = "The cursor is broken or belongs to another list"


class PageQuery(StrictSerializer):
    """Query parameters of every list."""

    limit = serializers.IntegerField(min_value=1, max_value=MAX_LIMIT, default=DEFAULT_LIMIT)
    cursor = serializers.CharField(required=False, max_length=2000)


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """One page of a list, with the cursors of its neighbours (None at an end)."""

    results: Sequence[T]
    next: str | None
    previous: str | None


@dataclass(frozen=True, slots=True)
class CursorPage:
    """The position in a list sorted by one column and then by `id`; `-` in front means descending.

    The column must not be nullable: NULL has no place in a comparison. The cursor is signed and names
    its table and sort, so a broken one is told from a foreign one and neither reaches the database.
    """

    sort: str
    limit: int
    cursor: str | None

    def _order(self) -> tuple[str, bool]:
        return self.sort.removeprefix("-"), self.sort.startswith("-")

    def slice(self, rows: QuerySet[Any, Row]) -> Page[Row]:
        """The page of `rows`, a values() queryset that contains `id` and the sort field.

        One SQL statement. Raises InvalidCursor.
        """
        field, descending = self._order()
        backwards = False
        if self.cursor is not None:
            backwards, position, last_id = self._decode(rows, self.cursor)
            rows = rows.filter(self._after(field, position, last_id, descending != backwards))
        direction = "-" if descending != backwards else ""
        keys = [f"{direction}{field}"] if field == "id" else [f"{direction}{field}", f"{direction}id"]
        found = list(rows.order_by(*keys)[: self.limit + 1])
        more = len(found) > self.limit
        found = found[: self.limit]
        if backwards:
            found.reverse()
        has_next = bool(found) and (backwards or more)
        has_previous = bool(found) and (more if backwards else self.cursor is not None)
        return Page(
            results=found,
            next=self._encode(rows, False, found[-1]) if has_next else None,
            previous=self._encode(rows, True, found[0]) if has_previous else None,
        )

    @staticmethod
    def _after(field: str, position: Any, last_id: str, smaller: bool) -> Q:
        beyond = "lt" if smaller else "gt"
        if field == "id":
            return Q(**{f"id__{beyond}": last_id})
        # The first condition is implied by the second; it lets the index range start at the position.
        return Q(**{f"{field}__{beyond}e": position}) & (
            Q(**{f"{field}__{beyond}": position}) | Q(**{field: position, f"id__{beyond}": last_id})
        )

    def _encode(self, rows: QuerySet[Any, Any], backwards: bool, row: Mapping[str, Any]) -> str:
        field, _ = self._order()
        value = row[field]
        if value is None:
            raise TypeError(f"a list cannot be sorted by {field}: it holds NULL")
        kind = "t" if isinstance(value, datetime) else "v"
        stored = value.isoformat() if isinstance(value, datetime) else value
        table = rows.model._meta.db_table
        return signing.dumps([table, self.sort, backwards, kind, stored, row["id"]], salt=_SALT)

    def _decode(self, rows: QuerySet[Any, Any], cursor: str) -> tuple[bool, Any, str]:
        try:
            table, sort, backwards, kind, value, last_id = signing.loads(cursor, salt=_SALT)
        except (signing.BadSignature, ValueError, TypeError):  # the latter two: of another version of us
            raise InvalidCursor from None
        if table != rows.model._meta.db_table:
            raise InvalidCursor("This cursor belongs to another list.")
        if sort != self.sort:
            raise InvalidCursor("Start again from the first page after changing the sort.")
        return backwards, datetime.fromisoformat(value) if kind == "t" else value, last_id


def page_body(request: Request, page: Page[T], render: Callable[[T], Any]) -> dict[str, Any]:
    """The documented shape of a list, with absolute links that keep the other parameters."""

    def link(cursor: str | None) -> str | None:
        if cursor is None:
            return None
        query = {**request.query_params.dict(), "cursor": cursor}
        return f"{request.build_absolute_uri(request.path)}?{urlencode(query)}"

    return {
        "results": [render(item) for item in page.results],
        "next": link(page.next),
        "previous": link(page.previous),
    }


def page_serializer(name: str, item: type[serializers.Serializer[Any]]) -> type[serializers.Serializer[Any]]:
    """The response shape of a list of `item`, for the OpenAPI document."""
    fields: dict[str, Any] = {
        "results": item(many=True),
        "next": serializers.URLField(allow_null=True),
        "previous": serializers.URLField(allow_null=True),
        "__doc__": f"A page of {item.__name__.removesuffix('Serializer')}.",
    }
    return type(name, (serializers.Serializer,), fields)
