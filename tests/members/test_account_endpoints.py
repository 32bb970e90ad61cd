"""The edges of allauth's endpoints: what the framework answers there has the API's error shape."""

from __future__ import annotations

from typing import Any

import pytest
from prometheus_client import REGISTRY

from members.models import Member
from tests.members.visitor import ACCOUNTS, Visitor

pytestmark = pytest.mark.django_db

PROBLEM = "application/problem+json"
LOGIN = f"{ACCOUNTS}/auth/login"


class TestBody:
    @pytest.mark.parametrize(
        "body",
        [b"{", b"\xff\xfe", b'{"email": NaN}', b"[" * 100_000, b'"text"', b"[]", b"1", b'{"a": "\\ud800"}'],
    )
    def test_broken_json_is_a_problem(self, stranger: Visitor, body: bytes) -> None:
        response = stranger.post(LOGIN, body)
        assert response.status_code == 400
        assert response.headers["Content-Type"] == PROBLEM
        assert response.json()["code"] == "malformed_request"

    def test_a_huge_body_is_refused(self, stranger: Visitor) -> None:
        response = stranger.post(LOGIN, b'{"email": "' + b"x" * 1_000_001 + b'"}')
        assert response.status_code == 413
        assert response.json()["code"] == "content_too_large"

    @pytest.mark.parametrize("value", [None, 5, True, ["a"], {"a": 1}, "x\x00y", "x" * 10_000])
    @pytest.mark.parametrize("field", ["email", "password", "display_name", "country", "time_zone"])
    def test_values_of_any_kind_are_400(self, stranger: Visitor, field: str, value: Any) -> None:
        response = stranger.sign_up(**{field: value})
        # A number is as good a text as any other; nothing is a failure of ours.
        assert response.status_code in (400, 401)


class TestFramework:
    def test_unknown_path_is_404(self, stranger: Visitor) -> None:
        response = stranger.get(f"{ACCOUNTS}/auth/nothing")
        assert (response.status_code, response.headers["Content-Type"]) == (404, PROBLEM)

    def test_wrong_method_is_405(self, stranger: Visitor) -> None:
        response = stranger.get(LOGIN)
        assert (response.status_code, response.headers["Content-Type"]) == (405, PROBLEM)
        assert response.json()["code"] == "method_not_allowed"

    def test_there_are_no_cookie_sessions(self, stranger: Visitor) -> None:
        assert stranger.get("/_allauth/browser/v1/auth/session").status_code == 404

    def test_401_says_how_to_sign_in(self, stranger: Visitor) -> None:
        response = stranger.get(f"{ACCOUNTS}/auth/session")
        assert response.status_code == 401
        assert response.headers["WWW-Authenticate"].startswith("Bearer")

    def test_sets_no_cookie(self, as_ona: Visitor) -> None:
        assert not as_ona.client.cookies

    def test_the_shapes_are_served(self, stranger: Visitor) -> None:
        document = stranger.get("/_allauth/openapi.json").json()
        sign_up = document["paths"]["/_allauth/app/v1/auth/signup"]["post"]
        assert "country" in str(document)
        assert sign_up["requestBody"]


class TestEveryEndpoint:
    def test_answers_odd_requests_without_failing(self, as_ona: Visitor, stranger: Visitor) -> None:
        document = stranger.get("/_allauth/openapi.json").json()
        bodies: list[Any] = [None, {}, {"key": "x", "code": "x", "email": "x", "password": "x"}]
        bodies += [{"email": "ona@example.test", "phone": "+37061234567", "sessions": [0], "primary": True}]
        answers = {}
        for path, operations in document["paths"].items():
            for method in {"get", "post", "put", "patch", "delete"} & set(operations):
                if path.endswith(("/auth/session", "/auth/sessions")) and method == "delete":
                    continue  # signs out; has its own tests
                for visitor in (as_ona, Visitor()):
                    for body in bodies:
                        response = visitor.send(method.upper(), path, body)
                        answers[f"{method} {path} {body}"] = response.status_code
        assert len(answers) > 80
        assert {case: status for case, status in answers.items() if status >= 500} == {}

    def test_there_are_no_telephone_numbers(self, as_ona: Visitor) -> None:
        for path in ("account/phone", "auth/phone/verify", "auth/phone/verify/resend"):
            assert as_ona.post(f"{ACCOUNTS}/{path}", {"phone": "+37061234567"}).status_code == 404


class TestMailServerDown:
    def test_is_503_with_a_code_and_nothing_hangs(self, stranger: Visitor, settings: Any) -> None:
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1
        before = REGISTRY.get_sample_value("preloved_members_mails_refused_total") or 0
        response = stranger.sign_up()
        assert response.status_code == 503
        assert response.headers["Retry-After"] == "30"
        assert response.json()["code"] == "mail_unavailable"
        assert REGISTRY.get_sample_value("preloved_members_mails_refused_total") == before + 1

        settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
        again = Visitor()
        from django.core.cache import cache

        cache.clear()
        again.sign_in()
        assert again.verify_email().status_code == 200

    def test_a_notice_that_cannot_be_sent_does_not_undo_the_change(
        self, as_ona: Visitor, ona: Member, settings: Any
    ) -> None:
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1
        changed = as_ona.post(
            f"{ACCOUNTS}/account/password/change",
            {"current_password": "correct horse 7", "new_password": "better horse 8"},
        )
        assert changed.status_code == 401
        ona.refresh_from_db()
        assert ona.check_password("better horse 8")
