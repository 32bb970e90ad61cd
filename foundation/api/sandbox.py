"""/api/v1/sandbox/clock, and what the sandbox endpoints of all apps have in common (docs/sandbox.md)."""

from __future__ import annotations

import re
import time
from dataclasses import asdict
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.urls import URLPattern, path
from django.utils.dateparse import parse_duration
from django.utils.duration import duration_iso_string
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse

from foundation import tasks
from foundation.api.serializers import InstantField, StrictSerializer
from foundation.api.views import ApiView
from foundation.api.waiting import MAX_WAIT_S, prefer_wait, wait_for
from foundation.doorbell import ring
from foundation.errors import NotFound
from foundation.sandbox import advancing

# ISO 8601 without years and months, which have no fixed length, and without weeks.
_DURATION = re.compile(r"P(?=.)(\d{1,5}D)?(T(?=\d)(\d{1,6}H)?(\d{1,6}M)?(\d{1,6}(\.\d{1,6})?S)?)?", re.ASCII)
_RESPOND_ASYNC = re.compile(r"(^|,)\s*respond-async\s*(,|;|$)", re.IGNORECASE)

OFF = OpenApiResponse(description="`not_found`: the service runs without SANDBOX.")
PREFER = OpenApiParameter(
    "Prefer",
    str,
    OpenApiParameter.HEADER,
    description=f"`wait=N` (at most {MAX_WAIT_S}): answer when it is there, at the latest after N seconds.",
)


class SandboxView(ApiView):
    """Signed-in members of a sandbox; 404 for every member anywhere else."""

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        # Another method is answered 405, as everywhere.
        if request.method in self.allowed_methods and not settings.SANDBOX:
            raise NotFound("The sandbox is switched off.")


@extend_schema_field(OpenApiTypes.DURATION)
class DurationField(serializers.Field[timedelta, str, str, timedelta]):
    """An ISO 8601 duration of days, hours, minutes and seconds: P2DT12H."""

    default_error_messages = {"invalid": "An ISO 8601 duration such as P2D, PT36H or P1DT30M."}

    def to_internal_value(self, data: Any) -> timedelta:
        value = parse_duration(data) if isinstance(data, str) and _DURATION.fullmatch(data) else None
        if value is None:
            self.fail("invalid")
        return value

    def to_representation(self, value: timedelta) -> str:
        return duration_iso_string(value)


class AdvanceSerializer(StrictSerializer):
    """One of the two."""

    by = DurationField(required=False, help_text="How far: P2D, PT36H. At most 366 days.")
    to = InstantField(required=False, help_text="Until when; it must be to come.")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if len(attrs) != 1:
            raise serializers.ValidationError("Send either by or to.", code="one_of_two")
        return attrs


class ClockSerializer(serializers.Serializer[Any]):
    """The clock of the installation."""

    now = serializers.DateTimeField(help_text="What every deadline is compared with.")
    ahead = DurationField(help_text="Of real time.")
    advancing_to = serializers.DateTimeField(
        allow_null=True,
        help_text="It is on its way there, and does what is due. Null: it stands.",
    )
    done = serializers.DictField(
        child=serializers.IntegerField(),
        help_text="While it was last advanced: how much each sweeper did (docs/sandbox.md names them).",
    )
    failed = serializers.ListField(
        child=serializers.CharField(), help_text="Sweepers that failed meanwhile; the log says why."
    )


class ClockView(SandboxView):
    @extend_schema(
        operation_id="sandbox_clock_get",
        summary="What time it is in this sandbox",
        parameters=[PREFER],
        responses={200: ClockSerializer, 404: OFF},
    )
    def get(self, request: Request) -> Response:
        seconds = prefer_wait(request)
        facts = wait_for(advancing.get_clock, _stands, seconds=seconds)
        applied = {"Preference-Applied": f"wait={seconds}"} if seconds else {}
        return Response(ClockSerializer(asdict(facts)).data, headers=applied)

    @extend_schema(
        operation_id="sandbox_clock_advance",
        summary="Advance the clock of the whole installation",
        description="On the way it stops at each deadline, and does what is due there. 202 when that takes "
        f"longer than {MAX_WAIT_S} s or `Prefer: wait=N`, and at once with `Prefer: respond-async`: then a "
        "worker takes it there, and GET with `Prefer: wait` says when it has. There is no way back.",
        parameters=[PREFER],
        request=AdvanceSerializer,
        responses={
            200: OpenApiResponse(ClockSerializer, description="It is there, and everything due was done."),
            202: OpenApiResponse(ClockSerializer, description="It is on its way."),
            404: OFF,
            422: OpenApiResponse(description="`sandbox_clock_refused`: backwards, or too far."),
        },
    )
    def post(self, request: Request) -> Response:
        advancing.set_target(**self.body(request, AdvanceSerializer), asked_by=str(request.user.pk))
        return Response(status=202)

    def finalize_response(self, request: Request, response: Response, *args: Any, **kwargs: Any) -> Response:
        if request.method == "POST" and response.status_code == 202:
            # Not in post(), which is one transaction when there is an Idempotency-Key: others see each stop,
            # and a repeated request waits for what the first one began.
            self._advance(request, response)
        return super().finalize_response(request, response, *args, **kwargs)

    def _advance(self, request: Request, response: Response) -> None:
        seconds = prefer_wait(request) or MAX_WAIT_S
        if _RESPOND_ASYNC.search(request.headers.get("Prefer", "")):
            facts = advancing.get_clock()
        else:
            until = time.monotonic() + seconds
            advancing.advance(seconds=seconds)
            # Another request may be taking it there.
            facts = wait_for(advancing.get_clock, _stands, seconds=round(until - time.monotonic()))
        response.data = ClockSerializer(asdict(facts)).data
        if _stands(facts):
            response.status_code = 200
            return
        ring(tasks.advance_sandbox_clock)
        response["Location"] = reverse("sandbox-clock", request=request)
        response["Retry-After"] = "1"


def _stands(facts: advancing.ClockFacts) -> bool:
    return facts.advancing_to is None


urlpatterns: list[URLPattern] = [path("sandbox/clock", ClockView.as_view(), name="sandbox-clock")]
