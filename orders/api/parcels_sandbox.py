"""Playing carrier, for tests and demos; all of it answers 404 unless the service runs with SANDBOX on."""

from __future__ import annotations

from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from foundation import clock
from foundation.api.views import ApiView
from orders.api import parcel_shapes as shapes
from orders.lifecycle.parcels import ParcelCode
from orders.services.sandbox_parcels import News, script_label, tell_news

_NOT_FOUND = OpenApiResponse(description="`sandbox_parcel_not_found`.")


class SandboxLabelView(ApiView):
    @extend_schema(
        operation_id="sandbox_parcels_script",
        summary="Say how the sandbox's carrier answers when it is asked for this label",
        description="Sandbox only. `time_out`: it takes the parcel, but its answer gets lost.",
        request=shapes.SandboxLabelSerializer,
        responses={204: OpenApiResponse(description="It will."), 404: _NOT_FOUND},
    )
    def post(self, request: Request, parcel_id: str) -> Response:
        body = self.body(request, shapes.SandboxLabelSerializer)
        script_label(member_id=str(request.user.pk), parcel_id=parcel_id, **body)
        return Response(status=204)


class SandboxParcelEventsView(ApiView):
    @extend_schema(
        operation_id="sandbox_parcels_events",
        summary="Have something happen to a parcel",
        description="Sandbox only, for the members of its order. The carrier tells us by signed callbacks, "
        "as a real one does: in the order given, which may be wrong, and as often as asked for.",
        request=shapes.SandboxParcelEventsSerializer,
        responses={200: shapes.SandboxParcelEffectSerializer, 404: _NOT_FOUND},
    )
    def post(self, request: Request, parcel_id: str) -> Response:
        body = self.body(request, shapes.SandboxParcelEventsSerializer)
        effects = tell_news(
            member_id=str(request.user.pk),
            parcel_id=parcel_id,
            news=[News(ParcelCode(one["code"]), one.get("occurred_at")) for one in body["events"]],
            times=body["times"],
            now=clock.now(),
        )
        return Response({"callbacks": effects})
