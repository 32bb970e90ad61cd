"""A run as a stream of Server-Sent Events: its whole state, each time that a step ended."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.http import HttpResponse
from django.utils.translation import get_language
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.request import Request

from ai_suggestions import queries
from ai_suggestions.api import answers
from ai_suggestions.lifecycle import LIVE
from foundation.api.event_streams import MEDIA_TYPE, Asked, EventHub, EventStream, EventStreamRenderer, News
from foundation.api.rendering import JsonRenderer, dumps
from foundation.api.views import ApiView

LAST_EVENT_ID = OpenApiParameter(
    "Last-Event-ID",
    str,
    OpenApiParameter.HEADER,
    description="The id of the last event that you have (the run's version): only newer ones are sent.",
)


class RunEventSerializer(serializers.Serializer[Any]):
    """One event of the stream, its lines by name."""

    id = serializers.CharField(help_text="The run's version.")
    event = serializers.ChoiceField(choices=["run"])
    data = serializers.CharField(help_text="The run as JSON.")  # type: ignore[assignment]  # the line's name


def _news(run: queries.RunFacts, language: str) -> News:
    details = queries.details_of(run)
    data = {**answers.body(details, language), "etag": answers.run_etag(details, language)}
    return News(details.run.version, "run", dumps(data), details.run.status not in LIVE)


def _read(asked: Mapping[Asked, int]) -> dict[Asked, News]:
    """One statement for all runs that are followed, and those of a whole run for each that changed."""
    runs = {run.id: run for run in queries.list_run_facts({run_id for run_id, _ in asked})}
    return {
        (run_id, language): _news(runs[run_id], language)
        for (run_id, language), seen in asked.items()
        if run_id in runs and (runs[run_id].version > seen or runs[run_id].status not in LIVE)
    }


HUB = EventHub(_read)


class RunEventsView(ApiView):
    renderer_classes = (JsonRenderer, EventStreamRenderer)

    @extend_schema(
        operation_id="suggestion_run_events",
        summary="Follow a run as Server-Sent Events",
        description="Each event (`event: run`) is the run as `GET` answers it, with its `etag`; its id is "
        "the run's version. The stream ends with the run; an EventSource connects again and is told by 204 "
        "that there is no more. `event_stream_unavailable`: use `Prefer: wait` instead.",
        parameters=[LAST_EVENT_ID],
        responses={
            (200, MEDIA_TYPE): OpenApiResponse(RunEventSerializer),
            204: OpenApiResponse(description="The run has ended, and you have its last event."),
        },
    )
    def get(self, request: Request, run_id: str) -> HttpResponse:
        run = queries.get_run_facts(run_id, member_id=str(request.user.pk))
        language = (get_language() or "en").split("-")[0]
        given = request.headers.get("Last-Event-ID", "")
        seen = int(given) if given.isascii() and given.isdecimal() and len(given) < 10 else 0
        if run.status not in LIVE:
            if seen >= run.version:
                return HttpResponse(status=204)
            return HttpResponse(_news(run, language).as_bytes(), content_type=MEDIA_TYPE)
        if request.method == "HEAD":
            return HttpResponse(content_type=MEDIA_TYPE)
        HUB.require_place(request)
        first = _news(run, language) if run.version > seen else None
        return EventStream(HUB, (run_id, language), first=first, seen=run.version)
