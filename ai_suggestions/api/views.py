"""Suggestions over HTTP: ask, wait, decide."""

from __future__ import annotations

from typing import Any

from django.utils.cache import patch_vary_headers
from django.utils.http import parse_etags
from django.utils.translation import get_language
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse

from ai_suggestions import queries, services
from ai_suggestions.api import answers, shapes
from ai_suggestions.errors import SuggestionsStale
from ai_suggestions.lifecycle import LIVE
from ai_suggestions.services import FieldDecision
from foundation import clock
from foundation.api import etags
from foundation.api.pagination import CursorPage, PageQuery, page_body, page_serializer
from foundation.api.views import ApiView
from foundation.api.waiting import prefer_wait, wait_for
from foundation.errors import PreconditionRequired

RETRY_AFTER_S = "1"

PREFER = OpenApiParameter(
    "Prefer",
    str,
    OpenApiParameter.HEADER,
    description="`wait=N` (at most 20): answer when there is news since If-None-Match, or without it when "
    "the run has ended; at the latest after N seconds.",
)
IF_NONE_MATCH = OpenApiParameter(
    "If-None-Match", str, OpenApiParameter.HEADER, description="The ETag that you have. Unchanged: 304."
)
IF_MATCH = OpenApiParameter(
    "If-Match",
    str,
    OpenApiParameter.HEADER,
    description="The ETag of the run as you saw it. It also names the listing's version: 412 when the "
    "listing changed since. Missing: 428.",
)
STATUS_CONFLICT = OpenApiResponse(
    description="`suggestion_run_status_conflict`; `allowed_actions` says what is possible."
)


def _language() -> str:
    return (get_language() or "en").split("-")[0]


def _answer(request: Request, details: queries.RunDetails, *, status: int = 200) -> Response:
    language = _language()
    response = Response(
        answers.body(details, language),
        status=status,
        headers={"ETag": answers.run_etag(details, language), "Content-Language": language},
    )
    if details.run.status in LIVE:
        response["Retry-After"] = RETRY_AFTER_S
    if status == 202:
        response["Location"] = reverse("suggestion-run", kwargs={"run_id": details.run.id}, request=request)
    patch_vary_headers(response, ["Accept-Language"])
    return response


class ListingSuggestionsView(ApiView):
    query_serializers = {"GET": PageQuery}

    @extend_schema(
        operation_id="listing_suggestions_create",
        summary="Ask for suggestions",
        description="The run looks at all photos of the listing, waiting for those still being processed. "
        "A live run over the same photos is answered again; one over other photos is superseded.",
        request=shapes.RunRequestSerializer,
        responses={
            202: shapes.RunSerializer,
            409: OpenApiResponse(
                description="`no_usable_photo`, `listing_not_open_for_suggestions` or "
                "`another_suggestion_run_live`."
            ),
            422: OpenApiResponse(description="`department_unknown`."),
            429: OpenApiResponse(description="`suggestion_run_quota_spent`, or `rate_limited`."),
        },
    )
    def post(self, request: Request, listing_id: str) -> Response:
        said = self.body(request, shapes.RunRequestSerializer)
        run, _ = services.request_run(
            member_id=str(request.user.pk),
            listing_id=listing_id,
            department=said.get("department"),
            now=clock.now(),
        )
        return _answer(request, queries.details_of(run), status=202)

    @extend_schema(
        operation_id="listing_suggestions_list",
        summary="The runs of a listing, newest first",
        parameters=[PageQuery],
        responses={200: page_serializer("RunPage", shapes.RunSummarySerializer)},
    )
    def get(self, request: Request, listing_id: str) -> Response:
        wanted = self.query()
        rows = queries.run_rows(listing_id=listing_id, member_id=str(request.user.pk))
        page = CursorPage(sort="-id", limit=wanted["limit"], cursor=wanted.get("cursor")).slice(rows)
        return Response(page_body(request, page, answers.summary_of_row))


