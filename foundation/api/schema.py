"""OpenAPI 3.1, generated from the views (docs/api/openapi.yaml is this, committed and tested)."""

from __future__ import annotations

from typing import Any, Literal

from drf_spectacular.openapi import AutoSchema
from drf_spectacular.plumbing import get_doc
from drf_spectacular.utils import OpenApiParameter
from rest_framework.permissions import AllowAny

from foundation.api.serializers import ProblemSerializer

PROBLEM = ("application/problem+json",)

_MALFORMED = "The request does not have the documented shape."
_LIMITED = "A rate limit is reached; see Retry-After and the RateLimit headers."
_UNAVAILABLE = "A part this needs does not answer; try again."
_NO_TOKEN = "No access token, or an access token that is not valid."  # noqa: S105  # a description
_BAD_TOKEN = "An access token that is not valid."  # noqa: S105  # a description
_MISSING = "It does not exist, or it is not yours."
_CONFLICT = "The current state does not allow it, or the Idempotency-Key is in use."
_TOO_LARGE = "The body is too large."
_UNSUPPORTED = "The content type is not accepted."
_RULE = "A rule is broken, or the Idempotency-Key was used for another request."
# The refusals that many operations share, by description: their names among the document's components.
_COMMON = {
    _MALFORMED: "Malformed",
    _LIMITED: "RateLimited",
    _UNAVAILABLE: "Unavailable",
    _NO_TOKEN: "TokenRequired",
    _BAD_TOKEN: "TokenInvalid",
    _MISSING: "NotFound",
    _CONFLICT: "Conflict",
    _TOO_LARGE: "TooLarge",
    _UNSUPPORTED: "UnsupportedMediaType",
    _RULE: "RuleBroken",
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
                    {"type": "string", "pattern": r'^("[!#-~]{1,255}"|[!#-~]{1,255})$'},
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
        # The folder of the view is the app: what belongs together stands together. Sandboxes stand apart.
        app, *_, module = self.view.__module__.split(".")
        return ["sandbox" if "sandbox" in module else app]

    def _get_response_bodies(self, direction: Literal["request", "response"] = "response") -> dict[str, Any]:
        responses: dict[str, Any] = super()._get_response_bodies(direction)
        problem = self._map_problem()
        public = all(kind is AllowAny for kind in self.view.permission_classes)
        common = {"400": _MALFORMED, "429": _LIMITED, "503": _UNAVAILABLE}
        common["401"] = _BAD_TOKEN if public else _NO_TOKEN
        if "{" in self.path:
            common["404"] = _MISSING
        if self.method == "POST":
            common |= {"409": _CONFLICT, "422": _RULE}
        if self.method in ("POST", "PUT", "PATCH"):
            common |= {"413": _TOO_LARGE, "415": _UNSUPPORTED}
        for status, description in common.items():
            responses.setdefault(status, {"description": description, "content": problem})
        for status, response in responses.items():
            if status >= "400":
                response.setdefault("content", problem)
        return dict(sorted(responses.items()))

    def _map_problem(self) -> dict[str, Any]:
        component = self.resolve_serializer(ProblemSerializer, "response")
        return {PROBLEM[0]: {"schema": component.ref}}


def _header(description: str, schema: dict[str, Any], *, required: bool = False) -> dict[str, Any]:
    return {"description": description, "schema": schema} | ({"required": True} if required else {})


# What answers carry beside their body. Only what is there whatever happens is required.
_HEADERS: dict[str, dict[str, Any]] = {
    "X-Request-ID": _header("The id under which this request is logged.", {"type": "string"}, required=True),
    "RateLimit": _header(
        'What is left of the quota, and after how many seconds more of it is back: `"read";r=599;t=60`.',
        {"type": "string"},
    ),
    "RateLimit-Policy": _header(
        'The quota and its window in seconds: `"read";q=600;w=60`.', {"type": "string"}
    ),
    "Retry-After": _header("Seconds to wait before asking again.", {"type": "integer", "minimum": 0}),
    "ETag": _header("The version of this representation.", {"type": "string"}, required=True),
    "Location": _header("Where the new resource is.", {"type": "string", "format": "uri"}, required=True),
    "Idempotent-Replayed": _header(
        "`true` when this is the first answer to the Idempotency-Key again.", {"type": "string"}
    ),
}


def _headers_of(method: str, status: str, operation: dict[str, Any]) -> list[str]:
    names = ["X-Request-ID", "RateLimit", "RateLimit-Policy"]
    if status in ("202", "409", "429", "503"):
        names.append("Retry-After")
    versioned = {"304", "412"} & set(operation["responses"])
    if status == "304" or (versioned and status in ("200", "201")):
        names.append("ETag")
    if status in ("201", "202"):
        names.append("Location")
    if method == "post" and status < "400":
        names.append("Idempotent-Replayed")
    return names


def add_conventions(result: dict[str, Any], generator: Any, request: Any, public: bool) -> dict[str, Any]:
    """What holds for the whole API: closed request bodies, headers, and each refusal described once."""
    components = result.setdefault("components", {})
    for name, schema in components.get("schemas", {}).items():
        # The API refuses unknown fields, so the document says so.
        if name.endswith("Request") and schema.get("type") == "object":
            schema["additionalProperties"] = False
    components["headers"] = _HEADERS
    shared: dict[str, Any] = components.setdefault("responses", {})
    for operations in result.get("paths", {}).values():
        for method, operation in operations.items():
            body = operation.get("requestBody", {})
            if "multipart/form-data" in body.get("content", {}):
                body["required"] = True
            for status, response in operation["responses"].items():
                response["headers"] = {
                    name: {"$ref": f"#/components/headers/{name}"}
                    for name in _headers_of(method, status, operation)
                } | response.get("headers", {})
                if status >= "400" and response["description"] in _COMMON:
                    name = _COMMON[response["description"]]
                    shared.setdefault(name, response)
                    operation["responses"][status] = {"$ref": f"#/components/responses/{name}"}
    components["responses"] = dict(sorted(shared.items()))
    return result
