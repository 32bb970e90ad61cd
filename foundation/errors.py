"""Errors are domain facts with a stable `code`.

A domain raises a subclass; the HTTP status of each kind is decided once, in
foundation.api.problems. `code` is part of the API: additive change only.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar


@dataclass(frozen=True, slots=True)
class FieldProblem:
    """One thing wrong in a request: where (RFC 6901 pointer into the body), what, in words."""

    pointer: str
    code: str
    detail: str


class DomainError(Exception):
    """Base of every error that a client may see. `title` is constant, `detail` about this case.

    `extra` adds members to the problem document (RFC 9457 section 3.2), such as a reason.
    """

    code: ClassVar[str] = "error"
    title: ClassVar[str] = "The request could not be carried out"

    def __init__(
        self,
        detail: str = "",
        *,
        errors: Iterable[FieldProblem] = (),
        retry_after_s: int | None = None,
        extra: Mapping[str, Any] | None = None,
    ) -> None:
        self.detail = detail or self.title
        self.errors = tuple(errors)
        self.retry_after_s = retry_after_s
        self.extra = dict(extra or {})
        super().__init__(self.detail)


class Malformed(DomainError):
    """The request cannot be understood."""

    code = "malformed_request"
    title = "The request is malformed"


class Unauthenticated(DomainError):
    code = "authentication_required"
    title = "Sign in first"


class Forbidden(DomainError):
    """The member may not do this, for a stated reason. What is not theirs is NotFound instead."""

    code = "forbidden"
    title = "This is not allowed"


class NotFound(DomainError):
    code = "not_found"
    title = "There is no such thing here"


class Conflict(DomainError):
    """The thing is not in a state that allows this."""

    code = "conflict"
    title = "The current state does not allow this"


class PreconditionFailed(DomainError):
    code = "stale_etag"
    title = "It was changed in the meantime"


class TooLarge(DomainError):
    code = "content_too_large"
    title = "The content is too large"


class UnsupportedMedia(DomainError):
    code = "unsupported_media_type"
    title = "This type of content is not accepted"


class RuleBroken(DomainError):
    """Understood, but a rule of the domain forbids it; `errors` lists every problem at once."""

    code = "rule_broken"
    title = "A rule is broken"


class PreconditionRequired(DomainError):
    code = "if_match_required"
    title = "Send If-Match with the ETag you are changing"


class RateLimited(DomainError):
    code = "rate_limited"
    title = "Too many requests"


class Unavailable(DomainError):
    code = "unavailable"
    title = "Temporarily unavailable"
