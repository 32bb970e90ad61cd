"""Where you send from."""

from __future__ import annotations

from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from foundation import clock
from foundation.api import etags
from foundation.api.views import ApiView
from orders.api import order_shapes as shapes
from orders.api.addresses import address_body
from orders.api.bundles import NEEDS_IF_MATCH
from orders.providers.carriers.contract import Address
from orders.queries.sender_addresses import SenderAddressFacts, get_sender_address
from orders.services.sender_addresses import set_sender_address


class SenderAddressView(ApiView):
    @extend_schema(
        operation_id="me_sender_address_retrieve",
        summary="Where you send from",
        responses={
            200: shapes.SenderAddressSerializer,
            304: OpenApiResponse(description="Unchanged since the version that you have."),
        },
    )
    def get(self, request: Request) -> Response:
        member_id = str(request.user.pk)
        known = get_sender_address(member_id)
        etag = etags.etag_for(member_id, known.version)
        return etags.not_modified(request, etag) or _answer(member_id, known)

    @extend_schema(
        operation_id="me_sender_address_update",
        summary="Say where you send from",
        description="Some carriers make no label without it: such a parcel `waits_for` it, and the label "
        "follows at once. The time to send an order does not wait. What you gave for payouts is used first.",
        parameters=[NEEDS_IF_MATCH],
        request=shapes.AddressBodySerializer,
        responses={
            200: shapes.SenderAddressSerializer,
            412: OpenApiResponse(description="`stale_etag` or `sender_address_stale`: read it again."),
            422: OpenApiResponse(description="`sender_address_abroad`: it is not in your market."),
            428: OpenApiResponse(description="`precondition_required`: no If-Match."),
        },
    )
    def put(self, request: Request) -> Response:
        member_id = str(request.user.pk)
        version = get_sender_address(member_id).version
        etags.require_if_match(request, etags.etag_for(member_id, version))
        body = self.body(request, shapes.AddressBodySerializer)
        known = set_sender_address(
            member_id=member_id, address=Address(**body), expected_version=version, now=clock.now()
        )
        return _answer(member_id, known)


def _answer(member_id: str, known: SenderAddressFacts) -> Response:
    address = None if known.address is None else address_body(known.address)
    body = {"address": address, "changed_at": known.changed_at}
    return Response(body, headers={"ETag": etags.etag_for(member_id, known.version)})
