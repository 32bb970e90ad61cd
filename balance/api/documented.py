"""What several operations of the balance have in common in the OpenAPI document."""

from __future__ import annotations

from drf_spectacular.utils import OpenApiParameter, OpenApiResponse

IF_NONE_MATCH = OpenApiParameter(
    "If-None-Match", str, OpenApiParameter.HEADER, description="The ETag that you have. Unchanged: 304."
)
ACCEPT_LANGUAGE = OpenApiParameter(
    "Accept-Language", str, OpenApiParameter.HEADER, description="Language of the labels: en, de, fr, lt."
)
NOT_MODIFIED = OpenApiResponse(description="Unchanged since the version that you have.")
SECOND_FACTOR = OpenApiResponse(
    description="`second_factor_required`: with an authenticator app, give a code again "
    "(POST /_allauth/app/v1/auth/2fa/reauthenticate); it counts for five minutes."
)
INVALID_PERIOD = OpenApiResponse(description="`invalid_period`: in the future, or the end before the start.")
