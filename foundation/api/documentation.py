"""The OpenAPI document over HTTP."""

from __future__ import annotations

import functools
from typing import Any

from django.http import HttpResponse
from drf_spectacular.renderers import OpenApiJsonRenderer, OpenApiYamlRenderer
from drf_spectacular.utils import extend_schema
from drf_spectacular.views import SpectacularAPIView
from rest_framework.request import Request

from foundation.api.limits import RateLimit


class SchemaView(SpectacularAPIView):
    """YAML, or JSON for those who accept only that."""

    throttle_classes = (RateLimit,)

    @extend_schema(exclude=True)
    def get(self, request: Request, *args: Any, **kwargs: Any) -> HttpResponse:
        as_json = "json" in request.accepted_renderer.format
        return HttpResponse(_document(as_json), content_type=request.accepted_media_type)


@functools.cache
def _document(as_json: bool) -> bytes:
    # Made once: it is the same for everyone until the next release, and takes as long as many requests.
    generator: Any = SpectacularAPIView.generator_class()
    renderer = OpenApiJsonRenderer() if as_json else OpenApiYamlRenderer()
    text: bytes = renderer.render(generator.get_schema(request=None, public=True), renderer_context={})
    return text
