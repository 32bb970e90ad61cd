"""Every error becomes application/problem+json (RFC 9457) here, and gets its HTTP status here only."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import structlog
from django.core.exceptions import (
    PermissionDenied,
    RequestDataTooBig,
    SuspiciousOperation,
    TooManyFieldsSent,
    TooManyFilesSent,
)
from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse, UnreadablePostError
from django.http.multipartparser import MultiPartParserError
from rest_framework import exceptions as drf

from foundation import errors, metrics
from foundation.api.rendering import dumps

logger = structlog.get_logger(__name__)

CONTENT_TYPE = "application/problem+json"

STATUS_OF_KIND: tuple[tuple[type[errors.DomainError], int], ...] = (
    (errors.Malformed, 400),
    (errors.Unauthenticated, 401),
    (errors.Forbidden, 403),
    (errors.NotFound, 404),
    (errors.Conflict, 409),
    (errors.PreconditionFailed, 412),
    (errors.TooLarge, 413),
    (errors.UnsupportedMedia, 415),
    (errors.RuleBroken, 422),
    (errors.PreconditionRequired, 428),
    (errors.RateLimited, 429),
    (errors.Unavailable, 503),
)


class InvalidRequest(errors.Malformed):
    """A body or query that does not have the documented shape; `errors` lists every problem."""

    code = "invalid_request"
    title = "The request does not have the expected shape"


class MethodNotAllowed(errors.DomainError):
    code = "method_not_allowed"
    title = "This method is not available here"


class NotAcceptable(errors.DomainError):
    code = "not_acceptable"
    title = "The answer cannot be given in the requested form"


class LengthRequired(errors.DomainError):
    """A body sent in chunks, without its length in advance, cannot be taken."""

    code = "length_required"
    title = "Send the length of the body"


class InternalError(errors.DomainError):
    code = "internal_error"
    title = "Something went wrong on our side"


STATUS_OF_FRAMEWORK: dict[type[errors.DomainError], int] = {
    MethodNotAllowed: 405,
    NotAcceptable: 406,
    LengthRequired: 411,
    InternalError: 500,
}


def status_of(error: errors.DomainError) -> int:
    """The HTTP status of a domain error; an error of no known kind is a fault of ours."""
    for kind, status in (*STATUS_OF_KIND, *STATUS_OF_FRAMEWORK.items()):
        if isinstance(error, kind):
            return status
    return 500


def document(error: errors.DomainError, request: HttpRequest | None) -> dict[str, Any]:
    """The problem document as a dict, in the order in which people read it."""
    body: dict[str, Any] = {
        "type": f"/api/problems/{error.code}",
        "title": error.title,
        "status": status_of(error),
        "detail": error.detail,
        "code": error.code,
        "instance": request.path if request is not None else "",
        "request_id": getattr(request, "request_id", ""),
    }
    if error.errors:
        body["errors"] = [
            {"pointer": problem.pointer, "code": problem.code, "detail": problem.detail}
            for problem in error.errors
        ]
    return body | error.extra


def headers_of(error: errors.DomainError) -> dict[str, str]:
    """Headers that belong to the error: never cached, when to retry, how to sign in."""
    headers = {"Cache-Control": "no-store"}
    if error.retry_after_s is not None:
        headers["Retry-After"] = str(error.retry_after_s)
    if isinstance(error, errors.Unauthenticated):
        headers["WWW-Authenticate"] = 'Bearer realm="preloved"'
    return headers


def as_response(error: errors.DomainError, request: HttpRequest | None) -> HttpResponse:
    """For code outside DRF: middleware and the framework's own error handlers."""
    status = status_of(error)
    metrics.PROBLEMS.labels(error.code, status).inc()
    return HttpResponse(
        dumps(document(error, request)),
        status=status,
        content_type=CONTENT_TYPE,
        headers=headers_of(error),
    )


def flatten(detail: Any, pointer: str = "") -> Iterator[errors.FieldProblem]:
    """DRF's nested error detail as a list with RFC 6901 pointers."""
    if isinstance(detail, Mapping):
        for key, value in detail.items():
            step = "" if key == "non_field_errors" else "/" + str(key).replace("~", "~0").replace("/", "~1")
            yield from flatten(value, pointer + step)
    elif isinstance(detail, list):
        for i, item in enumerate(detail):
            # A list of messages belongs to one place; a list of mappings mirrors a list in the body.
            yield from flatten(item, f"{pointer}/{i}" if isinstance(item, Mapping | list) else pointer)
    else:
        yield errors.FieldProblem(pointer, getattr(detail, "code", None) or "invalid", str(detail))


def domain_error_of(exc: Exception) -> errors.DomainError | None:
    """The domain error that stands for an exception of DRF or Django; None for a bug of ours."""
    match exc:
        case errors.DomainError():
            return exc
        case drf.ValidationError():
            problems = list(flatten(exc.detail))
            where = ", ".join(dict.fromkeys(p.pointer.lstrip("/") or "the body" for p in problems))
            return InvalidRequest(f"Not as expected: {where}.", errors=problems)
        case drf.ParseError() | MultiPartParserError() | TooManyFieldsSent() | TooManyFilesSent():
            return errors.Malformed(str(exc))
        case RequestDataTooBig():
            return errors.TooLarge("The body is larger than this server reads.")
        case drf.NotAuthenticated():
            return errors.Unauthenticated("Send an access token: Authorization: Bearer <token>.")
        case drf.AuthenticationFailed():
            return errors.Unauthenticated("The access token is not valid or has expired.")
        case drf.PermissionDenied() | PermissionDenied():
            return errors.Forbidden(str(exc))
        case drf.NotFound() | Http404():
            return errors.NotFound()
        case drf.MethodNotAllowed():
            return MethodNotAllowed(str(exc.detail))
        case drf.NotAcceptable():
            return NotAcceptable(str(exc.detail))
        case drf.UnsupportedMediaType():
            return errors.UnsupportedMedia(str(exc.detail))
        case drf.Throttled():
            return errors.RateLimited(retry_after_s=1)
        case UnreadablePostError():
            return errors.Malformed("The body ended before it was complete.")
        case SuspiciousOperation():
            return errors.Malformed("The request looks tampered with.")
        case OperationalError() | InterfaceError():
            return errors.Unavailable("The database did not answer in time.", retry_after_s=1)
    return None


def exception_handler(exc: Exception, context: Mapping[str, Any]) -> HttpResponse | None:
    """DRF's EXCEPTION_HANDLER. None lets Django report a bug of ours (handler500 answers it)."""
    error = domain_error_of(exc)
    if error is None:
        return None
    if status_of(error) >= 500:
        logger.error("request_unavailable", code=error.code, exc_info=exc)
    # Not a Response of DRF, which would be rendered as the view's answers are, YAML for example.
    response = as_response(error, context.get("request"))
    if isinstance(exc, drf.MethodNotAllowed) and context.get("view") is not None:
        response["Allow"] = ", ".join(context["view"].allowed_methods)
    return response


def registry() -> dict[str, type[errors.DomainError]]:
    """Every declared error by its code, for the documentation and the tests."""
    found: dict[str, type[errors.DomainError]] = {}
    pending = list(errors.DomainError.__subclasses__())
    while pending:
        kind = pending.pop()
        found.setdefault(kind.code, kind)
        pending.extend(kind.__subclasses__())
    return dict(sorted(found.items()))
