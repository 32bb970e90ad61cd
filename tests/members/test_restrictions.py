from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from members import queries, services
from members.errors import InvalidRestriction, MemberNotFound, MemberRestricted, RestrictionNotFound
from members.models import Member, Restriction
from tests.members.visitor import Visitor

pytestmark = pytest.mark.django_db

NOBODY = "01ARZ3NDEKTSV4RRFFQ69G5FAV"
NOW = timezone.now()
LATER = NOW + timedelta(days=10)


def restrict(member: Member, **facts: Any) -> str:
    given: dict[str, Any] = {
        "capability": "sell",
        "reason": "tax_details_missing",
        "source": "dac7:2026",
        "now": NOW,
    }
    return services.restrict(member_id=member.id, **(given | facts))


class TestRestrict:
    def test_holds_from_now_for_this_capability(self, ona: Member) -> None:
        restriction_id = restrict(ona)
        found = queries.find_restriction(member_id=ona.id, capability="sell", now=NOW)
        assert found == queries.RestrictionFacts(
            id=restriction_id,
            member_id=ona.id,
            capability="sell",
            reason="tax_details_missing",
            source="dac7:2026",
            since_at=NOW,
            until_at=None,
        )
        assert queries.find_restriction(member_id=ona.id, capability="buy", now=NOW) is None
        assert (
            queries.find_restriction(member_id=ona.id, capability="sell", now=NOW - timedelta(seconds=1))
            is None
        )

    def test_ends_by_itself_at_its_end(self, ona: Member) -> None:
        restrict(ona, until=LATER)
        just_before = LATER - timedelta(microseconds=1)
        assert queries.find_restriction(member_id=ona.id, capability="sell", now=just_before) is not None
        assert queries.find_restriction(member_id=ona.id, capability="sell", now=LATER) is None

    def test_said_again_takes_the_new_reason_and_end(self, ona: Member) -> None:
        first = restrict(ona)
        assert restrict(ona, reason="tax_details_wrong", until=LATER) == first
        standing = Restriction.objects.get()
        assert (standing.reason, standing.until_at, standing.since_at) == ("tax_details_wrong", LATER, NOW)

    def test_after_it_ran_out_a_new_one_starts_and_the_old_stays_as_history(self, ona: Member) -> None:
        first = restrict(ona, until=LATER)
        second = restrict(ona, now=LATER)
        assert first != second
        old = Restriction.objects.get(id=first)
        assert (old.is_standing, old.lifted_at, old.lifted_by) == (None, LATER, "clock")

    def test_two_sources_stand_side_by_side(self, ona: Member) -> None:
        first = restrict(ona)
        restrict(ona, source="staff:moderation", reason="counterfeits", now=NOW + timedelta(seconds=1))
        later = NOW + timedelta(seconds=2)
        assert len(queries.list_restrictions(ona.id, now=later)) == 2
        services.lift(restriction_id=first, lifted_by="dac7:2026", now=later)
        left = queries.find_restriction(member_id=ona.id, capability="sell", now=later)
        assert left is not None
        assert left.reason == "counterfeits"

    @pytest.mark.parametrize(
        ("facts", "pointer", "code"),
        [
            ({"capability": "fly"}, "/capability", "unknown_capability"),
            ({"reason": "Because of it"}, "/reason", "not_a_code"),
            ({"reason": ""}, "/reason", "not_a_code"),
            ({"source": "nobody"}, "/source", "not_a_reference"),
            ({"source": "dac7:" + "x" * 80}, "/source", "not_a_reference"),
            ({"until": NOW}, "/until", "ends_before_start"),
        ],
    )
    def test_refuses(self, ona: Member, facts: dict[str, Any], pointer: str, code: str) -> None:
        with pytest.raises(InvalidRestriction) as refused:
            restrict(ona, **facts)
        assert refused.value.code == "invalid_restriction"
        assert [(problem.pointer, problem.code) for problem in refused.value.errors] == [(pointer, code)]

    def test_is_only_for_members(self, markets: None) -> None:
        with pytest.raises(MemberNotFound):
            services.restrict(member_id=NOBODY, capability="buy", reason="fraud", source="staff:x", now=NOW)


class TestLift:
    def test_once(self, ona: Member) -> None:
        restriction_id = restrict(ona)
        assert services.lift(restriction_id=restriction_id, lifted_by="staff:x", now=LATER) is True
        assert services.lift(restriction_id=restriction_id, lifted_by="staff:y", now=LATER) is False
        assert queries.find_restriction(member_id=ona.id, capability="sell", now=LATER) is None
        assert Restriction.objects.get().lifted_by == "staff:x"

    def test_needs_one_and_a_name(self, ona: Member) -> None:
        with pytest.raises(RestrictionNotFound) as missing:
            services.lift(restriction_id=NOBODY, lifted_by="staff:x", now=NOW)
        assert missing.value.code == "restriction_not_found"
        with pytest.raises(InvalidRestriction):
            services.lift(restriction_id=restrict(ona), lifted_by="somebody", now=NOW)


class TestRequireUnrestricted:
    def test_raises_with_reason_and_end(self, ona: Member) -> None:
        queries.require_unrestricted(member_id=ona.id, capability="withdraw", now=NOW)
        restrict(ona, capability="withdraw", until=LATER)
        with pytest.raises(MemberRestricted) as refused:
            queries.require_unrestricted(member_id=ona.id, capability="withdraw", now=NOW)
        assert refused.value.code == "member_restricted"
        assert refused.value.extra == {
            "capability": "withdraw",
            "reason": "tax_details_missing",
            "until": LATER,
        }

    def test_leaves_the_end_out_when_it_is_open(self, ona: Member) -> None:
        restrict(ona)
        with pytest.raises(MemberRestricted) as refused:
            queries.require_unrestricted(member_id=ona.id, capability="sell", now=NOW)
        assert "until" not in refused.value.extra


class TestListOwnRestrictions:
    def test_tells_why_but_not_who(self, as_ona: Visitor, as_piotr: Visitor, ona: Member) -> None:
        restrict(ona)
        results = as_ona.get("/api/v1/me/restrictions").json()["results"]
        assert [set(row) for row in results] == [{"capability", "reason", "since_at", "until_at"}]
        assert (results[0]["capability"], results[0]["reason"]) == ("sell", "tax_details_missing")
        assert as_piotr.get("/api/v1/me/restrictions").json() == {"results": []}

    def test_needs_a_token(self, stranger: Visitor) -> None:
        assert stranger.get("/api/v1/me/restrictions").status_code == 401
