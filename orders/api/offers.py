"""Offers: naming a price, answering it, seeing what became of it."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse

from foundation import clock
from foundation.api.pagination import CursorPage, page_body, page_serializer
from foundation.api.views import ApiView
from listings.queries import get_listing_for
from orders.api import shapes
from orders.lifecycle import BUYER, SELLER
from orders.queries.offers import OfferFacts, get_offer, list_offer_events, offer_facts, offer_rows
from orders.services import answering
from orders.services.offering import propose

_PAGE = page_serializer("OfferPageSerializer", shapes.OfferSerializer)
_NOT_NOW = OpenApiResponse(
    description="`invalid_transition` (see `allowed_actions`), `listing_not_available` or `price_changed`."
)


def offer_body(offer: OfferFacts) -> dict[str, Any]:
    """OfferSerializer."""
    return {
        "id": offer.id,
        "listing_id": offer.listing_id,
        "title": offer.title,
        "seller_id": offer.seller_id,
        "buyer_id": offer.buyer_id,
        "role": offer.role,
        "number": offer.number,
        "status": offer.status,
        "offered": offer.offered.as_json(),
        "amount": offer.amount.as_json(),
        "listed": offer.listed.as_json(),
        "allowed_actions": list(offer.allowed_actions),
        "deadlines": {"answer_by": offer.answer_by, "buy_by": offer.buy_by},
        "proposed_at": offer.proposed_at,
        "answered_at": offer.answered_at,
        "ended_at": offer.ended_at,
    }


def _detail(offer: OfferFacts) -> dict[str, Any]:
    events = [
        {
            "verb": event.verb,
            "actor": event.actor,
            "amount": event.amount.as_json(),
            "happened_at": event.happened_at,
        }
        for event in list_offer_events(offer.id, currency=offer.amount.currency)
    ]
    return {**offer_body(offer), "events": events}


class ListingOffersView(ApiView):
    query_serializers = {"GET": shapes.ListingOffersQuery}
    idempotency = "required"

    @extend_schema(
        operation_id="listings_offers_list",
        summary="Offers on a listing: all of them for its seller, else your own; the latest first",
        parameters=[shapes.ListingOffersQuery],
        responses=_PAGE,
    )
    def get(self, request: Request, listing_id: str) -> Response:
        viewer_id, query, now = str(request.user.pk), self.query(), clock.now()
        listing = get_listing_for(listing_id, viewer_id=viewer_id)
        role = SELLER if listing.seller_id == viewer_id else BUYER
        rows = offer_rows(viewer_id, role=role, listing_id=listing_id)
        page = CursorPage("-id", query["limit"], query.get("cursor")).slice(rows)
        return Response(
            page_body(
                request, page, lambda row: offer_body(offer_facts(dict(row), viewer_id=viewer_id, now=now))
            )
        )

    @extend_schema(
        operation_id="listings_offers_create",
        summary="Offer a price",
        description="The seller has until `deadlines.answer_by` to answer. Nothing is reserved, neither by "
        "the offer nor when it is accepted: anyone may still buy the listing.",
        request=shapes.NewOfferSerializer,
        responses={
            201: shapes.OfferDetailSerializer,
            403: OpenApiResponse(description="`member_restricted`."),
            409: OpenApiResponse(
                description="`listing_not_available`, `offer_already_open` (with `offer_id`) or "
                "`too_many_offers_on_listing`."
            ),
            422: OpenApiResponse(
                description="`offer_out_of_range` (with `minimum` and `maximum`), `currency_mismatch` or "
                "`own_listing`."
            ),
            429: OpenApiResponse(description="`too_many_offers_today`, or `rate_limited`."),
        },
    )
    def post(self, request: Request, listing_id: str) -> Response:
        body = self.body(request, shapes.NewOfferSerializer)
        offer = propose(
            buyer_id=str(request.user.pk), listing_id=listing_id, amount=body["amount"], now=clock.now()
        )
        location = reverse("offer", kwargs={"offer_id": offer.id}, request=request)
        return Response(_detail(offer), status=201, headers={"Location": location})


class OffersView(ApiView):
    query_serializers = {"GET": shapes.OffersQuery}

    @extend_schema(
        operation_id="offers_list",
        summary="Offers that you made, or got; the latest first",
        parameters=[shapes.OffersQuery],
        responses=_PAGE,
    )
    def get(self, request: Request) -> Response:
        viewer_id, query, now = str(request.user.pk), self.query(), clock.now()
        rows = offer_rows(
            viewer_id,
            role=query["role"],
            statuses=[query["status"]] if "status" in query else (),
            listing_id=query.get("listing_id"),
        )
        page = CursorPage("-id", query["limit"], query.get("cursor")).slice(rows)
        return Response(
            page_body(
                request, page, lambda row: offer_body(offer_facts(dict(row), viewer_id=viewer_id, now=now))
            )
        )


class OfferView(ApiView):
    @extend_schema(
        operation_id="offers_retrieve",
        summary="An offer that you made or got, with its history",
        responses=shapes.OfferDetailSerializer,
    )
    def get(self, request: Request, offer_id: str) -> Response:
        return Response(_detail(get_offer(str(request.user.pk), offer_id, now=clock.now())))


class AcceptOfferView(ApiView):
    @extend_schema(
        operation_id="offers_accept",
        summary="Agree to the amount on the table",
        description="The buyer may then buy at this price until `deadlines.buy_by`, if nobody else is first.",
        request=None,
        responses={200: shapes.OfferDetailSerializer, 409: _NOT_NOW},
    )
    def post(self, request: Request, offer_id: str) -> Response:
        self.no_body(request)
        member_id, now = str(request.user.pk), clock.now()
        return Response(_detail(answering.accept(member_id=member_id, offer_id=offer_id, now=now)))


class DeclineOfferView(ApiView):
    @extend_schema(
        operation_id="offers_decline",
        summary="Say no to the amount on the table",
        request=None,
        responses={200: shapes.OfferDetailSerializer, 409: _NOT_NOW},
    )
    def post(self, request: Request, offer_id: str) -> Response:
        self.no_body(request)
        member_id, now = str(request.user.pk), clock.now()
        return Response(_detail(answering.decline(member_id=member_id, offer_id=offer_id, now=now)))


class CounterOfferView(ApiView):
    @extend_schema(
        operation_id="offers_counter",
        summary="As the seller, name another price",
        request=shapes.CounterOfferSerializer,
        responses={
            200: shapes.OfferDetailSerializer,
            409: _NOT_NOW,
            422: OpenApiResponse(description="`offer_out_of_range` or `currency_mismatch`."),
        },
    )
    def post(self, request: Request, offer_id: str) -> Response:
        body = self.body(request, shapes.CounterOfferSerializer)
        offer = answering.counter(
            member_id=str(request.user.pk), offer_id=offer_id, amount=body["amount"], now=clock.now()
        )
        return Response(_detail(offer))
