"""A member's entries, and the cursor through them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.core import signing
from django.utils.translation import get_language
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from balance.api import shapes
from balance.api.answers import entry_body
from balance.api.balances import refuse_the_future
from balance.api.documented import ACCEPT_LANGUAGE, INVALID_PERIOD
from balance.chart import Event
from balance.errors import InvalidPeriod
from balance.queries.entries import Entry, EntryFilter, Position, list_entries, list_member_accounts
from foundation import clock
from foundation.api.pagination import InvalidCursor, Page, page_body, page_serializer
from foundation.api.views import ApiView
from foundation.errors import FieldProblem
from foundation.languages import supported

_SALT = "balance.entries.cursor"


@dataclass(frozen=True, slots=True)
class EntryPage:
    """As foundation's CursorPage, for a list that comes from two sides of one table and several accounts."""

    sort: str
    limit: int
    cursor: str | None

    def slice(self, account_ids: list[str], wanted: EntryFilter) -> Page[Entry]:
        """Raises InvalidCursor."""
        newest_first = self.sort.startswith("-")
        backwards, after = (False, None) if self.cursor is None else self._decode(self.cursor)
        run = list_entries(
            account_ids, wanted, limit=self.limit, newest_first=newest_first != backwards, after=after
        )
        entries = run.entries[::-1] if backwards else run.entries
        onwards = self._encode(backwards, run.go_on_after)
        back = None
        if after is not None:
            # An empty page leads back to where it started, the entry there included.
            here = Position(after.number, "" if newest_first != backwards else "~")
            back = self._encode(not backwards, run.entries[0].position if run.entries else here)
        return Page(entries, *((back, onwards) if backwards else (onwards, back)))

    def _encode(self, backwards: bool, position: Position | None) -> str | None:
        if position is None:
            return None
        return signing.dumps([self.sort, backwards, *position], salt=_SALT)

    def _decode(self, cursor: str) -> tuple[bool, Position]:
        try:
            sort, backwards, number, account_id = signing.loads(cursor, salt=_SALT)
        except (signing.BadSignature, ValueError, TypeError):  # the latter two: of another version of us
            raise InvalidCursor from None
        if sort != self.sort:
            raise InvalidCursor("Start again from the first page after changing the sort.")
        return backwards, Position(number, account_id)


class EntriesView(ApiView):
    query_serializers = {"GET": shapes.EntriesQuery}

    @extend_schema(
        operation_id="balance_entries_list",
        summary="What changed your balance",
        description="One entry for each change of one of your accounts: money that is set aside leaves one "
        "and enters another. A page may hold fewer entries than `limit` although there are more: the list "
        "ends where `next` is null.",
        parameters=[shapes.EntriesQuery, ACCEPT_LANGUAGE],
        responses={200: page_serializer("EntryPageSerializer", shapes.EntrySerializer), 422: INVALID_PERIOD},
    )
    def get(self, request: Request) -> Response:
        query, now = self.query(), clock.now()
        since, until = query.get("from"), query.get("to")
        refuse_the_future("from", since, now)
        if since is not None and until is not None and until < since:
            raise InvalidPeriod(errors=[FieldProblem("/to", "ends_before_start", "Lies before `from`.")])
        accounts = list_member_accounts(
            str(request.user.pk), kind=query.get("account"), currency=query.get("currency")
        )
        event = query.get("event")
        wanted = EntryFilter(
            event=None if event is None else Event(event),
            reference=query.get("reference"),
            recorded_from=since,
            recorded_until=until,
        )
        page = EntryPage(query["sort"], query["limit"], query.get("cursor")).slice(accounts, wanted)
        language = supported(get_language())

        def render(entry: Entry) -> dict[str, Any]:
            return entry_body(entry, language)

        return Response(page_body(request, page, render))
