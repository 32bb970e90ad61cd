"""POST /api/v1/webhooks/{kind}/{provider}: for providers, therefore not part of the clients' document."""

from __future__ import annotations

from django.urls import URLPattern, path
from drf_spectacular.utils import extend_schema
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response

from foundation import clock
from foundation.api.views import ApiView
from foundation.errors import TooLarge
from foundation.incoming import receiving


class WebhookView(ApiView):
    """200 means stored, for the first one and for every copy; anything else makes the provider try again."""

    authentication_classes = ()
    permission_classes = (AllowAny,)
    # A provider sends all members' events from a few addresses; a forged one costs us one HMAC.
    throttle_classes = ()  # type: ignore[assignment]  # none is fewer than one

    @extend_schema(exclude=True)
    def post(self, request: Request, kind: str, provider: str) -> Response:
        if int(request.META.get("CONTENT_LENGTH") or 0) > receiving.MAX_BODY_BYTES:
            raise TooLarge(f"At most {receiving.MAX_BODY_BYTES} bytes.")
        receiving.receive(
            kind=kind,
            provider=provider,
            body=request._request.body,
            headers=request.headers,
            now=clock.now(),
            real_now=clock.real_now(),
        )
        return Response({"received": True})


urlpatterns: list[URLPattern] = [
    path("webhooks/<slug:kind>/<slug:provider>", WebhookView.as_view(), name="webhook"),
]
