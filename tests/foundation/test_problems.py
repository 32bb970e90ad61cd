"""Every refusal is problem+json with the right status, whichever part of the framework refuses."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import orjson
import pytest
from django.core import exceptions as django
from django.db import InterfaceError, OperationalError
from django.http import Http404, UnreadablePostError
from rest_framework import exceptions as drf
from rest_framework.exceptions import ErrorDetail
from rest_framework.test import APIClient

from foundation import errors
from foundation.api import idempotency, pagination, problems
from tests.foundation.probe import PROBLEM, RaiseView


def problem_of(response: Any, status: int, code: str) -> dict[str, Any]:
    assert response.status_code == status, response.content
    assert response["Content-Type"] == PROBLEM
    body: dict[str, Any] = orjson.loads(response.content)
    assert body["status"] == status
    assert body["code"] == code
    assert body["type"] == f"/api/problems/{code}"
    assert body["title"]
    assert body["detail"]
    assert body["request_id"] == response["X-Request-ID"]
    assert "no-store" in response["Cache-Control"]
    return body


class TestDomainErrors:
    @pytest.mark.parametrize(
        ("kind", "status", "code"),
        [
            (errors.Malformed, 400, "malformed_request"),
            (errors.Unauthenticated, 401, "authentication_required"),
            (errors.Forbidden, 403, "forbidden"),
            (errors.NotFound, 404, "not_found"),
            (errors.Conflict, 409, "conflict"),
            (errors.PreconditionFailed, 412, "stale_etag"),
            (errors.TooLarge, 413, "content_too_large"),
            (errors.UnsupportedMedia, 415, "unsupported_media_type"),
            (errors.RuleBroken, 422, "rule_broken"),
            (errors.PreconditionRequired, 428, "if_match_required"),
            (errors.RateLimited, 429, "rate_limited"),
            (errors.Unavailable, 503, "unavailable"),
            (problems.InvalidRequest, 400, "invalid_request"),
            (problems.MethodNotAllowed, 405, "method_not_allowed"),
            (problems.NotAcceptable, 406, "not_acceptable"),
            (problems.LengthRequired, 411, "length_required"),
            (problems.InternalError, 500, "internal_error"),
            (pagination.InvalidCursor, 400, "invalid_cursor"),
            (idempotency.IdempotencyKeyRequired, 400, "idempotency_key_required"),
            (idempotency.IdempotencyKeyInvalid, 400, "idempotency_key_invalid"),
            (idempotency.IdempotencyKeyReused, 422, "idempotency_key_reused"),
            (idempotency.IdempotencyKeyInUse, 409, "idempotency_key_in_use"),
        ],
    )
    def test_have_their_status(
        self, anna: APIClient, kind: type[errors.DomainError], status: int, code: str
    ) -> None:
        RaiseView.fault = kind
        problem_of(anna.get("/api/v1/raise"), status, code)

    def test_carry_pointers_reasons_and_when_to_retry(self, anna: APIClient) -> None:
        class BagClosed(errors.Conflict):
            code = "conflict"

        problems_found = (errors.FieldProblem("/price", "too_low", "At least 1.00 EUR."),)
        RaiseView.fault = lambda: BagClosed(
            "Closed.", errors=problems_found, retry_after_s=7, extra={"reason": "holiday"}
        )
        answer = anna.get("/api/v1/raise")
        body = problem_of(answer, 409, "conflict")
        assert body["errors"] == [{"pointer": "/price", "code": "too_low", "detail": "At least 1.00 EUR."}]
        assert body["reason"] == "holiday"
        assert body["instance"] == "/api/v1/raise"
        assert answer["Retry-After"] == "7"

    def test_of_no_known_kind_are_faults_of_ours(self) -> None:
        class Odd(errors.DomainError):
            pass

        assert problems.status_of(Odd()) == 500

    def test_say_how_to_sign_in(self, stranger: APIClient) -> None:
        answer = stranger.get("/api/v1/echo")
        problem_of(answer, 401, "authentication_required")
        assert answer["WWW-Authenticate"].startswith("Bearer")


class TestErrorsOfTheFramework:
    @pytest.mark.parametrize(
        ("fault", "status", "code"),
        [
            (lambda: drf.ParseError("odd"), 400, "malformed_request"),
            (lambda: drf.NotAuthenticated(), 401, "authentication_required"),
            (lambda: drf.AuthenticationFailed(), 401, "authentication_required"),
            (lambda: drf.PermissionDenied(), 403, "forbidden"),
            (lambda: django.PermissionDenied(), 403, "forbidden"),
            (lambda: drf.NotFound(), 404, "not_found"),
            (lambda: Http404(), 404, "not_found"),
            (lambda: drf.UnsupportedMediaType("text/plain"), 415, "unsupported_media_type"),
            (lambda: drf.NotAcceptable(), 406, "not_acceptable"),
            (lambda: drf.Throttled(), 429, "rate_limited"),
            (lambda: django.RequestDataTooBig(), 413, "content_too_large"),
            (lambda: django.TooManyFieldsSent("too many"), 400, "malformed_request"),
            (lambda: django.TooManyFilesSent("too many"), 400, "malformed_request"),
            (lambda: django.SuspiciousOperation("odd"), 400, "malformed_request"),
            (lambda: UnreadablePostError("gone"), 400, "malformed_request"),
            (lambda: OperationalError(2006, "gone away"), 503, "unavailable"),
            (lambda: InterfaceError(0, ""), 503, "unavailable"),
        ],
    )
    def test_get_the_same_shape(
        self, anna: APIClient, fault: Callable[[], Exception], status: int, code: str
    ) -> None:
        RaiseView.fault = fault
        problem_of(anna.get("/api/v1/raise"), status, code)

    def test_a_bug_is_500_and_tells_nothing_of_itself(self, anna: APIClient) -> None:
        RaiseView.fault = lambda: RuntimeError("the secret recipe")
        answer = anna.get("/api/v1/raise")
        problem_of(answer, 500, "internal_error")
        assert b"recipe" not in answer.content

    def test_an_answer_that_is_not_json_is_a_bug(self, anna: APIClient) -> None:
        problem_of(anna.get("/api/v1/unwritable"), 500, "internal_error")

    def test_unknown_path(self, anna: APIClient) -> None:
        problem_of(anna.get("/api/v1/nothing"), 404, "not_found")

    @pytest.mark.parametrize("path", ["/%ff%fe", "/a%00b", "/%ed%a0%80", "/api/v1/%2e%2e/echo", "//x"])
    def test_odd_paths(self, anna: APIClient, path: str) -> None:
        problem_of(anna.generic("GET", path), 404, "not_found")

    def test_wrong_host(self, anna: APIClient) -> None:
        problem_of(anna.get("/api/v1/echo", headers={"host": "evil.example"}), 400, "malformed_request")

    @pytest.mark.parametrize("method", ["PUT", "TRACE", "BREW"])
    def test_wrong_method_names_the_right_ones(self, anna: APIClient, method: str) -> None:
        answer = anna.generic(method, "/api/v1/echo")
        problem_of(answer, 405, "method_not_allowed")
        assert {"GET", "POST", "PATCH", "DELETE"} <= set(answer["Allow"].split(", "))

    def test_wrong_method_of_a_plain_view(self, anna: APIClient) -> None:
        answer = anna.post("/livez")
        problem_of(answer, 405, "method_not_allowed")
        assert answer["Allow"] == "GET, HEAD"

    def test_accept_that_cannot_be_met(self, anna: APIClient) -> None:
        problem_of(anna.get("/api/v1/echo", headers={"Accept": "text/html"}), 406, "not_acceptable")

    @pytest.mark.parametrize(
        "content_type", ["text/plain", "application/xml", "", "nonsense", "multipart/form-data"]
    )
    def test_content_type_that_is_not_taken(self, anna: Any, content_type: str) -> None:
        answer = anna.generic("POST", "/api/v1/echo", b"name=x", content_type=content_type)
        problem_of(answer, 415, "unsupported_media_type")


class TestProblemPages:
    def test_exist_for_every_code(self, anna: APIClient) -> None:
        for code, kind in problems.registry().items():
            page = anna.get(f"/api/problems/{code}")
            assert page.status_code == 200, code
            assert code in page.content.decode()
            assert str(problems.status_of(kind())) in page.content.decode()

    def test_unknown_code(self, anna: APIClient) -> None:
        problem_of(anna.get("/api/problems/no-such"), 404, "not_found")

    def test_index_lists_all(self, anna: APIClient) -> None:
        index = anna.get("/api/problems").content.decode()
        assert all(code in index for code in problems.registry())


class TestCodes:
    def test_belong_to_one_error_each(self) -> None:
        owners: dict[str, type[errors.DomainError]] = {}
        pending: list[type[errors.DomainError]] = [errors.DomainError]
        while pending:
            kind = pending.pop()
            pending.extend(kind.__subclasses__())
            if "code" in kind.__dict__ and not kind.__module__.startswith("tests."):
                assert owners.setdefault(kind.code, kind) is kind, kind.code


class TestPointers:
    def test_follow_nesting_and_escape(self) -> None:
        detail = {
            "a/b~c": [ErrorDetail("odd", code="odd")],
            "parts": [{}, {"name": [ErrorDetail("long", code="max_length")]}],
            "non_field_errors": [ErrorDetail("sum", code="sum")],
        }
        assert [(found.pointer, found.code) for found in problems.flatten(detail)] == [
            ("/a~1b~0c", "odd"),
            ("/parts/1/name", "max_length"),
            ("", "sum"),
        ]
