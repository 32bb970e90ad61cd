from __future__ import annotations

import time
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.core import mail

from members.models import Member
from tests.factories.members import make_member
from tests.members.visitor import Visitor, last_code

pytestmark = pytest.mark.django_db


def problems(response: Any) -> set[tuple[str, str]]:
    return {(error.get("param", ""), error["code"]) for error in response.json()["errors"]}


class TestSignUp:
    def test_leads_by_a_mailed_code_to_the_own_profile(self, stranger: Visitor) -> None:
        pending = stranger.sign_up("Ona@Example.test", country="DE")
        assert pending.status_code == 401
        assert {"id": "verify_email", "is_pending": True} in pending.json()["data"]["flows"]
        assert stranger.access_token is None

        verified = stranger.verify_email()
        assert verified.status_code == 200

        me = stranger.get("/api/v1/me")
        assert me.status_code == 200
        assert me.json() == {
            "id": Member.objects.get().id,
            "email": "ona@example.test",
            "display_name": "Ona",
            "country": "DE",
            "currency": "EUR",
            "language": "de",
            "locale": "de-DE",
            "time_zone": "Europe/Berlin",
            "is_verified": False,
            "plan": "private",
            "has_second_factor": False,
            "terms_version": "2026-01",
            "training_consent": {
                "agreed": False,
                "text_version": "",
                "since_at": None,
                "current_text_version": "2026-11",
            },
            "joined_at": me.json()["joined_at"],
        }

    def test_records_when_which_terms_were_accepted(self, stranger: Visitor) -> None:
        stranger.sign_up()
        member = Member.objects.get()
        assert member.terms_version == "2026-01"
        assert member.terms_accepted_at is not None
        assert member.terms_accepted_at == member.joined_at

    def test_takes_language_and_time_zone(self, stranger: Visitor) -> None:
        stranger.sign_up(language="pl", time_zone="Europe/Warsaw")
        assert Member.objects.values_list("language", "time_zone").get() == ("pl", "Europe/Warsaw")

    def test_gives_no_token_before_the_address_is_verified(self, stranger: Visitor) -> None:
        stranger.sign_up()
        assert stranger.get("/api/v1/me").status_code == 401

    def test_names_every_problem_at_once(self, stranger: Visitor) -> None:
        response = stranger.sign_up(
            "ona", password="short", display_name="x", country="XX", language="tlh", time_zone="Mars/Base"
        )
        assert response.status_code == 400
        assert problems(response) == {
            ("email", "invalid"),
            ("password", "password_too_short"),
            ("display_name", "too_short"),
            ("country", "unknown_country"),
            ("language", "unknown_language"),
            ("time_zone", "unknown_time_zone"),
        }
        assert not Member.objects.exists()

    @pytest.mark.parametrize("missing", ["email", "password", "display_name", "country", "accept_terms"])
    def test_needs_every_field(self, stranger: Visitor, missing: str) -> None:
        response = stranger.sign_up(**{missing: ""})
        assert response.status_code == 400
        assert (missing, "required") in problems(response)

    def test_needs_the_terms_to_be_accepted(self, stranger: Visitor) -> None:
        response = stranger.sign_up(accept_terms=False)
        assert problems(response) == {("accept_terms", "required")}

    def test_is_refused_in_a_closed_market(self, stranger: Visitor) -> None:
        assert problems(stranger.sign_up(country="UA")) == {("country", "country_not_open")}

    @pytest.mark.parametrize("password", ["password123", "12345678901234"])
    def test_refuses_passwords_that_others_use(self, stranger: Visitor, password: str) -> None:
        response = stranger.sign_up(password=password)
        assert response.status_code == 400
        assert {param for param, _ in problems(response)} == {"password"}

    def test_refuses_an_address_that_is_not_ascii(self, stranger: Visitor) -> None:
        response = stranger.sign_up("ona@žemaitija.test")
        assert problems(response) == {("email", "not_ascii")}

    @pytest.mark.parametrize(
        ("name", "code"),
        [
            ("x", "too_short"),
            ("x" * 41, "too_long"),
            ("On\u202ea", "not_allowed"),
            ("...", "not_allowed"),
            ("ona@example.test", "contact_details"),
            ("www.ona.lt", "contact_details"),
            ("Ona +370 612 34567", "contact_details"),
        ],
    )
    def test_refuses_names_that_mislead_or_carry_contacts(
        self, stranger: Visitor, name: str, code: str
    ) -> None:
        assert problems(stranger.sign_up(display_name=name)) == {("display_name", code)}

    def test_keeps_names_of_all_scripts(self, stranger: Visitor) -> None:
        stranger.sign_up(display_name="  Žaneta  Ελένη 🧥 ")
        assert Member.objects.get().display_name == "Žaneta Ελένη 🧥"


