"""The seller's copy of what is reported: as JSON or PDF."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import structlog
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from dac7 import filing_metrics as metrics
from dac7.errors.filings import StatementNotFound
from dac7.message.records import Quarter
from dac7.queries.filings import find_statement_record
from dac7.statements.pdf import render_pdf
from dac7.statements.statement import Statement, masked, statement_of
from foundation.api.rendering import JsonRenderer
from foundation.api.serializers import MoneySerializer, StrictSerializer
from foundation.api.views import ApiView
from foundation.languages import supported
from foundation.money import Money, exponent_of
from members.queries import get_member_facts

logger = structlog.get_logger(__name__)


class StatementPdfRenderer(BaseRenderer):
    media_type = "application/pdf"
    format = "pdf"
    charset = None
    render_style = "binary"

    def render(
        self,
        data: Any,
        accepted_media_type: str | None = None,
        renderer_context: Mapping[str, Any] | None = None,
    ) -> bytes:
        return bytes(data or b"")


class TaxStatementQuery(StrictSerializer):
    """Query parameters of a tax statement."""

    format = serializers.ChoiceField(choices=["json", "pdf"], required=False, help_text="Wins over Accept")


class TaxStatementQuarterSerializer(serializers.Serializer[Any]):
    """Whole units of the currency, written in minor units as all money is."""

    quarter = serializers.IntegerField(min_value=1, max_value=4)
    consideration = MoneySerializer(help_text="Paid or credited to you, less our fees")
    activities = serializers.IntegerField(help_text="Sales")
    fees = MoneySerializer()
    taxes = MoneySerializer()


class TaxStatementSerializer(serializers.Serializer[Any]):
    """What is reported of a seller for a year."""

    year = serializers.IntegerField()
    state = serializers.CharField(help_text="Whose tax authority gets it, ISO 3166-1")
    reference = serializers.CharField(help_text="The record's id in the report")
    operator = serializers.CharField()
    reported_at = serializers.DateTimeField(allow_null=True, help_text="Null: about to be reported")
    is_withdrawn = serializers.BooleanField(help_text="The report was taken back; the figures count no more")
    name = serializers.CharField()
    residences = serializers.ListField(child=serializers.CharField())
    tins = serializers.ListField(child=serializers.CharField(), help_text="State and the last digits")
    account = serializers.CharField(allow_null=True, help_text="The last digits")
    quarters = TaxStatementQuarterSerializer(many=True)


def _quarter_body(number: int, quarter: Quarter) -> dict[str, object]:
    factor = 10 ** exponent_of(quarter.currency)
    amounts = {
        name: Money(getattr(quarter, name) * factor, quarter.currency).as_json()
        for name in ("consideration", "fees", "taxes")
    }
    return {"quarter": number, "activities": quarter.activities, **amounts}


def _body(statement: Statement) -> dict[str, object]:
    seller = statement.seller
    return {
        "year": statement.year,
        "state": statement.state,
        "reference": statement.reference,
        "operator": statement.operator,
        "reported_at": statement.reported_at,
        "is_withdrawn": statement.is_withdrawn,
        "name": seller.name,
        "residences": list(seller.residences),
        "tins": [f"{tin.issued_by} {masked(tin.value)}" for tin in seller.tins],
        "account": masked(seller.account.identifier) if seller.account else None,
        "quarters": [_quarter_body(n, quarter) for n, quarter in enumerate(statement.quarters, 1)],
    }


class TaxStatementView(ApiView):
    query_serializers = {"GET": TaxStatementQuery}
    renderer_classes = (JsonRenderer, StatementPdfRenderer)

    def perform_content_negotiation(self, request: Request, force: bool = False) -> tuple[BaseRenderer, str]:
        wanted = request.query_params.get("format")
        for renderer in self.get_renderers():
            if renderer.format == wanted:
                return renderer, renderer.media_type
        return super().perform_content_negotiation(request, force)

    @extend_schema(
        operation_id="tax_statements_retrieve",
        summary="What is reported of you to the tax authority for a year",
        description="There from the day on which the report is approved, at the latest by 31 January; a "
        "correction takes the place of what it corrects. The same figures as in the report, for all your "
        "accounts together.",
        parameters=[TaxStatementQuery],
        responses={
            (200, "application/json"): TaxStatementSerializer,
            (200, "application/pdf"): OpenApiTypes.BINARY,
            404: OpenApiResponse(
                description="`tax_statement_not_found`: you are not reported for this year."
            ),
            406: OpenApiResponse(description="`not_acceptable`: neither of the two forms."),
        },
    )
    def get(self, request: Request, year: int) -> Response:
        me = get_member_facts(str(request.user.pk))
        record = find_statement_record(me.id, year)
        if record is None:
            raise StatementNotFound(f"Nothing is reported of you for {year}.")
        statement = statement_of(record)
        form = request.accepted_renderer.format
        if form == "pdf":
            response = Response(render_pdf(statement, language=supported(me.language)))
            response["Content-Disposition"] = f'attachment; filename="tax-statement-{year}.pdf"'
        else:
            response = Response(_body(statement))
        response["Cache-Control"] = "private, no-store"
        metrics.STATEMENTS.labels(form).inc()
        logger.info("tax_statement_given", member_id=me.id, year=year, form=form)
        return response
