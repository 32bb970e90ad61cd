from __future__ import annotations

import time
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from django.core import mail
from django.core.cache import cache
from prometheus_client import REGISTRY

from members.api.accounts import SecondFactorAdapter
from members.models import Member
from tests.members.visitor import ACCOUNTS, Visitor, last_code

pytestmark = pytest.mark.django_db

TOTP = f"{ACCOUNTS}/account/authenticators/totp"
RECOVERY_CODES = f"{ACCOUNTS}/account/authenticators/recovery-codes"


def code_of(secret: str, *, steps_ago: int = 0) -> str:
    """What an authenticator app shows (RFC 6238, steps of 30 s)."""
    return str(format_hotp_value(hotp_value(secret, int(time.time()) // 30 - steps_ago)))


def enrol(visitor: Visitor) -> str:
    """Add an authenticator app; returns its secret."""
    visitor.reauthenticate()
    offered = visitor.get(TOTP)
    assert offered.status_code == 404
    secret: str = offered.json()["meta"]["secret"]
    assert visitor.post(TOTP, {"code": code_of(secret)}).status_code == 200
    return secret


def refused_codes() -> float:
    return REGISTRY.get_sample_value("preloved_members_sign_in_failures_total", {"reason": "code"}) or 0


def give_code(visitor: Visitor, code: str) -> Any:
    return visitor.post(f"{ACCOUNTS}/auth/2fa/authenticate", {"code": code})


class TestEnrol:
    def test_needs_the_password_again(self, as_ona: Visitor) -> None:
        as_ona.get(TOTP)
        assert as_ona.post(TOTP, {"code": "000000"}).status_code in (400, 401)
        assert not Authenticator.objects.exists()

    def test_offers_an_address_for_the_app(self, as_ona: Visitor) -> None:
        as_ona.reauthenticate()
        meta = as_ona.get(TOTP).json()["meta"]
        assert meta["totp_url"].startswith("otpauth://totp/ona%40example.test?secret=")
        assert meta["totp_url"].endswith("&issuer=Preloved")

    def test_refuses_a_wrong_code(self, as_ona: Visitor) -> None:
        as_ona.reauthenticate()
        as_ona.get(TOTP)
        assert as_ona.post(TOTP, {"code": "000000"}).status_code == 400
        assert not Authenticator.objects.exists()

    def test_shows_in_the_profile_and_tells_by_mail(
        self, as_ona: Visitor, django_capture_on_commit_callbacks: Any
    ) -> None:
        etag = as_ona.get("/api/v1/me").headers["ETag"]
        with django_capture_on_commit_callbacks(execute=True):
            enrol(as_ona)
        me = as_ona.get("/api/v1/me")
        assert me.json()["has_second_factor"] is True
        assert me.headers["ETag"] != etag
        assert "activated" in mail.outbox[-1].body.lower()

    def test_keeps_the_secret_encrypted(self, as_ona: Visitor) -> None:
        secret = enrol(as_ona)
        stored = Authenticator.objects.get(type="totp").data["secret"]
        assert secret not in stored
        assert SecondFactorAdapter().decrypt(stored) == secret

    def test_reads_secrets_of_a_former_key(self, settings: Any) -> None:
        stored = SecondFactorAdapter().encrypt("former")
        settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
        settings.SECRET_KEY = "another key"
        assert SecondFactorAdapter().decrypt(stored) == "former"


class TestSignInWithSecondFactor:
    def test_takes_password_and_code(self, as_ona: Visitor) -> None:
        secret = enrol(as_ona)
        cache.clear()  # the code that enrolled it counts as used for 30 s
        phone = Visitor()
        pending = phone.sign_in()
        assert pending.status_code == 401
        assert phone.access_token is None
        assert "mfa_authenticate" in [
            flow["id"] for flow in pending.json()["data"]["flows"] if flow.get("is_pending")
        ]
        assert give_code(phone, code_of(secret)).status_code == 200
        assert phone.get("/api/v1/me").status_code == 200

    def test_password_alone_opens_nothing(self, as_ona: Visitor) -> None:
        enrol(as_ona)
        phone = Visitor()
        phone.sign_in()
        assert phone.get("/api/v1/me").status_code == 401
        assert phone.get("/api/v1/me", **{"X-Session-Token": phone.session_token or ""}).status_code == 401

    def test_refuses_old_wrong_and_repeated_codes(self, as_ona: Visitor) -> None:
        secret = enrol(as_ona)
        cache.clear()
        phone = Visitor()
        phone.sign_in()
        assert give_code(phone, code_of(secret, steps_ago=5)).status_code == 400
        assert give_code(phone, "000000").status_code == 400
        code = code_of(secret)
        assert give_code(phone, code).status_code == 200
        laptop = Visitor()
        laptop.sign_in()
        assert give_code(laptop, code).status_code == 400

    def test_five_wrong_codes_lock_it_for_a_while(self, as_ona: Visitor) -> None:
        secret = enrol(as_ona)
        cache.clear()
        phone = Visitor()
        phone.sign_in()
        before = refused_codes()
        for _ in range(5):
            assert give_code(phone, "000000").json()["errors"][0]["code"] == "incorrect_code"
        assert refused_codes() == before + 5
        assert give_code(phone, code_of(secret)).json()["errors"][0]["code"] == "too_many_login_attempts"

    def test_a_recovery_code_works_once(self, as_ona: Visitor) -> None:
        enrol(as_ona)
        cache.clear()
        codes = as_ona.get(RECOVERY_CODES).json()["data"]["unused_codes"]
        assert len(codes) == 10
        phone, laptop = Visitor(), Visitor()
        phone.sign_in()
        assert give_code(phone, codes[0]).status_code == 200
        laptop.sign_in()
        assert give_code(laptop, codes[0]).status_code == 400

    def test_can_be_taken_away_again(self, as_ona: Visitor, ona: Member) -> None:
        enrol(as_ona)
        assert as_ona.delete(TOTP).status_code == 200
        assert not Authenticator.objects.filter(user=ona).exists()
        assert Visitor().sign_in().status_code == 200

    def test_guards_the_password_change_too(self, as_ona: Visitor) -> None:
        """A reset by mail does not sign in, so the second factor is still asked for."""
        enrol(as_ona)
        phone = Visitor()
        phone.post(f"{ACCOUNTS}/auth/password/request", {"email": "ona@example.test"})
        phone.post(f"{ACCOUNTS}/auth/password/reset", {"key": last_code(), "password": "better horse 8"})
        phone.session_token = None
        assert phone.sign_in(password="better horse 8").status_code == 401
        assert phone.access_token is None
