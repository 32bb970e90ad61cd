"""What many operations of listings have in common in the OpenAPI document."""

from __future__ import annotations

from drf_spectacular.utils import OpenApiParameter, OpenApiResponse

IF_MATCH = OpenApiParameter(
    "If-Match", str, OpenApiParameter.HEADER, description="The ETag of the version you change. Missing: 428."
)
IF_NONE_MATCH = OpenApiParameter(
    "If-None-Match", str, OpenApiParameter.HEADER, description="The ETag that you have. Unchanged: 304."
)
ACCEPT_LANGUAGE = OpenApiParameter(
    "Accept-Language", str, OpenApiParameter.HEADER, description="Language of the names: en, de, fr, lt."
)
PREFER_WAIT = OpenApiParameter(
    "Prefer",
    str,
    OpenApiParameter.HEADER,
    description="`wait=N`: answer when nothing is being processed any more, at the latest after N seconds "
    "(20 at most).",
)
NOT_MODIFIED = OpenApiResponse(description="Unchanged since the version that you have.")
STATUS_CONFLICT = OpenApiResponse(
    description="`listing_status_conflict`: not possible in this status; `allowed_actions` says what is."
)
INVALID = OpenApiResponse(description="`listing_invalid`, with every problem at once, each with its pointer.")
STALE = OpenApiResponse(
    description="`stale_etag` or `listing_stale`: read it again, apply your change, retry."
)
NO_IF_MATCH = OpenApiResponse(description="`if_match_required`.")
NO_CATEGORY = OpenApiResponse(description="`category_not_found`.")
GONE = OpenApiResponse(description="Done; there is nothing to show.")
