"""Orders: what you bought and sold, and what you may do with it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from foundation import clock
from foundation.api import etags
from foundation.api.pagination import CursorPage, page_body, page_serializer
from foundation.api.views import ApiView
from orders.api import order_shapes as shapes
from orders.api.order_answers import event_body, order_body, order_card
from orders.queries.orders import event_rows, get_order, items_of, order_facts, order_rows
from orders.services import cancelling, completing

_NOT_NOW = OpenApiResponse(description="`invalid_transition`; see `allowed_actions` of the order.")


class OrdersView(ApiView):
    query_serializers = {"GET": shapes.OrdersQuery}

    @extend_schema(
        operation_id="orders_list",
        summary="What you bought or sold, the latest first",
        parameters=[shapes.OrdersQuery],
        responses=page_serializer("OrderPageSerializer", shapes.OrderCardSerializer),
    )
    def get(self, request: Request) -> Response:
        viewer_id, query, now = str(request.user.pk), self.query(), clock.now()
        statuses = [query["status"]] if "status" in query else ()
        rows = order_rows(viewer_id, role=query["role"], statuses=statuses)
        page = CursorPage("-id", query["limit"], query.get("cursor")).slice(rows)
        items = items_of(row["id"] for row in page.results)

        def card(row: Any) -> dict[str, Any]:
            return order_card(order_facts(dict(row), viewer_id=viewer_id, now=now), items.get(row["id"], []))

        return Response(page_body(request, page, card))


class OrderView(ApiView):
    @extend_schema(
        operation_id="orders_retrieve",
        summary="An order of yours: money, deadlines, parcels, history",
        responses={200: shapes.OrderSerializer, 304: None},
    )
    def get(self, request: Request, order_id: str) -> Response:
        now = clock.now()
        order = get_order(str(request.user.pk), order_id, now=now)
        # What may be done changes with the time, not only with the version: no 304 is answered for it.
        return Response(order_body(order, now=now), headers={"ETag": etags.etag_for(order.id, order.version)})


class OrderEventsView(ApiView):
    query_serializers = {"GET": shapes.OrderEventsQuery}

    @extend_schema(
        operation_id="orders_events_list",
        summary="What happened to an order of yours, the latest first",
        parameters=[shapes.OrderEventsQuery],
        responses=page_serializer("OrderEventPageSerializer", shapes.OrderEventSerializer),
    )
    def get(self, request: Request, order_id: str) -> Response:
        query = self.query()
        order = get_order(str(request.user.pk), order_id, now=clock.now())
        page = CursorPage("-id", query["limit"], query.get("cursor")).slice(event_rows(order.id))
        return Response(page_body(request, page, lambda row: event_body(dict(row), order.currency)))


Verb = Callable[[str, str, datetime], None]


def _verb_view(name: str, act: Verb, summary: str, description: str) -> Callable[..., Any]:
    """A view for a verb without a body that answers the order."""

    class VerbView(ApiView):
        @extend_schema(
            operation_id=f"orders_{name}",
            summary=summary,
            description=description,
            request=None,
            responses={200: shapes.OrderSerializer, 409: _NOT_NOW},
        )
        def post(self, request: Request, order_id: str) -> Response:
            self.no_body(request)
            member_id, now = str(request.user.pk), clock.now()
            act(member_id, order_id, now)
            return Response(order_body(get_order(member_id, order_id, now=now), now=now))

    VerbView.__name__ = VerbView.__qualname__ = f"{name.title().replace('_', '')}OrderView"
    if name in ("cancel", "confirm"):
        VerbView.idempotency = "required"
    return VerbView.as_view()


cancel_view = _verb_view(
    "cancel",
    lambda member_id, order_id, now: cancelling.cancel(member_id=member_id, order_id=order_id, now=now),
    "Undo it before it is sent",
    "The seller at any time before the carrier's first scan; the buyer until `deadlines.cancel_alone_until`, "
    "later the seller is asked (`cancel_requested`), who consents by the same verb or by silence. "
    "Everything goes back to the tenders that paid.",
)
refuse_cancellation_view = _verb_view(
    "refuse_cancellation",
    lambda member_id, order_id, now: cancelling.refuse_cancellation(
        seller_id=member_id, order_id=order_id, now=now
    ),
    "As the seller, send it after all",
    "At least 24 hours are left for that.",
)
ship_view = _verb_view(
    "ship",
    lambda member_id, order_id, now: cancelling.say_handed_over(
        seller_id=member_id, order_id=order_id, now=now
    ),
    "As the seller, say that the parcel is handed over",
    "Once: two working days more until the carrier's first scan, which alone makes it `shipped`.",
)
confirm_view = _verb_view(
    "confirm",
    lambda member_id, order_id, now: completing.confirm(buyer_id=member_id, order_id=order_id, now=now),
    "As the buyer, say that all is well",
    "The seller is paid. Also ends an open issue.",
)
