"""Conditional requests (RFC 9110 section 13): no lost updates, no needless answers."""

from __future__ import annotations

from typing import Any

from django.utils.http import parse_etags
from rest_framework.request import Request
from rest_framework.response import Response

from foundation.errors import PreconditionFailed, PreconditionRequired


def etag_for(*parts: Any) -> str:
    """A strong ETag from what makes this representation differ, such as id and version."""
    return '"' + "-".join(str(part) for part in parts) + '"'


def require_if_match(request: Request, current: str) -> None:
    """Raises PreconditionRequired without If-Match, PreconditionFailed when it names another version."""
    header = request.headers.get("If-Match")
    if header is None:
        raise PreconditionRequired
    given = parse_etags(header)
    if "*" not in given and current not in given:
        raise PreconditionFailed("Read it again, apply your change to what it is now, and retry.")


def not_modified(request: Request, current: str) -> Response | None:
    """A 304 answer when the client already has `current`, else None."""
    header = request.headers.get("If-None-Match")
    if header is None:
        return None
    given = [tag.removeprefix("W/") for tag in parse_etags(header)]
    if "*" in given or current in given:
        return Response(status=304, headers={"ETag": current})
    return None
