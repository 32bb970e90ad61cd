"""Who is asking: `Authorization: Bearer <access token>`, nothing else (docs/adr/0003)."""

from __future__ import annotations

from typing import Any

import structlog
from allauth.headless.contrib.rest_framework.authentication import JWTTokenAuthentication
from drf_spectacular.extensions import OpenApiAuthenticationExtension


class BearerAuthentication(JWTTokenAuthentication):  # type: ignore[misc]  # allauth ships no types
    """Allauth's access tokens, checked against their session, so that sign-out counts at once."""

    def authenticate_credentials(self, key: str) -> tuple[Any, Any]:
        """Raises AuthenticationFailed; otherwise binds the member's id to the log lines of this request."""
        member, payload = super().authenticate_credentials(key)
        structlog.contextvars.bind_contextvars(member_id=member.pk)
        return member, payload


class BearerScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """Names the scheme in the OpenAPI document."""

    target_class = "members.api.authentication.BearerAuthentication"
    name = "bearer"

    def get_security_definition(self, auto_schema: Any) -> dict[str, Any]:
        return {
            "type": "http",
            "scheme": "bearer",
            "bearerFormat": "JWT",
            "description": "An access token of POST /_allauth/app/v1/auth/login (see docs/members.md).",
        }
