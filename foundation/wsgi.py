"""The door to Django: a request whose headers cannot break it before any middleware runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.core.handlers.wsgi import WSGIHandler, WSGIRequest
from django.utils.http import parse_header_parameters

from foundation.api.event_streams import EventStream

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse


class Utf8Request(WSGIRequest):
    """JSON, query strings and forms are UTF-8, whatever charset the content type names.

    Django takes the charset on and decodes the query with it while the request is being made, where
    a codec that decodes no text (`charset=rot13`) ends in an error that no handler answers.
    """

    def _set_content_type_params(self, meta: dict[str, Any]) -> None:
        try:
            self.content_type, self.content_params = parse_header_parameters(meta.get("CONTENT_TYPE", ""))
        except ValueError:
            # Longer than Django parses; no parser takes an unknown type, so this is answered 415.
            self.content_type, self.content_params = "", {}


class Handler(WSGIHandler):
    """The WSGI application; django.setup() has to run first."""

    request_class = Utf8Request

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Any:
        response = super().__call__(environ, start_response)
        if isinstance(response, EventStream):
            # Middleware is done and nothing is sent yet: the connection changes hands here.
            response.take_over(environ["gunicorn.socket"])
        return response
