from __future__ import annotations

import time
from datetime import timedelta

import jwt
import pytest
from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib.sessions.models import Session
from django.core import mail
from django.utils import timezone

from members import services
from members.models import Member
from members.tasks import forget_expired_sessions
from tests.members.visitor import ACCOUNTS, PASSWORD, Visitor, last_code

pytestmark = pytest.mark.django_db

NEW_PASSWORD = "better horse 8"


class TestSignIn:
    def test_gives_a_bearer_token_for_a_quarter_of_an_hour(self, as_ona: Visitor, ona: Member) -> None:
        assert as_ona.access_token is not None
        claims = jwt.decode(as_ona.access_token, options={"verify_signature": False})
        assert claims["sub"] == ona.id
        assert claims["exp"] - claims["iat"] == 15 * 60
        assert as_ona.get("/api/v1/me").json()["id"] == ona.id

    def test_takes_the_address_in_any_case(self, stranger: Visitor, ona: Member) -> None:
        assert stranger.sign_in("ONA@Example.TEST").status_code == 200

    def test_an_address_that_ascii_cannot_hold_is_just_unknown(self, stranger: Visitor, ona: Member) -> None:
        assert stranger.sign_in("öna@example.test").status_code == 400
        assert stranger.sign_in("ona@exämple.test").status_code == 400

    def test_five_wrong_passwords_lock_the_address_for_a_while(self, stranger: Visitor, ona: Member) -> None:
        for _ in range(5):
            assert stranger.sign_in(password="wrong horse 77").json()["errors"][0]["code"] == (
                "email_password_mismatch"
            )
        assert stranger.sign_in(password=PASSWORD).json()["errors"][0]["code"] == "too_many_login_attempts"

    def test_a_deactivated_member_gets_no_token(self, stranger: Visitor, ona: Member) -> None:
        Member.objects.filter(id=ona.id).update(is_active=False)
        assert stranger.sign_in().status_code == 401
        assert stranger.access_token is None

    def test_too_many_from_one_address_are_told_when_to_come_back(self, stranger: Visitor) -> None:
        for number in range(30):
            stranger.sign_in(f"nobody{number}@example.test")
        refused = stranger.sign_in()
        assert refused.status_code == 429
        assert int(refused.headers["Retry-After"]) > 0


class TestAccessToken:
    @pytest.mark.parametrize("header", ["Bearer", "Bearer x y", "Bearer not.a.token", "Basic b25hOnB3", "é"])
    def test_anything_else_is_401(self, stranger: Visitor, header: str) -> None:
        response = stranger.get("/api/v1/me", Authorization=header)
        assert response.status_code == 401
        assert response.headers["WWW-Authenticate"] == 'Bearer realm="preloved"'
        assert response.headers["Content-Type"] == "application/problem+json"
        assert response.json()["code"] == "authentication_required"

    def test_runs_out(self, as_ona: Visitor, monkeypatch: pytest.MonkeyPatch) -> None:
        real = time.time
        monkeypatch.setattr("time.time", lambda: real() - 15 * 60 - 1)
        early = Visitor()
        early.sign_in()
        monkeypatch.undo()
        assert early.get("/api/v1/me").status_code == 401
        assert as_ona.get("/api/v1/me").status_code == 200

    def test_signed_with_another_key_is_refused(self, as_ona: Visitor) -> None:
        assert as_ona.access_token is not None
        claims = jwt.decode(as_ona.access_token, options={"verify_signature": False})
        for key, algorithm in (("0" * 64, "HS256"), (settings.SECRET_KEY, "HS256"), ("", "none")):
            forged = jwt.encode(claims, key, algorithm=algorithm)
            assert as_ona.get("/api/v1/me", Authorization=f"Bearer {forged}").status_code == 401

    def test_a_refresh_token_is_no_access_token(self, as_ona: Visitor) -> None:
        response = as_ona.get("/api/v1/me", Authorization=f"Bearer {as_ona.refresh_token}")
        assert response.status_code == 401

    def test_the_session_token_opens_no_api(self, as_ona: Visitor) -> None:
        as_ona.access_token = None
        assert as_ona.get("/api/v1/me", **{"X-Session-Token": as_ona.session_token or ""}).status_code == 401

    def test_stops_working_when_the_member_is_deactivated(self, as_ona: Visitor, ona: Member) -> None:
        Member.objects.filter(id=ona.id).update(is_active=False)
        assert as_ona.get("/api/v1/me").status_code == 401


