from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from foundation.errors import PreconditionFailed
from members import queries, services
from members.errors import MemberNotFound
from members.models import Member, Plan
from members.services import ProfileChange
from tests.members.visitor import Visitor

pytestmark = pytest.mark.django_db

ME = "/api/v1/me"
NOBODY = "01ARZ3NDEKTSV4RRFFQ69G5FAV"


def change(visitor: Visitor, body: Any, etag: str | None = None) -> Any:
    etag = visitor.get(ME).headers["ETag"] if etag is None else etag
    return visitor.patch(ME, body, **({"If-Match": etag} if etag else {}))


class TestReadOwnProfile:
    def test_needs_a_token(self, stranger: Visitor) -> None:
        assert stranger.get(ME).status_code == 401

    def test_is_304_for_who_has_it(self, as_ona: Visitor) -> None:
        etag = as_ona.get(ME).headers["ETag"]
        unchanged = as_ona.get(ME, **{"If-None-Match": etag})
        assert (unchanged.status_code, unchanged.content) == (304, b"")
        assert as_ona.get(ME, **{"If-None-Match": '"other"'}).status_code == 200

    def test_is_for_nobody_elses_cache(self, as_ona: Visitor) -> None:
        assert "private" in as_ona.get(ME).headers["Cache-Control"]

    def test_refuses_unknown_parameters(self, as_ona: Visitor) -> None:
        refused = as_ona.get(f"{ME}?verbose=1")
        assert refused.status_code == 400
        assert refused.json()["errors"][0]["pointer"] == "/verbose"


class TestChangeOwnProfile:
    def test_changes_what_is_sent_and_nothing_else(self, as_ona: Visitor) -> None:
        before = as_ona.get(ME)
        answer = change(as_ona, {"display_name": "  Ona  B. "})
        assert answer.status_code == 200
        assert answer.json() == before.json() | {"display_name": "Ona B."}
        assert answer.headers["ETag"] != before.headers["ETag"]
        assert as_ona.get(ME).json() == answer.json()

    def test_a_move_changes_the_currency_but_not_language_or_time(self, as_ona: Visitor) -> None:
        answer = change(as_ona, {"country": "PL"}).json()
        assert (answer["country"], answer["currency"]) == ("PL", "PLN")
        assert (answer["language"], answer["locale"], answer["time_zone"]) == (
            "lt",
            "lt-LT",
            "Europe/Vilnius",
        )

    def test_takes_everything_at_once(self, as_ona: Visitor) -> None:
        body = {
            "display_name": "Anna",
            "country": "DE",
            "language": "de",
            "locale": "de-DE",
            "time_zone": "Europe/Berlin",
        }
        answer = change(as_ona, body)
        assert answer.status_code == 200
        assert answer.json().items() >= body.items()

    def test_needs_if_match(self, as_ona: Visitor) -> None:
        refused = change(as_ona, {"display_name": "Anna"}, etag="")
        assert refused.status_code == 428
        assert refused.json()["code"] == "if_match_required"

    def test_refuses_a_stale_version(self, as_ona: Visitor) -> None:
        stale = as_ona.get(ME).headers["ETag"]
        change(as_ona, {"display_name": "Anna"})
        refused = change(as_ona, {"display_name": "Berta"}, etag=stale)
        assert refused.status_code == 412
        assert refused.json()["code"] == "stale_etag"
        assert as_ona.get(ME).json()["display_name"] == "Anna"

    def test_of_two_at_once_the_first_wins(self, ona: Member) -> None:
        seen = queries.get_own_profile(ona.id).version
        services.change_profile(
            member_id=ona.id,
            expected_version=seen,
            change=ProfileChange(display_name="Anna"),
            now=timezone.now(),
        )
        with pytest.raises(PreconditionFailed):
            services.change_profile(
                member_id=ona.id,
                expected_version=seen,
                change=ProfileChange(display_name="Berta"),
                now=timezone.now(),
            )
        assert queries.get_own_profile(ona.id).display_name == "Anna"

    def test_an_empty_change_changes_nothing(self, as_ona: Visitor) -> None:
        etag = as_ona.get(ME).headers["ETag"]
        answer = change(as_ona, {})
        assert (answer.status_code, answer.headers["ETag"]) == (200, etag)

    def test_names_every_broken_rule_at_once(self, as_ona: Visitor) -> None:
        refused = change(
            as_ona,
            {
                "display_name": "@",
                "country": "XX",
                "language": "xx",
                "locale": "klingon",
                "time_zone": "Mars/X",
            },
        )
        assert refused.status_code == 422
        assert refused.json()["code"] == "invalid_profile"
        assert {(error["pointer"], error["code"]) for error in refused.json()["errors"]} == {
            ("/display_name", "too_short"),
            ("/country", "unknown_country"),
            ("/language", "unknown_language"),
            ("/locale", "unknown_locale"),
            ("/time_zone", "unknown_time_zone"),
        }

    def test_refuses_a_closed_market_unless_one_is_there(self, as_ona: Visitor, ona: Member) -> None:
        assert change(as_ona, {"country": "UA"}).json()["errors"][0]["code"] == "country_not_open"
        Member.objects.filter(id=ona.id).update(market="UA")
        assert change(as_ona, {"country": "UA"}).status_code == 200

    @pytest.mark.parametrize(
        "field", ["email", "id", "is_verified", "currency", "is_staff", "joined_at", "nonsense"]
    )
    def test_refuses_fields_it_does_not_know(self, as_ona: Visitor, field: str) -> None:
        refused = change(as_ona, {"display_name": "Anna", field: "x"})
        assert refused.status_code == 400
        assert refused.json()["errors"] == [
            {"pointer": f"/{field}", "code": "unknown_field", "detail": "There is no such field."}
        ]
        assert as_ona.get(ME).json()["display_name"] == "Ona"

    @pytest.mark.parametrize("value", [None, 5, True, [], {}, "x\u0000y", "x" * 201])
    def test_refuses_values_of_another_kind(self, as_ona: Visitor, value: Any) -> None:
        refused = change(as_ona, {"display_name": value})
        assert refused.status_code == 400
        assert refused.json()["errors"][0]["pointer"] == "/display_name"

    @pytest.mark.parametrize("body", [b"", b"[]", b'"x"', b"{", b"\xff"])
    def test_refuses_what_is_no_object(self, as_ona: Visitor, body: bytes) -> None:
        etag = as_ona.get(ME).headers["ETag"]
        answer = as_ona.patch(ME, body, **{"If-Match": etag})
        assert answer.status_code == (200 if body == b"" else 400)
        assert as_ona.get(ME).headers["ETag"] == etag

    def test_is_not_for_a_closed_account(self, ona: Member) -> None:
        services.close_account(member_id=ona.id, now=timezone.now())
        with pytest.raises(MemberNotFound):
            services.change_profile(
                member_id=ona.id, expected_version=1, change=ProfileChange(country="DE"), now=timezone.now()
            )
        with pytest.raises(MemberNotFound):
            services.close_account(member_id=ona.id, now=timezone.now())


