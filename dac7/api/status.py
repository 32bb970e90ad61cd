"""How far a seller is from being reported, and what happens next."""

from __future__ import annotations

from typing import Any

from django.utils.translation import get_language
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from dac7.lifecycle.diligence import OPEN
from dac7.queries.status import TaxStatus, get_tax_status
from dac7.services.rates import rates_of_year
from dac7.services.watching import rules_now
from dac7.steps import Step
from dac7.thresholds import Standing
from foundation import clock
from foundation.api.serializers import MoneySerializer
from foundation.api.views import ApiView
from foundation.languages import supported
from foundation.money import Money

_LANGUAGE = OpenApiParameter(
    "Accept-Language", str, OpenApiParameter.HEADER, description="Language of `why`: en, de, fr, lt."
)

REQUEST_STATUSES = [(one.value, one.value) for one in OPEN]


class TaxLimitsSerializer(serializers.Serializer[Any]):
    """From either of them on, sales are reported."""

    sales = serializers.IntegerField(help_text="With so many sales in the year they are reported.")
    amount = MoneySerializer(help_text="With more than this they are.")
    amount_itself = serializers.BooleanField(help_text="Whether exactly this amount is reported as well.")


class TaxStepSerializer(serializers.Serializer[Any]):
    """Something that happens, or may."""

    step = serializers.ChoiceField(choices=[(one.value, one.value) for one in Step])
    on = serializers.DateField(allow_null=True, help_text="The day, or the last one possible. Null: no day.")
    why = serializers.CharField(help_text="In words, in the language asked for.")


class TaxRequestSerializer(serializers.Serializer[Any]):
    """What we asked you for."""

    status = serializers.ChoiceField(choices=REQUEST_STATUSES)
    requested_at = serializers.DateTimeField()
    next_letter_at = serializers.DateTimeField(allow_null=True, help_text="Unless you answer before.")


class TaxStatusSerializer(serializers.Serializer[Any]):
    """Your year so far, in the time zone of the operator."""

    year = serializers.IntegerField()
    time_zone = serializers.CharField(help_text="By whose days the year is counted.")
    sales = serializers.IntegerField(
        help_text="Orders credited to you, on all your accounts, and not refunded whole; a bundle is one."
    )
    net = MoneySerializer(many=True, help_text="What they brought you, by currency, less refunds.")
    net_in_euros = MoneySerializer(help_text="All of it, at the European Central Bank's rates of those days.")
    limits = TaxLimitsSerializer()
    sales_left = serializers.IntegerField(help_text="So many more without being reported.")
    amount_left = MoneySerializer()
    standing = serializers.ChoiceField(
        choices=[(one.value, one.value) for one in Standing],
        help_text="`near`: 25 sales or EUR 1,700; `over`: will be reported.",
    )
    information_complete = serializers.BooleanField(help_text="What is missing: GET /tax-profile.")
    request = TaxRequestSerializer(allow_null=True)
    next = TaxStepSerializer(many=True, help_text="In the order in which it happens.")


class TaxStatusView(ApiView):
    @extend_schema(
        operation_id="tax_status_retrieve",
        summary="How far you are from a tax report, and what happens next",
        description="Counted from the ledger as it is now; what counts is the day on which money became "
        "available to you.",
        parameters=[_LANGUAGE],
        responses=TaxStatusSerializer,
    )
    def get(self, request: Request) -> Response:
        now = clock.now()
        year, rules = rules_now(now)
        member_id = str(request.user.pk)
        status = get_tax_status(member_id, year=year, rules=rules, rates=rates_of_year(year), now=now)
        return Response(_body(status, supported(get_language())))


def _body(status: TaxStatus, language: str) -> dict[str, Any]:
    rules, request = status.rules, status.request
    return {
        "year": status.year,
        "time_zone": rules.time_zone,
        "sales": status.sales,
        "net": [amount.as_json() for amount in status.net],
        "net_in_euros": status.euros.as_json(),
        "limits": {
            "sales": rules.activities_below,
            "amount": Money(int(rules.limit * 100), "EUR").as_json(),
            "amount_itself": rules.is_limit_reported,
        },
        "sales_left": status.sales_left,
        "amount_left": status.euros_left.as_json(),
        "standing": status.standing.value,
        "information_complete": status.is_complete,
        "request": None
        if request is None
        else {
            "status": request.status,
            "requested_at": request.requested_at,
            "next_letter_at": request.due_at,
        },
        "next": [{"step": one.step.value, "on": one.on, "why": one.why(language)} for one in status.steps],
    }