class RunView(ApiView):
    @extend_schema(
        operation_id="suggestion_run_retrieve",
        summary="A run, with the fields suggested so far",
        parameters=[PREFER, IF_NONE_MATCH],
        responses={
            200: shapes.RunSerializer,
            304: OpenApiResponse(description="No news since the ETag that you sent."),
        },
    )
    def get(self, request: Request, run_id: str) -> Response:
        member_id = str(request.user.pk)
        seconds = prefer_wait(request)
        language = _language()
        known = request.headers.get("If-None-Match")

        def read() -> queries.RunFacts:
            return queries.get_run_facts(run_id, member_id=member_id)

        def is_news(run: queries.RunFacts) -> bool:
            if run.status not in LIVE:
                return True
            # Only the run's own version: the listing's also grows while its photos become ready.
            return known is not None and f'"{run.id}-{run.version}-' not in known

        run = wait_for(read, is_news, seconds=seconds)
        details = queries.details_of(run)
        etag = answers.run_etag(details, language)
        response = etags.not_modified(request, etag) or _answer(request, details)
        if seconds:
            response["Preference-Applied"] = f"wait={seconds}"
        return response


class _VerbView(ApiView):
    """A verb of the seller on a run, without a body."""

    def _done(self, request: Request, run: queries.RunFacts) -> Response:
        details = queries.details_of(run)
        return _answer(request, details, status=202 if run.status in LIVE else 200)


class CancelView(_VerbView):
    @extend_schema(
        operation_id="suggestion_run_cancel",
        summary="Stop a run",
        request=None,
        responses={200: shapes.RunSerializer, 409: STATUS_CONFLICT},
    )
    def post(self, request: Request, run_id: str) -> Response:
        self.no_body(request)
        run = services.cancel_run(member_id=str(request.user.pk), run_id=run_id, now=clock.now())
        return self._done(request, run)


class RetryView(_VerbView):
    @extend_schema(
        operation_id="suggestion_run_retry",
        summary="Have a run done again that failed, ended partly or was cancelled",
        request=None,
        responses={
            202: shapes.RunSerializer,
            409: OpenApiResponse(
                description="`suggestion_run_status_conflict`, `another_suggestion_run_live`, "
                "`listing_not_open_for_suggestions` or `no_usable_photo`."
            ),
            429: OpenApiResponse(description="`suggestion_run_quota_spent`, or `rate_limited`."),
        },
    )
    def post(self, request: Request, run_id: str) -> Response:
        self.no_body(request)
        run = services.retry_run(member_id=str(request.user.pk), run_id=run_id, now=clock.now())
        return self._done(request, run)


class DecisionsView(ApiView):
    @extend_schema(
        operation_id="suggestion_run_decide",
        summary="Accept, edit or reject suggestions",
        description="What is accepted or edited is then in the listing; the price becomes the asked price. "
        "All decisions are taken, or none.",
        parameters=[IF_MATCH],
        request=shapes.DecisionsSerializer,
        responses={
            200: shapes.RunSerializer,
            409: OpenApiResponse(
                description="`suggestion_run_status_conflict` (superseded) or `listing_status_conflict`."
            ),
            412: OpenApiResponse(description="`suggestions_stale`: the listing was changed in the meantime."),
            422: OpenApiResponse(description="`suggestion_decisions_invalid`, with every problem at once."),
            428: OpenApiResponse(description="`if_match_required`."),
        },
    )
    def post(self, request: Request, run_id: str) -> Response:
        decisions: list[dict[str, Any]] = self.body(request, shapes.DecisionsSerializer)["decisions"]
        member_id = str(request.user.pk)
        # Whether it is theirs comes before whether it is fresh.
        queries.get_run_facts(run_id, member_id=member_id)
        details = services.decide(
            member_id=member_id,
            run_id=run_id,
            decisions=[FieldDecision(d["field"], d["decision"], d.get("value")) for d in decisions],
            listing_version=_version_decided_on(request, run_id),
            now=clock.now(),
        )
        return _answer(request, details)


def _version_decided_on(request: Request, run_id: str) -> int | None:
    """The listing's version named by If-Match; None for ``*``. Raises PreconditionRequired, SuggestionsStale.

    The run's own version is not compared: fields go on appearing while the seller decides on others.
    """
    header = request.headers.get("If-Match")
    if header is None:
        raise PreconditionRequired
    tags = parse_etags(header)
    if "*" in tags:
        return None
    versions = [version for tag in tags if (version := answers.listing_version_in(tag, run_id)) is not None]
    if not versions:
        raise SuggestionsStale("If-Match names no version of this run.")
    return max(versions)
