from __future__ import annotations

import time
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, hotp_value
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission
from django.core.management import call_command
from django.test import Client
from django.utils import timezone

from members import queries, services
from members.models import Member, Restriction
from tests.factories.members import make_member

pytestmark = pytest.mark.django_db

SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
PASSWORD = "correct horse 7"
MEMBERS = "/admin/members/member/"
RESTRICTIONS = "/admin/members/restriction/"


@pytest.fixture
def chief(markets: None) -> Member:
    return make_member("Chief", email="chief@example.test", is_staff=True, is_superuser=True)


@pytest.fixture
def moderator(markets: None) -> Member:
    member = make_member("Moderator", email="moderator@example.test", is_staff=True)
    member.user_permissions.set(
        Permission.objects.filter(
            content_type__app_label="members",
            codename__in=["view_member", "change_member", "view_restriction", "change_restriction"],
        )
    )
    return member


def signed_in(member: Member) -> Client:
    client = Client()
    client.force_login(member)
    return client


def sign_in(client: Client, email: str, password: str = PASSWORD, code: str = "") -> Any:
    return client.post(
        "/admin/login/?next=/admin/",
        {"username": email, "password": password, "code": code, "next": "/admin/"},
    )


def act(client: Client, url: str, action: str, *ids: str, **form: str) -> Any:
    return client.post(
        url,
        {"action": action, "_selected_action": list(ids), **({"confirmed": "yes", **form} if form else {})},
    )


