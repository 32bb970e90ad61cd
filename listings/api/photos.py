"""Photos of a listing: upload, look, replace, delete. Their order is changed with the listing."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse

from foundation import clock
from foundation.api import etags
from foundation.api.limits import Policy
from foundation.api.waiting import prefer_wait, wait_for
from listings import queries, services
from listings.api import shapes
from listings.api.answers import Links, photo_body, photo_etag, whole
from listings.api.documented import (
    GONE,
    IF_MATCH,
    IF_NONE_MATCH,
    NO_IF_MATCH,
    NOT_MODIFIED,
    PREFER_WAIT,
    STALE,
)
from listings.api.listings import PublicToRead, viewer_of
from listings.errors import PhotoMissing, PhotoTooLarge
from listings.lifecycle import PhotoStatus
from listings.photos.inspection import MAX_BYTES
from listings.queries import PhotoFacts

_REFUSED = {
    400: OpenApiResponse(description="`photo_missing`: not exactly one file, in the field `photo`."),
    409: OpenApiResponse(description="`too_many_photos`: there are 20, or the listing's status forbids it."),
    413: OpenApiResponse(description="`photo_too_large`: more than 20 MB."),
    415: OpenApiResponse(
        description="`photo_type_not_accepted`, `photo_type_mismatch`, `photo_animated`: by the bytes."
    ),
    422: OpenApiResponse(
        description="`photo_empty`, `photo_damaged`, `photo_has_foreign_data`, `photo_too_small`, "
        "`photo_too_many_pixels`."
    ),
}


def uploaded(request: Request) -> dict[str, Any]:
    """Raises PhotoMissing, PhotoTooLarge."""
    files = request.FILES.getlist("photo") if request.FILES else []
    if len(files) != 1 or set(request.data) != {"photo"}:
        raise PhotoMissing
    file = files[0]
    # Before it is read into memory; inspection says the same of what it is handed.
    if (file.size or 0) > MAX_BYTES:
        raise PhotoTooLarge(f"The file has {file.size:,} bytes, at most {MAX_BYTES:,} are accepted.")
    return {"content": file.read(), "declared_type": file.content_type, "file_name": file.name}


def _answer(request: Request, photo: PhotoFacts, status: int = 200) -> Response:
    response = Response(photo_body(photo, Links(request)), status=status, headers={"ETag": photo_etag(photo)})
    if status != 200:
        response["Location"] = reverse(
            "listing-photo", kwargs={"listing_id": photo.listing_id, "photo_id": photo.id}, request=request
        )
    return response


def _is_settled(photos: tuple[PhotoFacts, ...]) -> bool:
    return all(photo.status != PhotoStatus.PROCESSING for photo in photos)


class PhotosView(PublicToRead):
    write_policy = Policy.UPLOAD

    def get_parsers(self) -> list[Any]:
        return [MultiPartParser()]

    @extend_schema(
        operation_id="listing_photos_list",
        summary="The photos of a listing, in order",
        description="Others than the seller see what is ready only.",
        parameters=[PREFER_WAIT],
        responses={200: shapes.PhotoListSerializer},
    )
    def get(self, request: Request, listing_id: str) -> Response:
        def read() -> tuple[PhotoFacts, ...]:
            return queries.get_listing_for(listing_id, viewer_id=viewer_of(request)).photos

        photos = wait_for(read, _is_settled, seconds=prefer_wait(request))
        links = Links(request)
        return Response(whole(photo_body(photo, links) for photo in photos))

    @extend_schema(
        operation_id="listing_photos_create",
        summary="Upload a photo",
        description="One file in the field `photo`. It is checked at once and made ready by a worker: "
        "`status` goes from processing to ready or failed. The listing's ETag changes with its photos.",
        request=shapes.UPLOAD_REQUEST,
        responses={201: shapes.PhotoSerializer, **_REFUSED},
    )
    def post(self, request: Request, listing_id: str) -> Response:
        photo = services.add_photo(
            seller_id=str(request.user.pk), listing_id=listing_id, now=clock.now(), **uploaded(request)
        )
        return _answer(request, photo, 201)


class PhotoView(PublicToRead):
    write_policy = Policy.UPLOAD

    def get_parsers(self) -> list[Any]:
        return [MultiPartParser()]

    @extend_schema(
        operation_id="listing_photos_retrieve",
        summary="A photo",
        parameters=[PREFER_WAIT, IF_NONE_MATCH],
        responses={200: shapes.PhotoSerializer, 304: NOT_MODIFIED},
    )
    def get(self, request: Request, listing_id: str, photo_id: str) -> Response:
        def read() -> PhotoFacts:
            return queries.get_photo_for(listing_id, photo_id, viewer_id=viewer_of(request))

        photo = wait_for(
            read, lambda found: found.status != PhotoStatus.PROCESSING, seconds=prefer_wait(request)
        )
        return etags.not_modified(request, photo_etag(photo)) or _answer(request, photo)

    @extend_schema(
        operation_id="listing_photos_replace",
        summary="Put another picture in a photo's place",
        description="A listing on offer needs another photo that is ready meanwhile.",
        parameters=[IF_MATCH],
        request=shapes.UPLOAD_REQUEST,
        responses={200: shapes.PhotoSerializer, **_REFUSED, 412: STALE, 428: NO_IF_MATCH},
    )
    def put(self, request: Request, listing_id: str, photo_id: str) -> Response:
        self._require_current(request, listing_id, photo_id)
        photo = services.replace_photo(
            seller_id=str(request.user.pk),
            listing_id=listing_id,
            photo_id=photo_id,
            now=clock.now(),
            **uploaded(request),
        )
        return _answer(request, photo)

    @extend_schema(
        operation_id="listing_photos_delete",
        summary="Delete a photo and its files",
        parameters=[IF_MATCH],
        responses={
            204: GONE,
            412: STALE,
            422: OpenApiResponse(
                description="`listing_invalid`: it is the last ready photo of a listing on offer."
            ),
            428: NO_IF_MATCH,
        },
    )
    def delete(self, request: Request, listing_id: str, photo_id: str) -> Response:
        self._require_current(request, listing_id, photo_id)
        services.remove_photo(
            seller_id=str(request.user.pk), listing_id=listing_id, photo_id=photo_id, now=clock.now()
        )
        return Response(status=204)

    def _require_current(self, request: Request, listing_id: str, photo_id: str) -> None:
        photo = queries.get_photo_for(listing_id, photo_id, viewer_id=viewer_of(request))
        etags.require_if_match(request, photo_etag(photo))
