"""The receipt of a purchase."""

from __future__ import annotations

from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.request import Request

from foundation import clock
from foundation.api.views import ApiView
from foundation.languages import supported
from members.queries import get_member_facts
from orders.queries.receipts import get_receipt
from orders.receipts import render_receipt


class ReceiptView(ApiView):
    @extend_schema(
        operation_id="orders_receipt",
        summary="As the buyer, the receipt of a paid order as PDF, in the language of your profile",
        responses={
            (200, "application/pdf"): OpenApiTypes.BINARY,
            404: OpenApiResponse(description="`order_not_found`, also for its seller."),
            409: OpenApiResponse(description="`receipt_not_ready`: it is not paid."),
        },
    )
    def get(self, request: Request, order_id: str) -> HttpResponse:
        me = get_member_facts(str(request.user.pk))
        receipt = get_receipt(me.id, order_id, now=clock.now())
        document = render_receipt(receipt, language=supported(me.language), time_zone=me.time_zone)
        name = f'inline; filename="preloved-{order_id}.pdf"'
        return HttpResponse(document, content_type="application/pdf", headers={"Content-Disposition": name})
