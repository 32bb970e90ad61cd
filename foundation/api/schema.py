"""OpenAPI 3.1, generated from the views (docs/api/openapi.yaml is this, committed and tested)."""

from __future__ import annotations

from typing import Any, Literal

from drf_spectacular.openapi import AutoSchema
from drf_spectacular.plumbing import get_doc
from drf_spectacular.utils import OpenApiParameter
from rest_framework.permissions import AllowAny

from foundation.api.serializers import ProblemSerializer

PROBLEM = ("application/problem+json",)

_EVERYWHERE = {
    "400": "The request does not have the documented shape.",
    "429": "A rate limit is reached; see Retry-After and the RateLimit headers.",
    "503": "A part this needs does not answer; try again.",
}


class Schema(AutoSchema):
    """Adds what every operation of the house has: common errors, Idempotency-Key on POST, headers."""

    def get_override_parameters(self) -> list[Any]:
        parameters = list(super().get_override_parameters())
        if self.method == "POST":
            required = getattr(self.view, "idempotency", "optional") == "required"
            parameters.append(
                OpenApiParameter(
                    "Idempotency-Key",
                    str,
                    OpenApiParameter.HEADER,
                    required=required,
                    description="Any unique text: sent again with the same body, the request has one effect "
                    "and the first answer is repeated with Idempotent-Replayed: true.",
                )
            )
        return parameters

    def get_description(self) -> str:  # type: ignore[override]  # as drf_spectacular overrides it
        # Only what is written at this view: the base class's docstring is for developers.
        method = getattr(self.view, (self.method or "get").lower(), None)
        return get_doc(method) or (get_doc(type(self.view)) if vars(type(self.view)).get("__doc__") else "")

    def get_tags(self) -> list[str]:
        # The folder of the view is the app: what belongs together stands together.
        return [self.view.__module__.split(".")[0]]

    def _get_response_bodies(self, direction: Literal["request", "response"] = "response") -> dict[str, Any]:
        responses: dict[str, Any] = super()._get_response_bodies(direction)
        problem = self._map_problem()
        common = dict(_EVERYWHERE)
        public = all(kind is AllowAny for kind in self.view.permission_classes)
        common["401"] = f"{'An' if public else 'No access token, or an'} access token that is not valid."
        if "{" in self.path:
            common["404"] = "It does not exist, or it is not yours."
        if self.method == "POST":
            common["409"] = "The current state does not allow it, or the Idempotency-Key is in use."
            common["422"] = "A rule is broken, or the Idempotency-Key was used for another request."
        if self.method in ("POST", "PUT", "PATCH"):
            common["413"] = "The body is too large."
            common["415"] = "The content type is not accepted."
        for status, description in common.items():
            responses.setdefault(status, {"description": description, "content": problem})
        for status, response in responses.items():
            if status >= "400":
                response.setdefault("content", problem)
        return dict(sorted(responses.items()))

    def _map_problem(self) -> dict[str, Any]:
        component = self.resolve_serializer(ProblemSerializer, "response")
        return {PROBLEM[0]: {"schema": component.ref}}


def add_conventions(result: dict[str, Any], generator: Any, request: Any, public: bool) -> dict[str, Any]:
    """Closes request bodies: the API refuses unknown fields, so the document says so."""
    components = result.get("components", {}).get("schemas", {})
    for name, schema in components.items():
        if name.endswith("Request") and schema.get("type") == "object":
            schema["additionalProperties"] = False
    return result
