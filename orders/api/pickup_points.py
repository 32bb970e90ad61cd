"""Pick-up points by place, and the label that a parcel travels under."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from foundation.api.rendering import JsonRenderer
from foundation.api.views import ApiView
from orders.api import parcel_shapes as shapes
from orders.queries.parcels import get_label
from orders.services.pickup_points import list_pickup_points


class PdfRenderer(BaseRenderer):
    """For what is bytes already."""

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


class PickupPointsView(ApiView):
    query_serializers = {"GET": shapes.PickupPointsQuery}

    @extend_schema(
        operation_id="pickup_points_list",
        summary="Where a parcel can be collected",
        description="The points near a postal code or a place, the nearest first as the carrier sees it. One "
        "of them goes with a shipping option of kind `pickup_point`.",
        parameters=[shapes.PickupPointsQuery],
        responses={
            200: shapes.PickupPointListSerializer,
            422: OpenApiResponse(description="`place_missing`: neither a postal code nor a place."),
            503: OpenApiResponse(description="`carrier_unavailable`."),
        },
    )
    def get(self, request: Request) -> Response:
        points = list_pickup_points(**self.query())
        return Response({"results": [asdict(point) for point in points], "next": None, "previous": None})


class LabelView(ApiView):
    renderer_classes = (PdfRenderer, JsonRenderer)

    @extend_schema(
        operation_id="orders_label_retrieve",
        summary="The label of the parcel that you send",
        description="A6, to be stuck on the parcel. For the seller; of a return for the buyer.",
        responses={
            (200, "application/pdf"): OpenApiTypes.BINARY,
            404: OpenApiResponse(description="`label_not_found`: nothing of this order is yours to send."),
            409: OpenApiResponse(
                description="`label_not_ready`: the carrier has not made it (`parcel_status` requested), "
                "refused to (refused, with `reason`), or the parcel was called off (cancelled)."
            ),
        },
    )
    def get(self, request: Request, order_id: str) -> Response:
        label = get_label(member_id=str(request.user.pk), order_id=order_id)
        disposition = f'attachment; filename="label-{label.parcel_id}.pdf"'
        return Response(label.pdf, headers={"Content-Disposition": disposition})