class TestVerifyEmail:
    def test_refuses_a_wrong_code_and_gives_up_after_three(self, stranger: Visitor) -> None:
        stranger.sign_up()
        right = last_code()
        for _ in range(3):
            assert problems(stranger.verify_email("BBBB-BBBB")) == {("key", "incorrect_code")}
        assert stranger.verify_email(right).status_code == 409
        assert not EmailAddress.objects.get().verified

    def test_refuses_a_code_after_fifteen_minutes(
        self, stranger: Visitor, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        stranger.sign_up()
        real = time.time
        monkeypatch.setattr(
            "allauth.account.internal.flows.code_verification.time.time", lambda: real() + 15 * 60 + 1
        )
        assert stranger.verify_email().status_code == 409

    def test_takes_a_code_as_people_type_it(self, stranger: Visitor) -> None:
        stranger.sign_up()
        assert stranger.verify_email(f" {last_code().lower().replace('-', ' ')} ").status_code == 200

    def test_can_be_finished_later_by_signing_in(self, stranger: Visitor) -> None:
        stranger.sign_up()
        later = Visitor()
        # One mail in ten seconds per address: wait as a person would.
        from django.core.cache import cache

        cache.clear()
        assert later.sign_in().status_code == 401
        assert len(mail.outbox) == 2
        assert later.verify_email().status_code == 200


class TestEnumeration:
    """Nobody can find out who has an account."""

    def test_a_taken_address_is_answered_like_a_new_one(self, stranger: Visitor) -> None:
        make_member(email="known@example.test")
        fresh = stranger.sign_up("new@example.test")
        taken = Visitor().sign_up("Known@Example.test")
        assert taken.status_code == fresh.status_code == 401

        def shape(response: Any) -> Any:
            answer = response.json()
            answer["meta"].pop("session_token")
            return answer

        assert shape(taken) == shape(fresh)
        assert "You have an account already" in mail.outbox[-1].subject
        assert Member.objects.count() == 2

    def test_no_code_verifies_a_taken_address(self, stranger: Visitor) -> None:
        make_member(email="known@example.test")
        stranger.sign_up("known@example.test")
        assert stranger.verify_email("BBBB-BBBB").status_code == 400

    def test_the_loser_of_two_sign_ups_at_once_sees_the_same(
        self, stranger: Visitor, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        make_member(email="known@example.test")
        # Both checked the address before either had stored it.
        monkeypatch.setattr(
            "allauth.account.forms.flows.manage_email.email_already_exists", lambda email: (email, False)
        )
        response = stranger.sign_up("known@example.test")
        assert response.status_code == 401
        assert {"id": "verify_email", "is_pending": True} in response.json()["data"]["flows"]
        assert Member.objects.count() == 1

    def test_wrong_password_and_unknown_address_are_the_same(self, stranger: Visitor) -> None:
        make_member(email="known@example.test")
        wrong = stranger.sign_in("known@example.test", "wrong horse 77")
        unknown = stranger.sign_in("unknown@example.test", "wrong horse 77")
        assert wrong.status_code == unknown.status_code == 400
        assert wrong.json() == unknown.json()

    def test_a_reset_is_answered_the_same_and_only_mails_tell(self, stranger: Visitor) -> None:
        make_member(email="known@example.test")
        path = "/_allauth/app/v1/auth/password/request"
        known = Visitor().post(path, {"email": "known@example.test"})
        unknown = Visitor().post(path, {"email": "unknown@example.test"})
        assert known.status_code == unknown.status_code == 401
        assert known.json()["data"] == unknown.json()["data"]
        assert [message.to for message in mail.outbox] == [["known@example.test"], ["unknown@example.test"]]
        assert "There is no account" in mail.outbox[-1].subject
