"""Checkouts: holding listings, choosing, paying."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse

from foundation import clock
from foundation.api import etags
from foundation.api.views import ApiView
from foundation.api.waiting import prefer_wait, wait_for
from foundation.errors import FieldProblem
from members.queries import get_member_facts
from orders.api import order_shapes as shapes
from orders.api.bundles import NEEDS_IF_MATCH
from orders.api.order_answers import checkout_body
from orders.errors import InvalidDelivery
from orders.lifecycle import OrderStatus
from orders.parcel_errors import PickupPointNotFound
from orders.providers.carriers.contract import Address
from orders.queries.orders import OrderFacts, get_checkout
from orders.queries.payments import find_latest_payment
from orders.services.checking_out import pay
from orders.services.checkouts import Choices, Delivery, abandon_checkout, change_checkout, create_checkout
from orders.services.pickup_points import get_pickup_point

_REFUSED = OpenApiResponse(
    description="`invalid_delivery`, `invalid_bundle`, `own_listing` or `verification_not_offered`."
)
# Nothing comes by itself while a payment is in one of these.
_SETTLED = frozenset({"requires_action", "captured", "failed", "cancelled"})


def _choices(body: dict[str, Any], *, member_id: str) -> Choices:
    """What the body chooses; asks the carrier about the pick-up point, so outside of any transaction."""
    chosen = body.get("delivery")
    delivery = None
    if chosen is not None:
        address = Address(**chosen["address"])
        point_id = chosen.get("pickup_point_id")
        country = get_member_facts(member_id).country
        try:
            point = get_pickup_point(country=country, point_id=point_id) if point_id else None
        except PickupPointNotFound:
            problem = FieldProblem(
                "/delivery/pickup_point_id", "unknown_pickup_point", "See /pickup-points for those there are."
            )
            raise InvalidDelivery(errors=[problem]) from None
        delivery = Delivery(option=chosen["option"], address=address, pickup_point=point)
    return Choices(delivery=delivery, use_wallet=body["use_wallet"], verification=body["verification"])


def _answer(checkout: OrderFacts, *, now: datetime, status: int = 200) -> Response:
    body = checkout_body(checkout, now=now)
    return Response(body, status=status, headers={"ETag": _etag(checkout)})


def _etag(checkout: OrderFacts) -> str:
    return etags.etag_for(checkout.id, checkout.version)


def _is_settled(checkout: OrderFacts) -> bool:
    payment = find_latest_payment(checkout.id)
    return checkout.status != OrderStatus.PENDING_PAYMENT or payment is None or payment.status in _SETTLED


class CheckoutsView(ApiView):
    def prepare(self, request: Request) -> None:
        """Ask the carrier about the pick-up point."""
        self._body = self.body(request, shapes.NewCheckoutSerializer)
        self._chosen = _choices(self._body, member_id=str(request.user.pk))

    @extend_schema(
        operation_id="checkouts_create",
        summary="Check out: hold the listings and get a quote",
        description="The quote is frozen and nobody else can buy the listings until `deadlines.pay_by`. An "
        "agreed offer is used by itself. `shipping_options` says what `delivery` may be, now or later. "
        "The wallet's part is set aside at once.",
        request=shapes.NewCheckoutSerializer,
        responses={
            201: shapes.CheckoutSerializer,
            403: OpenApiResponse(description="`member_restricted`."),
            409: OpenApiResponse(description="`listing_not_available` or `payment_in_progress`."),
            422: _REFUSED,
        },
    )
    def post(self, request: Request) -> Response:
        body = self._body
        buyer_id, now = str(request.user.pk), clock.now()
        order_id = create_checkout(
            buyer_id=buyer_id,
            listing_ids=body["listing_ids"],
            choices=self._chosen,
            now=now,
        )
        response = _answer(get_checkout(buyer_id, order_id, now=now), now=now, status=201)
        response["Location"] = reverse("checkout", kwargs={"order_id": order_id}, request=request)
        return response


class CheckoutView(ApiView):
    @extend_schema(
        operation_id="checkouts_retrieve",
        summary="A checkout of yours, with what can be chosen",
        description="`Prefer: wait=N` (at most 20) waits while a payment is with the provider.",
        responses=shapes.CheckoutSerializer,
    )
    def get(self, request: Request, order_id: str) -> Response:
        buyer_id = str(request.user.pk)

        def read() -> OrderFacts:
            return get_checkout(buyer_id, order_id, now=clock.now())

        checkout = wait_for(read, _is_settled, seconds=prefer_wait(request))
        return _answer(checkout, now=clock.now())

    @extend_schema(
        operation_id="checkouts_update",
        summary="Choose delivery, wallet and verification anew; there is another quote then",
        parameters=[NEEDS_IF_MATCH],
        request=shapes.ChoicesSerializer,
        responses={
            200: shapes.CheckoutSerializer,
            409: OpenApiResponse(description="`invalid_transition` or `payment_in_progress`."),
            412: OpenApiResponse(description="`stale_etag` or `checkout_stale`: read it again."),
            422: _REFUSED,
            428: OpenApiResponse(description="`if_match_required`."),
        },
    )
    def put(self, request: Request, order_id: str) -> Response:
        body = self.body(request, shapes.ChoicesSerializer)
        buyer_id, now = str(request.user.pk), clock.now()
        checkout = get_checkout(buyer_id, order_id, now=now)
        etags.require_if_match(request, _etag(checkout))
        change_checkout(
            buyer_id=buyer_id,
            order_id=order_id,
            choices=_choices(body, member_id=buyer_id),
            expected_version=checkout.version,
            now=now,
        )
        return _answer(get_checkout(buyer_id, order_id, now=now), now=now)

    @extend_schema(
        operation_id="checkouts_delete",
        summary="Give it up: the listings and the wallet's part are free at once",
        responses={
            204: None,
            409: OpenApiResponse(description="`invalid_transition` or `payment_in_progress`."),
        },
    )
    def delete(self, request: Request, order_id: str) -> Response:
        self.no_body(request)
        abandon_checkout(buyer_id=str(request.user.pk), order_id=order_id, now=clock.now())
        return Response(status=204)


class PayCheckoutView(ApiView):
    idempotency = "required"

    @extend_schema(
        operation_id="checkouts_pay",
        summary="Pay the quote",
        description="The wallet pays its part, the card the rest. 200 when it is paid, 202 while the "
        "provider works on it: `payment.status` is `requires_action` when the buyer has to go to "
        "`payment.action_url`, `failed` with `payment.failure_code` when another method may be tried. "
        "GET the checkout with `Prefer: wait=10` to wait for it.",
        request=shapes.PayBodySerializer,
        responses={
            200: shapes.CheckoutSerializer,
            202: shapes.CheckoutSerializer,
            409: OpenApiResponse(
                description="`price_changed` (with `quote_version`), `listing_not_available`, "
                "`payment_in_progress` or `invalid_transition`."
            ),
            422: OpenApiResponse(
                description="`delivery_missing`, `payment_method_missing` or `payment_method_invalid`."
            ),
        },
    )
    def post(self, request: Request, order_id: str) -> Response:
        body = self.body(request, shapes.PayBodySerializer)
        buyer_id, now = str(request.user.pk), clock.now()
        pay(
            buyer_id=buyer_id,
            order_id=order_id,
            quote_version=body["quote_version"],
            method=body.get("payment_method"),
            return_url=body.get("return_url", ""),
            now=now,
        )
        checkout = get_checkout(buyer_id, order_id, now=now)
        if checkout.status != OrderStatus.PENDING_PAYMENT:
            return _answer(checkout, now=now)
        response = _answer(checkout, now=now, status=202)
        response["Location"] = reverse("checkout", kwargs={"order_id": order_id}, request=request)
        return response