class TestPublicProfile:
    def test_shows_everybody_the_same_few_facts(self, stranger: Visitor, piotr: Member) -> None:
        answer = stranger.get(f"/api/v1/members/{piotr.id}")
        assert answer.status_code == 200
        assert answer.json() == {
            "id": piotr.id,
            "display_name": "Piotr",
            "country": "PL",
            "joined_at": answer.json()["joined_at"],
            "is_verified": False,
            "is_blocked": False,
        }

    @pytest.mark.parametrize("member_id", [NOBODY, "x", "é", NOBODY.lower(), NOBODY + "0"])
    def test_is_404_for_nobody(self, stranger: Visitor, member_id: str) -> None:
        answer = stranger.get(f"/api/v1/members/{member_id}")
        assert answer.status_code == 404
        assert answer.json()["code"] in ("member_not_found", "not_found")

    def test_is_404_for_a_deactivated_member(self, stranger: Visitor, piotr: Member) -> None:
        Member.objects.filter(id=piotr.id).update(is_active=False)
        assert stranger.get(f"/api/v1/members/{piotr.id}").json()["code"] == "member_not_found"

    def test_hides_from_whom_it_blocked_as_if_it_were_not_there(
        self, as_ona: Visitor, as_piotr: Visitor, ona: Member, piotr: Member
    ) -> None:
        as_ona.post("/api/v1/me/blocks", {"member_id": piotr.id})
        hidden = as_piotr.get(f"/api/v1/members/{ona.id}")
        unknown = as_piotr.get(f"/api/v1/members/{NOBODY}")
        assert hidden.status_code == unknown.status_code == 404
        for varying in ("instance", "request_id"):
            assert hidden.json()[varying] != unknown.json()[varying]
        assert {k: v for k, v in hidden.json().items() if k not in ("instance", "request_id")} == {
            k: v for k, v in unknown.json().items() if k not in ("instance", "request_id")
        }
        assert as_ona.get(f"/api/v1/members/{piotr.id}").json()["is_blocked"] is True


class TestVerifiedIdentity:
    def test_shows_in_both_profiles_and_changes_the_etag(
        self, as_ona: Visitor, stranger: Visitor, ona: Member
    ) -> None:
        etag = as_ona.get(ME).headers["ETag"]
        now = timezone.now()
        services.verify_identity(member_id=ona.id, source="staff:test", now=now)
        services.verify_identity(member_id=ona.id, source="staff:test", now=now + timedelta(days=1))
        assert as_ona.get(ME).json()["is_verified"] is True
        assert as_ona.get(ME).headers["ETag"] != etag
        assert stranger.get(f"/api/v1/members/{ona.id}").json()["is_verified"] is True
        ona.refresh_from_db()
        assert ona.identity_verified_at == now  # the first time counts
        services.revoke_identity(member_id=ona.id, source="staff:test")
        assert queries.get_member_facts(ona.id).is_verified is False

    def test_is_only_for_members(self, markets: None) -> None:
        with pytest.raises(MemberNotFound):
            services.verify_identity(member_id=NOBODY, source="staff:test", now=timezone.now())
        with pytest.raises(MemberNotFound):
            services.revoke_identity(member_id=NOBODY, source="staff:test")
        with pytest.raises(MemberNotFound):
            services.set_plan(member_id=NOBODY, plan=Plan.PROFESSIONAL, source="staff:test")


class TestMemberFacts:
    def test_are_what_other_apps_may_know(self, ona: Member, piotr: Member) -> None:
        facts = queries.list_member_facts([ona.id, piotr.id, NOBODY])
        assert set(facts) == {ona.id, piotr.id}
        assert facts[piotr.id] == queries.MemberFacts(
            id=piotr.id,
            display_name="Piotr",
            country="PL",
            currency="PLN",
            language="pl",
            time_zone="Europe/Warsaw",
            is_verified=False,
            is_active=True,
        )

    def test_of_nobody(self, markets: None) -> None:
        assert queries.find_member_facts(NOBODY) is None
        with pytest.raises(MemberNotFound):
            queries.get_member_facts(NOBODY)
