"""Batches over HTTP, for professional sellers: send many listings, come back for their runs."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse

from ai_suggestions import batch_queries, services
from ai_suggestions.api import shapes
from ai_suggestions.lifecycle import BATCH, BATCH_LIVE, SELLER
from foundation import clock
from foundation.api import problems
from foundation.api.pagination import CursorPage, Page, PageQuery, page_body, page_serializer
from foundation.api.views import ApiView
from foundation.api.waiting import prefer_wait, wait_for

RETRY_AFTER_S = "5"

PREFER = OpenApiParameter(
    "Prefer",
    str,
    OpenApiParameter.HEADER,
    description="`wait=N` (at most 20): answer when the batch has ended, at the latest after N seconds.",
)


def _summary(batch: batch_queries.BatchFacts) -> dict[str, Any]:
    return {
        "id": batch.id,
        "status": batch.status,
        "allowed_actions": list(BATCH.verbs(batch.status, SELLER)),
        "progress": {"total": sum(batch.progress.values()), **batch.progress},
        "department": batch.department or None,
        "requested_at": batch.requested_at,
        "finished_at": batch.finished_at,
    }


def _problem(code: str) -> dict[str, str] | None:
    if not code:
        return None
    known = problems.registry().get(code)
    return {"type": f"/api/problems/{code}", "code": code, "title": known.title if known else code}


def _answer(request: Request, batch: batch_queries.BatchFacts, *, status: int = 200) -> Response:
    body = _summary(batch) | {
        "items": [
            {
                "listing_id": item.listing_id,
                "status": item.status,
                "run_id": item.run_id,
                "problem": _problem(item.problem_code),
            }
            for item in batch_queries.list_items(batch)
        ]
    }
    response = Response(body, status=status)
    if batch.status in BATCH_LIVE:
        response["Retry-After"] = RETRY_AFTER_S
    if status == 202:
        response["Location"] = reverse("suggestion-batch", kwargs={"batch_id": batch.id}, request=request)
    return response


class BatchesView(ApiView):
    query_serializers = {"GET": PageQuery}

    @extend_schema(
        operation_id="suggestion_batches_create",
        summary="Ask for suggestions for many listings",
        description="For professional sellers. Listings are looked at one after the other, behind runs that "
        "sellers wait for. A listing with a problem is refused by itself; the others go on.",
        request=shapes.BatchRequestSerializer,
        responses={
            202: shapes.BatchSerializer,
            403: OpenApiResponse(description="`professional_sellers_only`."),
            409: OpenApiResponse(description="`too_many_suggestion_batches`."),
            422: OpenApiResponse(description="`department_unknown`."),
        },
    )
    def post(self, request: Request) -> Response:
        said = self.body(request, shapes.BatchRequestSerializer)
        batch = services.request_batch(
            member_id=str(request.user.pk),
            listing_ids=said["listing_ids"],
            department=said.get("department"),
            now=clock.now(),
        )
        return _answer(request, batch, status=202)

    @extend_schema(
        operation_id="suggestion_batches_list",
        summary="Your batches, newest first",
        parameters=[PageQuery],
        responses={200: page_serializer("BatchPage", shapes.BatchSummarySerializer)},
    )
    def get(self, request: Request) -> Response:
        wanted = self.query()
        rows = batch_queries.batch_rows(str(request.user.pk))
        page = CursorPage(sort="-id", limit=wanted["limit"], cursor=wanted.get("cursor")).slice(rows)
        facts = Page(batch_queries.with_progress(page.results), page.next, page.previous)
        return Response(page_body(request, facts, _summary))


class BatchView(ApiView):
    @extend_schema(
        operation_id="suggestion_batch_retrieve",
        summary="A batch, with what became of each listing",
        parameters=[PREFER],
        responses={200: shapes.BatchSerializer},
    )
    def get(self, request: Request, batch_id: str) -> Response:
        member_id, seconds = str(request.user.pk), prefer_wait(request)
        batch = wait_for(
            lambda: batch_queries.get_batch(batch_id, member_id=member_id),
            lambda found: found.status not in BATCH_LIVE,
            seconds=seconds,
        )
        response = _answer(request, batch)
        if seconds:
            response["Preference-Applied"] = f"wait={seconds}"
        return response


class BatchCancelView(ApiView):
    @extend_schema(
        operation_id="suggestion_batch_cancel",
        summary="Begin no more listings of a batch",
        description="The run in hand is stopped; what runs that ended have said stays.",
        request=None,
        responses={
            200: shapes.BatchSerializer,
            409: OpenApiResponse(description="`suggestion_batch_status_conflict`: it has finished."),
        },
    )
    def post(self, request: Request, batch_id: str) -> Response:
        self.no_body(request)
        batch = services.cancel_batch(member_id=str(request.user.pk), batch_id=batch_id, now=clock.now())
        return _answer(request, batch)
