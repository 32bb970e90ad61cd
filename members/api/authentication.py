"""Who is asking: `Authorization: Bearer <access token>`, nothing else (docs/adr/0003)."""

from __future__ import annotations

import datetime as dt
from typing import Any

import structlog
from allauth.account.authentication import AUTHENTICATION_METHODS_SESSION_KEY
from allauth.headless.contrib.rest_framework.authentication import JWTTokenAuthentication
from allauth.headless.tokens.strategies.jwt.internal import get_token_session
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.request import Request

from members.errors import SecondFactorRequired
from members.queries import has_second_factor

SECOND_FACTOR_COUNTS_FOR = dt.timedelta(minutes=5)


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


def require_recent_second_factor(request: Request, *, now: dt.datetime) -> None:
    """For what a stolen token must not be enough for. Does nothing for members without an authenticator app.

    Raises SecondFactorRequired unless a code was given in this session during the last five minutes, at
    sign-in or again.
    """
    if not has_second_factor(str(request.user.pk)):
        return
    session = get_token_session(request.auth) if isinstance(request.auth, dict) else None
    records = session.get(AUTHENTICATION_METHODS_SESSION_KEY, []) if session is not None else []
    earliest = (now - SECOND_FACTOR_COUNTS_FOR).timestamp()
    if not any(record.get("method") == "mfa" and record.get("at", 0) >= earliest for record in records):
        raise SecondFactorRequired
