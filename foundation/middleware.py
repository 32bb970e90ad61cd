"""Request ids, a log line per request, latency by route, problem+json for the framework's own errors."""

from __future__ import annotations

import re
import time
from collections.abc import Callable

import structlog
from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from prometheus_client import Histogram

from foundation import errors
from foundation.api import problems
from foundation.ids import new_id

logger = structlog.get_logger("preloved.http")

REQUEST_SECONDS = Histogram(
    "preloved_http_request_seconds",
    "Time to answer, by route and status",
    ["method", "route", "status"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 25),
)
_ACCEPTABLE_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
# Pages for people keep the framework's HTML errors.
_HTML_PREFIXES = ("/admin/", "/api/docs", "/static/", "/media/")

GetResponse = Callable[[HttpRequest], HttpResponse]


class RequestMiddleware:
    """Outermost: gives every request an id, binds it to the logs, and counts and logs the answer.

    Neither addresses nor query strings are logged: both can be personal data.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        given = request.headers.get("X-Request-ID", "")
        request_id = given if _ACCEPTABLE_ID.fullmatch(given) else new_id()
        request.request_id = request_id  # type: ignore[attr-defined]
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=request_id)
        started = time.perf_counter()
        response = self.get_response(request)
        seconds = time.perf_counter() - started
        response["X-Request-ID"] = request_id
        for name, value in getattr(request, "rate_limit_headers", {}).items():
            response[name] = value
        match = request.resolver_match
        route = f"/{match.route}" if match else "unmatched"
        method = request.method if request.method in _METHODS else "OTHER"
        REQUEST_SECONDS.labels(method, route, response.status_code).observe(seconds)
        level = "info" if response.status_code < 500 else "error"
        getattr(logger, level)(
            "request",
            method=method,
            route=route,
            path=request.path if match else None,
            status=response.status_code,
            ms=round(seconds * 1000, 1),
        )
        structlog.contextvars.clear_contextvars()
        return response


class ProblemMiddleware:
    """Answers of the framework itself (bad host, wrong method, too large) in the API's error shape."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if "chunked" in request.headers.get("Transfer-Encoding", "").lower() and (
            not request.META.get("CONTENT_LENGTH")
        ):
            # Django would see an empty body.
            return problems.as_response(problems.LengthRequired("Send Content-Length."), request)
        if (length := request.META.get("CONTENT_LENGTH", "")).isdecimal() and (
            int(length) > settings.MAX_REQUEST_BYTES
        ):
            _drain(request, int(length))
            return problems.as_response(
                errors.TooLarge(f"At most {settings.MAX_REQUEST_BYTES} bytes per request."), request
            )
        response = self.get_response(request)
        if request.path.startswith(_HTML_PREFIXES):
            return response
        if isinstance(response, HttpResponseNotAllowed):
            answer = problems.as_response(problems.MethodNotAllowed(), request)
            answer["Allow"] = response["Allow"]
            return answer
        return response


def _drain(request: HttpRequest, length: int) -> None:
    """Read a refused body away: a client that is still sending would see a reset, not 413.

    Within bounds: who announces more than any client sends by mistake would only hold a thread.
    """
    if length > 4 * settings.MAX_REQUEST_BYTES:
        return
    while length > 0 and (chunk := request.read(min(length, 1 << 16))):
        length -= len(chunk)
