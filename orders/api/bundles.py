"""Bundles, and the discounts that sellers give for them."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse

from foundation import clock
from foundation.api import etags
from foundation.api.pagination import CursorPage, PageQuery, page_body, page_serializer
from foundation.api.views import ApiView
from foundation.errors import PreconditionRequired
from foundation.money import Money
from orders.api import shapes
from orders.pricing import Price, Step
from orders.queries.bundles import (
    BundleFacts,
    LadderFacts,
    bundle_rows,
    get_bundle,
    get_bundle_version,
    get_ladder,
    listing_ids_of,
)
from orders.services.bundling import change_bundle, create_bundle, delete_bundle
from orders.services.discounts import set_discounts

NEEDS_IF_MATCH = OpenApiParameter(
    "If-Match", str, OpenApiParameter.HEADER, description="The ETag of the version you change. Missing: 428."
)
_NO_IF_MATCH = OpenApiResponse(description="`if_match_required`.")
_INVALID = OpenApiResponse(description="`invalid_bundle`, with every problem at once; or `own_listing`.")


def _money(amount: Money | None) -> dict[str, Any] | None:
    return None if amount is None else amount.as_json()


def _price(price: Price | None, percent: int) -> dict[str, Any] | None:
    if price is None:
        return None
    return {
        "before_discount": price.before_discount.as_json(),
        "discount_percent": percent,
        "discount": price.discount.as_json(),
        "items_total": price.items_total.as_json(),
        "fee": {
            "total": price.fee.total.as_json(),
            "net": price.fee.net.as_json(),
            "vat": price.fee.vat.as_json(),
        },
        "total": price.total.as_json(),
    }


def _steps(steps: tuple[Step, ...]) -> list[dict[str, int]]:
    return [{"items": step.items, "percent": step.percent} for step in steps]


def bundle_body(bundle: BundleFacts) -> dict[str, Any]:
    """BundleSerializer."""
    return {
        "id": bundle.id,
        "seller_id": bundle.seller_id,
        "items": [
            {
                "listing_id": item.listing_id,
                "title": item.title,
                "is_available": item.price is not None,
                "price": _money(item.price),
                "price_after_discount": _money(item.discounted),
            }
            for item in bundle.items
        ],
        "discounts": _steps(bundle.steps),
        "price": _price(bundle.price, bundle.percent),
        "ship_by": bundle.ship_by,
        "created_at": bundle.created_at,
        "updated_at": bundle.updated_at,
    }


def _answer(request: Request, bundle: BundleFacts, status: int = 200) -> Response:
    # The version that If-Match names. Prices are of the moment, so no 304 is answered for it.
    response = Response(
        bundle_body(bundle), status=status, headers={"ETag": etags.etag_for(bundle.id, bundle.version)}
    )
    if status == 201:
        response["Location"] = reverse("bundle", kwargs={"bundle_id": bundle.id}, request=request)
    return response


class BundlesView(ApiView):
    query_serializers = {"GET": PageQuery}

    @extend_schema(
        operation_id="bundles_list",
        summary="Your bundles, the latest first",
        parameters=[PageQuery],
        responses=page_serializer("BundlePageSerializer", shapes.BundleCardSerializer),
    )
    def get(self, request: Request) -> Response:
        query = self.query()
        rows = bundle_rows(str(request.user.pk))
        page = CursorPage("-id", query["limit"], query.get("cursor")).slice(rows)
        inside = listing_ids_of(row["id"] for row in page.results)
        return Response(page_body(request, page, lambda row: {**row, "listing_ids": inside[row["id"]]}))

    @extend_schema(
        operation_id="bundles_create",
        summary="Put listings of one seller together",
        description="One parcel, one fixed part of the fee, and the seller's discount for several items. "
        "One bundle per seller. Agreed prices of offers are for a listing bought alone.",
        request=shapes.BundleBodySerializer,
        responses={
            201: shapes.BundleSerializer,
            409: OpenApiResponse(
                description="`bundle_exists` (with `bundle_id`) or `listing_not_available`."
            ),
            422: _INVALID,
        },
    )
    def post(self, request: Request) -> Response:
        body = self.body(request, shapes.BundleBodySerializer)
        bundle = create_bundle(
            buyer_id=str(request.user.pk), listing_ids=body["listing_ids"], now=clock.now()
        )
        return _answer(request, bundle, 201)


class BundleView(ApiView):
    @extend_schema(
        operation_id="bundles_retrieve",
        summary="A bundle of yours, priced at the moment",
        responses=shapes.BundleSerializer,
    )
    def get(self, request: Request, bundle_id: str) -> Response:
        return _answer(request, get_bundle(str(request.user.pk), bundle_id, now=clock.now()))

    @extend_schema(
        operation_id="bundles_update",
        summary="Have other listings in it",
        parameters=[NEEDS_IF_MATCH],
        request=shapes.BundleBodySerializer,
        responses={
            200: shapes.BundleSerializer,
            409: OpenApiResponse(description="`listing_not_available`."),
            412: OpenApiResponse(description="`stale_etag` or `bundle_stale`: read it again."),
            422: _INVALID,
            428: _NO_IF_MATCH,
        },
    )
    def put(self, request: Request, bundle_id: str) -> Response:
        version = _version_in_hand(request, bundle_id)
        body = self.body(request, shapes.BundleBodySerializer)
        bundle = change_bundle(
            buyer_id=str(request.user.pk),
            bundle_id=bundle_id,
            listing_ids=body["listing_ids"],
            expected_version=version,
            now=clock.now(),
        )
        return _answer(request, bundle)

    @extend_schema(
        operation_id="bundles_delete",
        summary="Delete a bundle of yours",
        parameters=[NEEDS_IF_MATCH],
        responses={
            204: OpenApiResponse(description="Deleted."),
            412: OpenApiResponse(description="`stale_etag` or `bundle_stale`: read it again."),
            428: _NO_IF_MATCH,
        },
    )
    def delete(self, request: Request, bundle_id: str) -> Response:
        version = _version_in_hand(request, bundle_id)
        delete_bundle(buyer_id=str(request.user.pk), bundle_id=bundle_id, expected_version=version)
        return Response(status=204)


def _version_in_hand(request: Request, bundle_id: str) -> int:
    """The version that If-Match names; the service compares it again under lock."""
    if "If-Match" not in request.headers:
        raise PreconditionRequired
    version = get_bundle_version(str(request.user.pk), bundle_id)
    etags.require_if_match(request, etags.etag_for(bundle_id, version))
    return version


class BundleDiscountsView(ApiView):
    @extend_schema(
        operation_id="me_bundle_discounts_retrieve",
        summary="Your discounts for several items bought together",
        responses={
            200: shapes.BundleDiscountsSerializer,
            304: OpenApiResponse(description="Unchanged since the version that you have."),
        },
    )
    def get(self, request: Request) -> Response:
        seller_id = str(request.user.pk)
        ladder = get_ladder(seller_id)
        return etags.not_modified(request, etags.etag_for(seller_id, ladder.version)) or _ladder(
            seller_id, ladder
        )

    @extend_schema(
        operation_id="me_bundle_discounts_update",
        summary="Set your discounts",
        parameters=[NEEDS_IF_MATCH],
        request=shapes.BundleDiscountsBodySerializer,
        responses={
            200: shapes.BundleDiscountsSerializer,
            412: OpenApiResponse(description="`stale_etag` or `bundle_discounts_stale`: read them again."),
            422: OpenApiResponse(description="`invalid_bundle_discounts`, with every problem at once."),
            428: _NO_IF_MATCH,
        },
    )
    def put(self, request: Request) -> Response:
        seller_id = str(request.user.pk)
        version = get_ladder(seller_id).version
        etags.require_if_match(request, etags.etag_for(seller_id, version))
        body = self.body(request, shapes.BundleDiscountsBodySerializer)
        ladder = set_discounts(
            seller_id=seller_id,
            steps=[Step(**step) for step in body["steps"]],
            expected_version=version,
            now=clock.now(),
        )
        return _ladder(seller_id, ladder)


def _ladder(seller_id: str, ladder: LadderFacts) -> Response:
    body = {"steps": _steps(ladder.steps), "changed_at": ladder.changed_at}
    return Response(body, headers={"ETag": etags.etag_for(seller_id, ladder.version)})
