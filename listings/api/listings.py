"""Listings: browsing them, and writing one's own."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any, Protocol

from drf_spectacular.utils import extend_schema
from rest_framework.permissions import AllowAny, BasePermission, IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse

from foundation import clock
from foundation.api import etags
from foundation.api.pagination import CursorPage, page_body, page_serializer
from foundation.api.views import ApiView
from foundation.errors import PreconditionRequired
from listings import queries, services
from listings.api import shapes
from listings.api.answers import Links, card, listing_body, listing_etag, own_card, own_etag
from listings.api.documented import (
    GONE,
    IF_MATCH,
    IF_NONE_MATCH,
    INVALID,
    NO_IF_MATCH,
    NOT_MODIFIED,
    STALE,
    STATUS_CONFLICT,
)
from listings.queries import BrowseFilter, ListingFacts
from listings.services import ListingChange

_SORT_COLUMNS = {"-published_at": "-published_at", "price": "price_minor", "-price": "-price_minor"}


def viewer_of(request: Request) -> str | None:
    """The member who asks; None for a stranger."""
    return str(request.user.pk) if request.user.is_authenticated else None


def _answer(request: Request, listing: ListingFacts, status: int = 200) -> Response:
    viewer_id = viewer_of(request)
    response = Response(
        listing_body(listing, viewer_id, Links(request)),
        status=status,
        headers={"ETag": listing_etag(listing, viewer_id)},
    )
    if status == 201:
        response["Location"] = reverse("listing", kwargs={"listing_id": listing.id}, request=request)
    return response


def change_of(body: dict[str, Any]) -> ListingChange:
    """The body of POST or PATCH as a change; what is not in it stays."""
    names = {
        "category": "category_id",
        "brand": "brand_id",
        "size": "size_id",
        "condition": "condition_id",
        "colours": "colour_ids",
        "materials": "material_ids",
        "photos": "photo_ids",
    }
    values: dict[str, Any] = {
        names.get(name, name): tuple(v) if isinstance(v, list) else v for name, v in body.items()
    }
    return ListingChange(**values)


class PublicToRead(ApiView):
    """Everybody may read, members may write."""

    def get_permissions(self) -> list[BasePermission]:
        return [AllowAny() if self.request.method in ("GET", "HEAD", "OPTIONS") else IsAuthenticated()]


class ListingsView(PublicToRead):
    query_serializers = {"GET": shapes.BrowseQuery}

    @extend_schema(
        operation_id="listings_list",
        summary="Browse what is on offer",
        parameters=[shapes.BrowseQuery],
        responses={200: page_serializer("ListingCardPageSerializer", shapes.ListingCardSerializer)},
    )
    def get(self, request: Request) -> Response:
        wanted = self.query()
        rows = queries.browse_rows(
            BrowseFilter(
                category_ids=wanted.get("category", ()),
                brand_ids=wanted.get("brand", ()),
                size_ids=wanted.get("size", ()),
                colour_ids=wanted.get("colour", ()),
                condition_ids=wanted.get("condition", ()),
                currency=wanted.get("currency"),
                price_min_minor=wanted.get("price_min"),
                price_max_minor=wanted.get("price_max"),
                country=wanted.get("country"),
                seller_id=wanted.get("seller"),
            ),
            catalogue=queries.catalogue_snapshot(),
        )
        page = CursorPage(_SORT_COLUMNS[wanted["sort"]], wanted["limit"], wanted.get("cursor")).slice(rows)
        covers = queries.covers_of(row["id"] for row in page.results)
        links = Links(request)
        return Response(page_body(request, page, lambda row: card(row, covers.get(row["id"]), links)))

    @extend_schema(
        operation_id="listings_create",
        summary="Start a draft",
        request=shapes.ListingBodySerializer,
        responses={201: shapes.ListingSerializer, 422: INVALID},
    )
    def post(self, request: Request) -> Response:
        body = self.body(request, shapes.ListingBodySerializer)
        draft = services.create_draft(seller_id=str(request.user.pk), change=change_of(body), now=clock.now())
        return _answer(request, draft, 201)


class ListingView(PublicToRead):
    @extend_schema(
        operation_id="listings_retrieve",
        summary="A listing",
        description="Drafts and what is hidden can be seen by the seller only.",
        parameters=[IF_NONE_MATCH],
        responses={200: shapes.ListingSerializer, 304: NOT_MODIFIED},
    )
    def get(self, request: Request, listing_id: str) -> Response:
        viewer_id = viewer_of(request)
        listing = queries.get_listing_for(listing_id, viewer_id=viewer_id)
        return etags.not_modified(request, listing_etag(listing, viewer_id)) or _answer(request, listing)

    @extend_schema(
        operation_id="listings_update",
        summary="Change a listing of yours",
        description="A draft may lack anything; a listing on offer has to keep every rule.",
        parameters=[IF_MATCH],
        request=shapes.ListingChangeSerializer,
        responses={
            200: shapes.ListingSerializer,
            409: STATUS_CONFLICT,
            412: STALE,
            422: INVALID,
            428: NO_IF_MATCH,
        },
    )
    def patch(self, request: Request, listing_id: str) -> Response:
        version = self._version(request, listing_id)
        body = self.body(request, shapes.ListingChangeSerializer)
        listing = services.edit_draft(
            seller_id=str(request.user.pk),
            listing_id=listing_id,
            change=change_of(body),
            expected_version=version,
            now=clock.now(),
        )
        return _answer(request, listing)

    @extend_schema(
        operation_id="listings_delete",
        summary="Delete a listing of yours",
        parameters=[IF_MATCH],
        responses={204: GONE, 409: STATUS_CONFLICT, 412: STALE, 428: NO_IF_MATCH},
    )
    def delete(self, request: Request, listing_id: str) -> Response:
        version = self._version(request, listing_id)
        services.delete(
            seller_id=str(request.user.pk),
            listing_id=listing_id,
            expected_version=version,
            now=clock.now(),
        )
        return Response(status=204)

    def _version(self, request: Request, listing_id: str) -> int:
        """The version that If-Match names; the service compares it again under lock."""
        if "If-Match" not in request.headers:
            raise PreconditionRequired
        version = queries.get_own_version(listing_id, seller_id=str(request.user.pk))
        etags.require_if_match(request, own_etag(listing_id, version))
        return version


class OwnListingsView(ApiView):
    query_serializers = {"GET": shapes.OwnListingsQuery}

    @extend_schema(
        operation_id="me_listings_list",
        summary="Your own listings, the latest first",
        parameters=[shapes.OwnListingsQuery],
        responses={200: page_serializer("OwnListingCardPageSerializer", shapes.OwnListingCardSerializer)},
    )
    def get(self, request: Request) -> Response:
        wanted = self.query()
        rows = queries.own_rows(seller_id=str(request.user.pk), statuses=wanted.get("status", ()))
        page = CursorPage("-id", wanted["limit"], wanted.get("cursor")).slice(rows)
        covers = queries.covers_of(row["id"] for row in page.results)
        links = Links(request)
        return Response(page_body(request, page, lambda row: own_card(row, covers.get(row["id"]), links)))


class Verb(Protocol):
    """A service that changes a listing's status, or makes another of it."""

    def __call__(self, *, seller_id: str, listing_id: str, now: dt.datetime) -> ListingFacts: ...


def verb_view(name: str, service: Verb, summary: str, *, status: int = 200) -> Callable[..., Any]:
    """The view of POST /listings/{id}/<name>."""

    class VerbView(ApiView):
        @extend_schema(
            operation_id=f"listings_{name}",
            summary=summary,
            request=None,
            responses={status: shapes.ListingSerializer, 409: STATUS_CONFLICT, 422: INVALID},
        )
        def post(self, request: Request, listing_id: str) -> Response:
            self.no_body(request)
            listing = service(seller_id=str(request.user.pk), listing_id=listing_id, now=clock.now())
            return _answer(request, listing, status)

    return VerbView.as_view()