class TestRefresh:
    def test_gives_a_new_pair_and_retires_the_old_refresh_token(self, as_ona: Visitor) -> None:
        first_access, first_refresh = as_ona.access_token, as_ona.refresh_token
        assert as_ona.refresh().status_code == 200
        assert as_ona.access_token != first_access
        assert as_ona.refresh_token != first_refresh
        assert as_ona.get("/api/v1/me").status_code == 200
        assert as_ona.refresh(first_refresh).status_code == 400

    @pytest.mark.parametrize("token", ["nonsense", "a.b.c", ""])
    def test_refuses_what_is_no_refresh_token(self, as_ona: Visitor, token: str) -> None:
        as_ona.refresh_token = token
        assert as_ona.refresh().status_code == 400

    def test_refuses_an_access_token(self, as_ona: Visitor) -> None:
        assert as_ona.refresh(as_ona.access_token).status_code == 400


class TestSignOut:
    def test_ends_access_and_refresh_at_once(self, as_ona: Visitor) -> None:
        access, refresh = as_ona.access_token, as_ona.refresh_token
        assert as_ona.sign_out().status_code == 401
        assert as_ona.get("/api/v1/me", Authorization=f"Bearer {access}").status_code == 401
        assert as_ona.refresh(refresh).status_code == 400

    def test_leaves_other_devices_alone(self, as_ona: Visitor) -> None:
        phone = Visitor()
        phone.sign_in()
        as_ona.sign_out()
        assert phone.get("/api/v1/me").status_code == 200

    def test_the_devices_can_be_listed_and_ended_one_by_one(self, as_ona: Visitor) -> None:
        phone = Visitor()
        phone.sign_in()
        sessions = as_ona.get(f"{ACCOUNTS}/auth/sessions").json()["data"]
        assert len(sessions) == 2
        other = next(session["id"] for session in sessions if not session["is_current"])
        assert as_ona.delete(f"{ACCOUNTS}/auth/sessions", {"sessions": [other]}).status_code == 200
        assert phone.get("/api/v1/me").status_code == 401
        assert as_ona.get("/api/v1/me").status_code == 200


