"""The base of every view: translates in, makes one domain call, translates out."""

from __future__ import annotations

from typing import Any, ClassVar

from django.utils.cache import patch_vary_headers
from rest_framework.exceptions import ErrorDetail, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import Serializer
from rest_framework.views import APIView

from foundation import clock
from foundation.api.idempotency import idempotent
from foundation.api.limits import Policy, RateLimit
from foundation.api.rendering import JsonRenderer
from foundation.api.serializers import StrictSerializer


class NoParameters(StrictSerializer):
    """For requests that take none: any parameter or member is then unknown and refused."""


class ApiView(APIView):
    """Signed-in members only unless `permission_classes` says otherwise.

    - `query_serializers`: method -> serializer of the query string; `self.query()` gives its value,
      and every unknown or repeated parameter is refused whether or not the view reads it.
    - `self.body(request, SerializerClass)` gives the validated body.
    - `idempotency`: "optional" or, where money moves, "required"; applies to `post`.
    - `write_policy`: the rate limit of unsafe methods.
    """

    query_serializers: ClassVar[dict[str, type[Serializer[Any]]]] = {}
    idempotency: ClassVar[str] = "optional"
    write_policy: ClassVar[Policy] = Policy.WRITE
    throttle_classes = (RateLimit,)

    def options(self, request: Any, *args: Any, **kwargs: Any) -> Response:
        # What may be done with a document is JSON, in whatever form the document was asked for.
        request.accepted_renderer, request.accepted_media_type = JsonRenderer(), JsonRenderer.media_type
        return super().options(request, *args, **kwargs)

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "post" in cls.__dict__:
            cls.post = idempotent(cls.__dict__["post"])  # type: ignore[attr-defined]

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        clock.doubt()
        super().initial(request, *args, **kwargs)
        if request.method not in self.allowed_methods:
            return  # answered 405, whatever the query says
        # HEAD is GET without its body, so it takes what GET takes.
        method = "GET" if request.method == "HEAD" else request.method or "GET"
        repeated = [name for name, values in request.query_params.lists() if len(values) > 1]
        if repeated:
            # Taking the last one would answer another question than the client may have asked.
            raise ValidationError(
                {name: [ErrorDetail("Give it once.", code="repeated_parameter")] for name in repeated}
            )
        serializer = self.query_serializers.get(method, NoParameters)(data=request.query_params.dict())
        serializer.is_valid(raise_exception=True)
        self._query: dict[str, Any] = serializer.validated_data

    def prepare(self, request: Request) -> None:
        """What `post` has to ask of the outside; with an Idempotency-Key it runs in a transaction."""

    def query(self) -> dict[str, Any]:
        """The validated query parameters of this request."""
        return self._query

    def body(self, request: Request, serializer_class: type[Serializer[Any]], **kwargs: Any) -> Any:
        """The validated body; raises ValidationError, answered as 400 `invalid_request`."""
        serializer = serializer_class(data=request.data, **kwargs)
        serializer.is_valid(raise_exception=True)
        return serializer.validated_data

    def no_body(self, request: Request) -> None:
        """For verbs without a body: `{}` or nothing."""
        self.body(request, NoParameters)

    def finalize_response(self, request: Request, response: Response, *args: Any, **kwargs: Any) -> Response:
        final = super().finalize_response(request, response, *args, **kwargs)
        if not final.has_header("Cache-Control"):
            # Answers are a member's own unless a view says otherwise: no shared cache may keep them,
            # and on a shared device one member's copy is not another's.
            final["Cache-Control"] = "private, no-cache"
            patch_vary_headers(final, ["Authorization"])
        return final