class TestSignIn:
    def test_takes_the_password_of_staff(self, chief: Member) -> None:
        client = Client()
        assert sign_in(client, "Chief@example.test").status_code == 302
        assert client.get("/admin/").status_code == 200
        assert 0 < client.session.get_expiry_age() <= 12 * 3600

    def test_is_not_for_members(self, ona: Member) -> None:
        answer = sign_in(Client(), ona.email)
        assert answer.status_code == 200
        assert b"staff account" in answer.content

    def test_says_the_same_for_a_wrong_password_and_nobody(self, chief: Member) -> None:
        wrong, nobody = sign_in(Client(), chief.email, "wrong"), sign_in(Client(), "x@example.test", "wrong")
        assert wrong.context["form"].errors == nobody.context["form"].errors

    def test_five_wrong_passwords_lock_the_address(self, chief: Member) -> None:
        for _ in range(5):
            sign_in(Client(), chief.email, "wrong")
        answer = sign_in(Client(), chief.email)
        assert answer.status_code == 200
        assert b"Too many" in answer.content

    def test_asks_for_the_code_of_who_has_an_app(self, chief: Member) -> None:
        TOTP.activate(chief, SECRET)
        assert sign_in(Client(), chief.email).status_code == 200
        assert sign_in(Client(), chief.email, code="000000").status_code == 200
        right = format_hotp_value(hotp_value(SECRET, int(time.time()) // 30))
        assert sign_in(Client(), chief.email, code=right).status_code == 302

    def test_can_insist_on_an_app(self, chief: Member, settings: Any) -> None:
        settings.ADMIN_REQUIRE_SECOND_FACTOR = True
        answer = sign_in(Client(), chief.email)
        assert answer.status_code == 200
        assert b"authenticator app to your account" in answer.content

    def test_shows_a_field_for_the_code(self, db: None) -> None:
        assert b'name="code"' in Client().get("/admin/login/").content


class TestFindMembers:
    @pytest.mark.parametrize("words", ["ona@ex", "On", "{id}"])
    def test_by_address_name_or_id(self, moderator: Member, ona: Member, piotr: Member, words: str) -> None:
        found = signed_in(moderator).get(MEMBERS, {"q": words.format(id=ona.id)})
        assert found.status_code == 200
        assert [row.id for row in found.context["cl"].result_list] == [ona.id]

    def test_shows_state_but_no_secret(self, moderator: Member, ona: Member) -> None:
        TOTP.activate(ona, SECRET)
        page = signed_in(moderator).get(f"{MEMBERS}{ona.id}/change/").content.decode()
        assert "ona@example.test, verified, primary" in page
        assert "totp since" in page
        assert ona.password not in page
        assert Authenticator.objects.get().data["secret"] not in page

    @pytest.mark.parametrize(
        "model", ["account/emailaddress", "mfa/authenticator", "usersessions/usersession"]
    )
    def test_there_is_no_other_way_to_secrets(self, chief: Member, model: str) -> None:
        assert signed_in(chief).get(f"/admin/{model}/").status_code == 404

    def test_a_moderator_changes_no_field(self, moderator: Member, ona: Member) -> None:
        signed_in(moderator).post(
            f"{MEMBERS}{ona.id}/change/", {"is_staff": "on", "email": "x@example.test", "display_name": "X"}
        )
        ona.refresh_from_db()
        assert (ona.is_staff, ona.email, ona.display_name) == (False, "ona@example.test", "Ona")

    @pytest.mark.parametrize("model", ["member", "restriction", "block", "market"])
    def test_lists_open(self, chief: Member, model: str) -> None:
        assert signed_in(chief).get(f"/admin/members/{model}/").status_code == 200

    @pytest.mark.parametrize("model", ["member", "restriction", "block", "market"])
    def test_nothing_is_added_or_deleted_by_hand(self, chief: Member, model: str) -> None:
        assert signed_in(chief).get(f"/admin/members/{model}/add/").status_code == 403


class TestRestrictMembers:
    def test_asks_for_a_reason_first(self, moderator: Member, ona: Member) -> None:
        page = act(signed_in(moderator), MEMBERS, "restrict_members", ona.id)
        assert b'name="reason"' in page.content
        assert not Restriction.objects.exists()

    def test_restricts_and_writes_down_who_and_why(
        self, moderator: Member, ona: Member, piotr: Member
    ) -> None:
        done = act(
            signed_in(moderator),
            MEMBERS,
            "restrict_members",
            ona.id,
            piotr.id,
            capability="sell",
            reason="counterfeits_sold",
            note="Ticket 5",
        )
        assert done.status_code == 302
        for member in (ona, piotr):
            found = queries.find_restriction(member_id=member.id, capability="sell", now=timezone.now())
            assert found is not None
            assert (found.reason, found.source) == ("counterfeits_sold", f"staff:{moderator.id}")
            entry = LogEntry.objects.get(object_id=member.id)
            assert entry.user_id == moderator.id
            assert "Ticket 5" in entry.change_message

    def test_says_what_is_wrong(self, moderator: Member, ona: Member) -> None:
        refused = act(
            signed_in(moderator),
            MEMBERS,
            "restrict_members",
            ona.id,
            capability="sell",
            reason="A b",
            note="x",
        )
        assert refused.status_code == 200
        past = act(
            signed_in(moderator),
            MEMBERS,
            "restrict_members",
            ona.id,
            capability="sell",
            reason="fraud",
            note="x",
            until_0="2020-01-01",
            until_1="00:00:00",
        )
        assert past.status_code == 302
        assert not Restriction.objects.exists()
        assert not LogEntry.objects.exists()

    def test_needs_the_permission(self, moderator: Member, ona: Member) -> None:
        moderator.user_permissions.set(Permission.objects.filter(codename="view_member"))
        act(
            signed_in(moderator),
            MEMBERS,
            "restrict_members",
            ona.id,
            capability="sell",
            reason="fraud",
            note="x",
        )
        assert not Restriction.objects.exists()


class TestLiftRestrictions:
    def restrict(self, member: Member, source: str) -> str:
        return services.restrict(
            member_id=member.id, capability="sell", reason="fraud", source=source, now=timezone.now()
        )

    def test_lifts_those_of_staff_and_writes_it_down(self, moderator: Member, ona: Member) -> None:
        restriction_id = self.restrict(ona, "staff:somebody")
        page = act(signed_in(moderator), RESTRICTIONS, "lift_restrictions", restriction_id)
        assert b'name="note"' in page.content
        act(signed_in(moderator), RESTRICTIONS, "lift_restrictions", restriction_id, note="Appeal granted")
        restriction = Restriction.objects.get()
        assert restriction.lifted_by == f"staff:{moderator.id}"
        assert "Appeal granted" in LogEntry.objects.get(object_id=restriction_id).change_message

    def test_leaves_those_of_other_apps(self, moderator: Member, ona: Member) -> None:
        restriction_id = self.restrict(ona, "dac7:2026")
        act(signed_in(moderator), RESTRICTIONS, "lift_restrictions", restriction_id, note="x")
        assert Restriction.objects.get().is_standing is True


class TestVerifyIdentities:
    def test_and_back(self, moderator: Member, ona: Member) -> None:
        act(signed_in(moderator), MEMBERS, "verify_identities", ona.id, note="Passport seen")
        assert queries.get_member_facts(ona.id).is_verified
        act(signed_in(moderator), MEMBERS, "revoke_identities", ona.id, note="Forged")
        assert not queries.get_member_facts(ona.id).is_verified
        assert LogEntry.objects.filter(object_id=ona.id).count() == 2


class TestSetPlans:
    def test_by_staff_with_a_reason(self, moderator: Member, ona: Member) -> None:
        act(signed_in(moderator), MEMBERS, "set_plans", ona.id, plan="professional", note="Register seen")
        assert queries.get_member_facts(ona.id).is_professional
        assert "Register seen" in LogEntry.objects.get(object_id=ona.id).change_message
        act(signed_in(moderator), MEMBERS, "set_plans", ona.id, plan="private", note="Closed the shop")
        assert not queries.get_member_facts(ona.id).is_professional


class TestCreateSuperuser:
    def test_makes_staff_of_a_market(self, markets: None, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("DJANGO_SUPERUSER_PASSWORD", PASSWORD)
        call_command(
            "createsuperuser", email="Boss@example.test", display_name="Boss", market="DE", interactive=False
        )
        boss = Member.objects.get(email="boss@example.test")
        assert (boss.is_staff, boss.is_superuser, boss.market_id, boss.language) == (True, True, "DE", "de")
        assert sign_in(Client(), "boss@example.test").status_code == 302