class TestNewPassword:
    def reset(self, visitor: Visitor, code: str | None = None) -> int:
        visitor.post(f"{ACCOUNTS}/auth/password/request", {"email": "ona@example.test"})
        return int(
            visitor.post(
                f"{ACCOUNTS}/auth/password/reset", {"key": code or last_code(), "password": NEW_PASSWORD}
            ).status_code
        )

    def test_a_reset_by_code_revokes_every_token(self, as_ona: Visitor) -> None:
        assert self.reset(Visitor()) == 401  # done, and not signed in by it
        assert as_ona.get("/api/v1/me").status_code == 401
        assert as_ona.refresh().status_code == 400
        assert Visitor().sign_in().status_code == 400
        assert Visitor().sign_in(password=NEW_PASSWORD).status_code == 200

    def test_a_reset_needs_the_right_code(self, ona: Member) -> None:
        assert self.reset(Visitor(), "BBBB-BBBB") == 400
        assert Visitor().sign_in().status_code == 200

    def test_a_reset_code_runs_out_after_ten_minutes(
        self, ona: Member, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        visitor = Visitor()
        visitor.post(f"{ACCOUNTS}/auth/password/request", {"email": "ona@example.test"})
        real = time.time
        monkeypatch.setattr(
            "allauth.account.internal.flows.code_verification.time.time", lambda: real() + 10 * 60 + 1
        )
        answer = visitor.post(
            f"{ACCOUNTS}/auth/password/reset", {"key": last_code(), "password": NEW_PASSWORD}
        )
        assert answer.status_code == 409

    def test_a_weak_new_password_is_refused(self, ona: Member) -> None:
        visitor = Visitor()
        visitor.post(f"{ACCOUNTS}/auth/password/request", {"email": "ona@example.test"})
        answer = visitor.post(f"{ACCOUNTS}/auth/password/reset", {"key": last_code(), "password": "short"})
        assert answer.status_code == 400
        assert answer.json()["errors"][0]["param"] == "password"

    def test_a_change_signs_out_everywhere(self, as_ona: Visitor) -> None:
        phone = Visitor()
        phone.sign_in()
        access = as_ona.access_token
        changed = as_ona.post(
            f"{ACCOUNTS}/account/password/change",
            {"current_password": PASSWORD, "new_password": NEW_PASSWORD},
        )
        assert changed.status_code == 401
        assert as_ona.get("/api/v1/me", Authorization=f"Bearer {access}").status_code == 401
        assert phone.get("/api/v1/me").status_code == 401
        assert Visitor().sign_in(password=NEW_PASSWORD).status_code == 200

    def test_a_change_needs_the_current_one(self, as_ona: Visitor) -> None:
        changed = as_ona.post(
            f"{ACCOUNTS}/account/password/change",
            {"current_password": "wrong horse 77", "new_password": NEW_PASSWORD},
        )
        assert changed.status_code == 400
        assert as_ona.get("/api/v1/me").status_code == 200


class TestNewAddress:
    def test_replaces_the_old_one_once_its_code_is_entered(self, as_ona: Visitor, ona: Member) -> None:
        etag = as_ona.get("/api/v1/me").headers["ETag"]
        as_ona.reauthenticate()
        added = as_ona.post(f"{ACCOUNTS}/account/email", {"email": "New@example.test"})
        assert added.status_code == 200
        assert as_ona.get("/api/v1/me").json()["email"] == "ona@example.test"
        assert as_ona.verify_email().status_code == 200
        me = as_ona.get("/api/v1/me")
        assert me.json()["email"] == "new@example.test"
        assert me.headers["ETag"] != etag
        assert Visitor().sign_in("new@example.test").status_code == 200

    def test_cannot_be_that_of_another_member(self, as_ona: Visitor, piotr: Member) -> None:
        as_ona.reauthenticate()
        as_ona.post(f"{ACCOUNTS}/account/email", {"email": "piotr@example.test"})
        # Even with the code, which only the owner of that mailbox sees.
        assert mail.outbox[-1].to == ["piotr@example.test"]
        refused = as_ona.verify_email()
        assert refused.json()["errors"][0]["code"] == "email_taken"
        assert as_ona.get("/api/v1/me").json()["email"] == "ona@example.test"

    def test_needs_the_password_again(self, as_ona: Visitor) -> None:
        refused = as_ona.post(f"{ACCOUNTS}/account/email", {"email": "new@example.test"})
        assert refused.status_code == 401
        assert {"id": "reauthenticate"} in refused.json()["data"]["flows"]


class TestForgetExpiredSessions:
    def test_deletes_them_only(self, as_ona: Visitor) -> None:
        phone = Visitor()
        phone.sign_in()
        Session.objects.filter(session_key=phone.session_token).update(expire_date="2020-01-01T00:00:00Z")
        UserSession.objects.update(created_at=timezone.now() - timedelta(days=2))
        forget_expired_sessions()
        assert Session.objects.count() == 1
        assert UserSession.objects.get().session_key == as_ona.session_token
        assert as_ona.get("/api/v1/me").status_code == 200


class TestCloseAccount:
    def test_ends_every_token_and_forgets_the_person(self, as_ona: Visitor, ona: Member) -> None:
        services.close_account(member_id=ona.id, now=timezone.now())
        assert as_ona.get("/api/v1/me").status_code == 401
        assert as_ona.refresh().status_code == 400
        ona.refresh_from_db()
        assert (ona.email, ona.display_name) == (f"{ona.id.lower()}@closed.invalid", "Closed account")
        assert Visitor().get(f"/api/v1/members/{ona.id}").status_code == 404
        assert Visitor().sign_up("ona@example.test").status_code == 401
        assert Member.objects.filter(email="ona@example.test").exists()
