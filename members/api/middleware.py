"""The edge of the account endpoints (`/_allauth/`): what the framework answers there is problem+json too.

Allauth's own answers keep their documented shape; only what it leaves to the framework (broken
JSON, failures) and the headers that our API promises are added.
"""

from __future__ import annotations

import re
from collections.abc import Callable

import orjson
from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse

from foundation import errors
from foundation.api import problems
from members import metrics

PREFIX = "/_allauth/"
_PHONE = re.compile(r"/phone(/|$)")
RETRY_AFTER_S = 60  # the longest window of allauth's limits that a client can usefully wait for


class AccountEndpointsMiddleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not request.path.startswith(PREFIX):
            return self.get_response(request)
        # Allauth routes telephone numbers whether or not a project has any; ours has none to send texts to.
        fault = errors.NotFound() if _PHONE.search(request.path) else _body_fault(request)
        if fault is not None:
            return problems.as_response(fault, request)
        response = self.get_response(request)
        if response.status_code == 400 and request.path.endswith("/2fa/authenticate"):
            # Allauth tells its adapter of wrong passwords, but not of wrong codes.
            metrics.SIGN_IN_FAILURES.labels("code").inc()
        if response.status_code == 401:
            response.headers.setdefault("WWW-Authenticate", 'Bearer realm="preloved"')
        elif response.status_code == 429:
            response.headers.setdefault("Retry-After", str(RETRY_AFTER_S))
        return response

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """Domain errors and an unreachable database; a bug of ours goes on to handler500."""
        if not request.path.startswith(PREFIX):
            return None
        error = problems.domain_error_of(exception)
        return None if error is None else problems.as_response(error, request)


def _body_fault(request: HttpRequest) -> errors.DomainError | None:
    # Allauth reads the body as JSON whatever the content type says, and answers an empty 400 page.
    if request.method in ("GET", "HEAD", "OPTIONS"):
        return None
    try:
        body = request.body
    except RequestDataTooBig:
        return errors.TooLarge("The body is larger than this server reads.")
    if not body:
        return None
    try:
        # Stricter than the standard library that reads it next: no NaN, no lone surrogates, bounded depth.
        value = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        return errors.Malformed(f"The body is not valid JSON: {error}")
    return None if isinstance(value, dict) else errors.Malformed("The body must be a JSON object.")
