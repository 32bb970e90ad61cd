from __future__ import annotations

from typing import Any

import pytest
from django.utils import timezone

from members import queries, services
from members.errors import MemberNotFound
from members.models import Block, Member
from tests.factories.members import make_member
from tests.members.visitor import Visitor

pytestmark = pytest.mark.django_db

BLOCKS = "/api/v1/me/blocks"
NOBODY = "01ARZ3NDEKTSV4RRFFQ69G5FAV"


class TestBlock:
    def test_holds_for_both_ways(self, as_ona: Visitor, ona: Member, piotr: Member) -> None:
        assert as_ona.post(BLOCKS, {"member_id": piotr.id}).status_code == 204
        assert queries.is_blocked_between(ona.id, piotr.id)
        assert queries.is_blocked_between(piotr.id, ona.id)
        assert queries.list_blocked_ids(ona.id) == [piotr.id]
        assert queries.list_blocked_ids(piotr.id) == []

    def test_again_changes_nothing(self, as_ona: Visitor, piotr: Member) -> None:
        for _ in range(2):
            assert as_ona.post(BLOCKS, {"member_id": piotr.id}).status_code == 204
        assert Block.objects.count() == 1

    def test_oneself_is_not_possible(self, as_ona: Visitor, ona: Member) -> None:
        refused = as_ona.post(BLOCKS, {"member_id": ona.id})
        assert (refused.status_code, refused.json()["code"]) == (422, "cannot_block_yourself")

    def test_needs_an_existing_member(self, as_ona: Visitor) -> None:
        refused = as_ona.post(BLOCKS, {"member_id": NOBODY})
        assert (refused.status_code, refused.json()["code"]) == (404, "member_not_found")
        with pytest.raises(MemberNotFound):
            services.block_member(member_id=NOBODY, blocked_id=NOBODY[::-1], now=timezone.now())

    @pytest.mark.parametrize(
        "body",
        [{}, {"member_id": 5}, {"member_id": "x"}, {"member_id": NOBODY + "\n"}, {"member_id": None}, []],
    )
    def test_refuses_what_is_no_id(self, as_ona: Visitor, body: Any) -> None:
        assert as_ona.post(BLOCKS, body).status_code == 400

    def test_is_bounded(self, as_ona: Visitor, ona: Member, piotr: Member) -> None:
        now = timezone.now()
        Block.objects.bulk_create(
            Block(blocker=ona, blocked_id=f"{number:026d}", blocked_at=now)
            for number in range(queries.MAX_BLOCKS)
        )
        refused = as_ona.post(BLOCKS, {"member_id": piotr.id})
        assert (refused.status_code, refused.json()["code"]) == (409, "too_many_blocks")

    def test_needs_a_token(self, stranger: Visitor) -> None:
        assert stranger.post(BLOCKS, {"member_id": NOBODY}).status_code == 401

    def test_with_an_idempotency_key_has_one_effect(self, as_ona: Visitor, piotr: Member) -> None:
        first = as_ona.post(BLOCKS, {"member_id": piotr.id}, **{"Idempotency-Key": "k1"})
        again = as_ona.post(BLOCKS, {"member_id": piotr.id}, **{"Idempotency-Key": "k1"})
        assert first.status_code == again.status_code == 204
        assert again.headers["Idempotent-Replayed"] == "true"


class TestUnblock:
    def test_lets_them_see_each_other_again(self, as_ona: Visitor, ona: Member, piotr: Member) -> None:
        as_ona.post(BLOCKS, {"member_id": piotr.id})
        assert as_ona.delete(f"{BLOCKS}/{piotr.id}").status_code == 204
        assert not queries.is_blocked_between(ona.id, piotr.id)

    def test_is_404_for_who_is_not_blocked(self, as_ona: Visitor, piotr: Member) -> None:
        refused = as_ona.delete(f"{BLOCKS}/{piotr.id}")
        assert (refused.status_code, refused.json()["code"]) == (404, "block_not_found")

    def test_does_not_lift_the_block_of_the_other(
        self, as_ona: Visitor, as_piotr: Visitor, ona: Member, piotr: Member
    ) -> None:
        as_ona.post(BLOCKS, {"member_id": piotr.id})
        assert as_piotr.delete(f"{BLOCKS}/{ona.id}").status_code == 404
        assert queries.is_blocked_between(ona.id, piotr.id)


class TestListBlocks:
    def test_shows_ones_own_the_latest_first(self, as_ona: Visitor, as_piotr: Visitor, piotr: Member) -> None:
        others = [make_member(f"Member {number}") for number in range(4)]
        for other in [piotr, *others]:
            as_ona.post(BLOCKS, {"member_id": other.id})
        names: list[str] = []
        url: str | None = f"{BLOCKS}?limit=2"
        while url:
            page = as_ona.get(url).json()
            names += [row["display_name"] for row in page["results"]]
            url = page["next"]
        # The ids within one millisecond are in no order: what counts is that all are there, once.
        assert sorted(names) == ["Member 0", "Member 1", "Member 2", "Member 3", "Piotr"]
        assert as_piotr.get(BLOCKS).json() == {"results": [], "next": None, "previous": None}

    def test_pages_back(self, as_ona: Visitor) -> None:
        for number in range(3):
            as_ona.post(BLOCKS, {"member_id": make_member(f"Member {number}").id})
        first = as_ona.get(f"{BLOCKS}?limit=2").json()
        second = as_ona.get(first["next"]).json()
        assert len(second["results"]) == 1
        assert as_ona.get(second["previous"]).json()["results"] == first["results"]

    @pytest.mark.parametrize(
        ("query", "code"),
        [
            ("cursor=broken", "invalid_cursor"),
            ("limit=0", "invalid_request"),
            ("limit=101", "invalid_request"),
            ("limit=x", "invalid_request"),
            ("offset=5", "invalid_request"),
        ],
    )
    def test_refuses_broken_parameters(self, as_ona: Visitor, query: str, code: str) -> None:
        refused = as_ona.get(f"{BLOCKS}?{query}")
        assert (refused.status_code, refused.json()["code"]) == (400, code)
