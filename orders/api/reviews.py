"""Reviews: what the two members of a completed order say of each other."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse

from foundation import clock
from foundation.api.pagination import CursorPage, PageQuery, page_body, page_serializer
from foundation.api.serializers import StrictCharField, StrictIntegerField, StrictSerializer
from foundation.api.views import ApiView
from members.queries import get_member_facts
from orders.api.shapes import ROLES
from orders.models.reviews import BEST, TEXT_MAX
from orders.queries.orders import get_order
from orders.queries.reviews import get_review_summary, review_rows, reviews_of_order
from orders.services.reviewing import write_review


class NewReviewSerializer(StrictSerializer):
    """How the other did."""

    rating = StrictIntegerField(min_value=1, max_value=BEST, help_text="5 is best.")
    text = StrictCharField(max_length=TEXT_MAX, required=False, default="", allow_blank=True)


class ReviewSerializer(serializers.Serializer[Any]):
    """What one of the two said of the other; it is public."""

    id = serializers.CharField()
    by = serializers.ChoiceField(choices=ROLES, help_text="Which of the two wrote it.")
    author_id = serializers.CharField()
    rating = serializers.IntegerField()
    text = serializers.CharField()
    written_at = serializers.DateTimeField()


class OrderReviewsSerializer(serializers.Serializer[Any]):
    results = ReviewSerializer(many=True)


class ReviewSummarySerializer(serializers.Serializer[Any]):
    count = serializers.IntegerField()
    average = serializers.FloatField(allow_null=True, help_text="1 to 5, two decimals; null without reviews.")


def _body(row: dict[str, Any]) -> dict[str, Any]:
    return {name: row[name] for name in ("id", "by", "author_id", "rating", "text", "written_at")}


class OrderReviewView(ApiView):
    @extend_schema(
        operation_id="orders_review_retrieve",
        summary="What the two said of each other",
        responses=OrderReviewsSerializer,
    )
    def get(self, request: Request, order_id: str) -> Response:
        order = get_order(str(request.user.pk), order_id, now=clock.now())
        return Response({"results": [_body(row) for row in reviews_of_order(order.id)]})

    @extend_schema(
        operation_id="orders_review",
        summary="Say how the other did",
        description="Once, within 14 days of completion. It is public and cannot be changed.",
        request=NewReviewSerializer,
        responses={
            201: OrderReviewsSerializer,
            409: OpenApiResponse(description="`already_reviewed` or `invalid_transition`."),
        },
    )
    def post(self, request: Request, order_id: str) -> Response:
        body = self.body(request, NewReviewSerializer)
        write_review(member_id=str(request.user.pk), order_id=order_id, now=clock.now(), **body)
        response = Response({"results": [_body(row) for row in reviews_of_order(order_id)]}, status=201)
        response["Location"] = reverse("order-review", kwargs={"order_id": order_id}, request=request)
        return response


class MemberReviewsView(ApiView):
    query_serializers = {"GET": PageQuery}

    @extend_schema(
        operation_id="members_reviews_list",
        summary="What was said of a member, the latest first",
        parameters=[PageQuery],
        responses=page_serializer("ReviewPageSerializer", ReviewSerializer),
    )
    def get(self, request: Request, member_id: str) -> Response:
        query = self.query()
        get_member_facts(member_id)
        page = CursorPage("-id", query["limit"], query.get("cursor")).slice(review_rows(member_id))
        return Response(page_body(request, page, lambda row: _body(dict(row))))


class MemberReviewSummaryView(ApiView):
    @extend_schema(
        operation_id="members_review_summary",
        summary="How many reviews a member has, and their mean",
        responses=ReviewSummarySerializer,
    )
    def get(self, request: Request, member_id: str) -> Response:
        get_member_facts(member_id)
        summary = get_review_summary(member_id)
        return Response({"count": summary.count, "average": summary.average})
