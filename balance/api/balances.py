"""What a member has."""

from __future__ import annotations

import datetime as dt

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from balance.api import shapes
from balance.api.answers import balance_body, content_etag
from balance.api.documented import IF_NONE_MATCH, INVALID_PERIOD, NOT_MODIFIED
from balance.errors import InvalidPeriod
from balance.queries.balances import list_standings, list_standings_at
from balance.services.blocks import list_blocks
from foundation import clock
from foundation.api import etags
from foundation.api.views import ApiView
from foundation.errors import FieldProblem
from members.queries import get_member_facts


def refuse_the_future(parameter: str, at: dt.datetime | None, now: dt.datetime) -> None:
    """Raises InvalidPeriod: what is not over yet could still change."""
    if at is not None and at > now:
        raise InvalidPeriod(errors=[FieldProblem(f"/{parameter}", "in_the_future", "Lies in the future.")])


class BalanceView(ApiView):
    query_serializers = {"GET": shapes.BalanceQuery}

    @extend_schema(
        operation_id="balance_retrieve",
        summary="Your balance",
        description="One entry per currency in which you have or had money. `at` asks for the past.",
        parameters=[shapes.BalanceQuery, IF_NONE_MATCH],
        responses={200: shapes.BalanceSerializer, 304: NOT_MODIFIED, 422: INVALID_PERIOD},
    )
    def get(self, request: Request) -> Response:
        now, at = clock.now(), self.query().get("at")
        refuse_the_future("at", at, now)
        me = get_member_facts(str(request.user.pk))
        if at is None:
            standings = list_standings(me.id, me.currency)
        else:
            standings = list_standings_at(me.id, me.currency, at)
        body = balance_body(standings, list_blocks(member_id=me.id, now=now), at)
        etag = content_etag("balance", body)
        return etags.not_modified(request, etag) or Response(body, headers={"ETag": etag})
