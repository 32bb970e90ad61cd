"""What the database itself refuses, whoever writes."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.db.models import ProtectedError
from django.utils import timezone

from members import services
from members.errors import AddressTaken
from members.models import Block, Market, Member, Restriction
from tests.factories.members import make_member

pytestmark = pytest.mark.django_db

NOW = timezone.now()


def refused(name: str, write: Any) -> None:
    with pytest.raises(IntegrityError) as error, transaction.atomic():
        write()
    assert name in str(error.value)


class TestMember:
    def test_email_unique(self, ona: Member) -> None:
        refused("email", lambda: make_member(email="ONA@example.test"))
        with pytest.raises(AddressTaken) as taken:
            services.register(
                email="Ona@example.test",
                password="correct horse 7",
                display_name="Ona",
                country="LT",
                language=None,
                time_zone=None,
                terms_version="1",
                now=NOW,
            )
        assert taken.value.code == "address_taken"

    def test_email_is_compared_byte_for_byte(self, ona: Member) -> None:
        assert not Member.objects.filter(email="ona@example.test ").exists()
        assert not Member.objects.filter(email="ONA@example.test").exists()
        assert not Member.objects.filter(email="öna@example.test").exists()

    @pytest.mark.parametrize("email", ["öna@example.test", "ona@example.test "])
    def test_email_cannot_be_stored_in_another_form(self, ona: Member, email: str) -> None:
        with pytest.raises(ValueError, match="ascii"):
            Member.objects.filter(id=ona.id).update(email=email)

    @pytest.mark.parametrize(
        ("constraint", "change"),
        [
            ("member_email_lower_case", {"email": "Ona@example.test"}),
            ("member_email_present", {"email": ""}),
            ("member_display_name_present", {"display_name": ""}),
            ("member_closed_is_inactive", {"closed_at": NOW}),
            ("member_known_plan", {"plan": "golden"}),
        ],
    )
    def test_checks(self, ona: Member, constraint: str, change: dict[str, Any]) -> None:
        refused(constraint, lambda: Member.objects.filter(id=ona.id).update(**change))

    def test_is_never_deleted_with_what_points_to_it(self, ona: Member, piotr: Member) -> None:
        Block.objects.create(blocker=ona, blocked_id=piotr.id, blocked_at=NOW)
        with pytest.raises(ProtectedError):
            ona.delete()

    def test_keeps_its_market(self, ona: Member) -> None:
        with pytest.raises(ProtectedError):
            Market.objects.get(code="LT").delete()


class TestBlock:
    def test_block_once(self, ona: Member, piotr: Member) -> None:
        def block() -> None:
            Block.objects.create(blocker=ona, blocked_id=piotr.id, blocked_at=NOW)

        block()
        refused("block", block)

    def test_block_somebody_else(self, ona: Member) -> None:
        refused(
            "block_somebody_else",
            lambda: Block.objects.create(blocker=ona, blocked_id=ona.id, blocked_at=NOW),
        )


class TestRestriction:
    def make(self, member: Member, **facts: Any) -> Restriction:
        given = {"capability": "sell", "reason": "fraud", "source": "staff:x", "since_at": NOW}
        return Restriction.objects.create(member=member, **(given | facts))

    def test_restriction_once_per_source(self, ona: Member) -> None:
        self.make(ona)
        refused("restriction", lambda: self.make(ona))

    def test_lifted_ones_are_kept_beside_each_other(self, ona: Member) -> None:
        for _ in range(2):
            self.make(ona, is_standing=None, lifted_at=NOW)
        assert Restriction.objects.count() == 2

    @pytest.mark.parametrize(
        ("constraint", "facts"),
        [
            ("restriction_standing_until_lifted", {"is_standing": True, "lifted_at": NOW}),
            ("restriction_standing_until_lifted", {"is_standing": None}),
            ("restriction_standing_until_lifted", {"is_standing": False, "lifted_at": NOW}),
            ("restriction_ends_after_start", {"until_at": NOW}),
            ("restriction_known_capability", {"capability": "fly"}),
            ("restriction_has_reason", {"reason": ""}),
        ],
    )
    def test_checks(self, ona: Member, constraint: str, facts: dict[str, Any]) -> None:
        refused(constraint, lambda: self.make(ona, **facts))
