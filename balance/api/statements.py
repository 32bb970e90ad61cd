"""Monthly statements: as JSON, CSV or PDF."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import structlog
from django.http import HttpResponseBase, StreamingHttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from balance import metrics
from balance.api import shapes
from balance.api.answers import month_body, statement_body
from balance.errors import StatementNotFound
from balance.months import Month
from balance.queries.statements import get_period, list_months, list_sections, read_lines
from balance.services.statements import fix_calendar
from balance.statements.csv_rows import csv_lines
from balance.statements.pdf import render_pdf
from foundation import clock
from foundation.api.rendering import JsonRenderer
from foundation.api.views import ApiView
from foundation.languages import supported
from members.queries import get_member_facts

logger = structlog.get_logger(__name__)


class _Document(BaseRenderer):
    """For what is bytes already."""

    charset = None
    render_style = "binary"

    def render(
        self,
        data: Any,
        accepted_media_type: str | None = None,
        renderer_context: Mapping[str, Any] | None = None,
    ) -> bytes:
        return bytes(data or b"")


class CsvRenderer(_Document):
    media_type = "text/csv"
    format = "csv"


class PdfRenderer(_Document):
    media_type = "application/pdf"
    format = "pdf"


class StatementsView(ApiView):
    @extend_schema(
        operation_id="balance_statements_list",
        summary="The months that have a statement, the latest first",
        description="A month begins at midnight in the time zone of the country you were in when you first "
        "asked for a statement, wherever you move later.",
        responses={200: shapes.StatementMonthListSerializer},
    )
    def get(self, request: Request) -> Response:
        member_id, now = str(request.user.pk), clock.now()
        zone = fix_calendar(member_id=member_id, now=now)
        months = [
            month_body(month, zone, is_closed=month.is_closed(zone, now))
            for month in list_months(member_id, zone, now)
        ]
        return Response({"results": months, "next": None, "previous": None})


class StatementView(ApiView):
    query_serializers = {"GET": shapes.StatementQuery}
    renderer_classes = (JsonRenderer, CsvRenderer, PdfRenderer)

    def perform_content_negotiation(self, request: Request, force: bool = False) -> tuple[BaseRenderer, str]:
        wanted = request.query_params.get("format")
        for renderer in self.get_renderers():
            if renderer.format == wanted:
                return renderer, renderer.media_type
        return super().perform_content_negotiation(request, force)

    @extend_schema(
        operation_id="balance_statements_retrieve",
        summary="A month of your money",
        description="As JSON, CSV or PDF, by Accept or `format`, in the language of your profile. It goes by "
        "when the ledger learned of something, so that a closed month never changes. JSON and PDF hold "
        "10,000 lines at most, CSV all of them; the last row of a complete CSV is a closing balance.",
        parameters=[shapes.StatementQuery],
        responses={
            (200, "application/json"): shapes.StatementSerializer,
            (200, "text/csv"): OpenApiTypes.STR,
            (200, "application/pdf"): OpenApiTypes.BINARY,
            404: OpenApiResponse(description="`statement_not_found`."),
            406: OpenApiResponse(description="`not_acceptable`: none of the three forms."),
            422: OpenApiResponse(description="`statement_too_long`: ask for text/csv."),
        },
    )
    def get(self, request: Request, month: str) -> HttpResponseBase:
        me, now = get_member_facts(str(request.user.pk)), clock.now()
        zone = fix_calendar(member_id=me.id, now=now)
        try:
            period = get_period(me.id, Month.parse(month), zone, now)
        except ValueError:
            raise StatementNotFound(f"{month!r} is no month.") from None
        sections, language = list_sections(period, me.currency), supported(me.language)
        form = request.accepted_renderer.format
        response: HttpResponseBase
        if form == "csv":
            response = StreamingHttpResponse(
                csv_lines(period, sections, language), content_type="text/csv; charset=utf-8"
            )
        else:
            read = [(section, read_lines(section)) for section in sections]
            response = Response(
                statement_body(period, read, language)
                if form == "json"
                else render_pdf(period, read, name=me.display_name, language=language)
            )
        if form != "json":
            response["Content-Disposition"] = f'attachment; filename="statement-{period.month}.{form}"'
        metrics.STATEMENTS.labels(form).inc()
        logger.info("statement_given", member_id=me.id, month=str(period.month), form=form)
        return response
