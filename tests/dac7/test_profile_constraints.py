"""What the database itself refuses of tax profiles, whoever writes."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import DatabaseError, IntegrityError, transaction

from dac7.models import AccessLog, CheckEvent, ProfileCheck, TaxDocument, TaxNumber, TaxProfile
from foundation.encryption import new_file_key
from foundation.ids import new_id
from members.models import Member
from tests.factories.money import NOON
from tests.factories.tax import company, give_profile, person

pytestmark = pytest.mark.django_db


@pytest.fixture
def profile(seller: Member) -> TaxProfile:
    give_profile(seller.id, person(vat_number="LT119511515"))
    return TaxProfile.objects.get()


@pytest.fixture
def shop(seller: Member) -> TaxProfile:
    give_profile(seller.id, company())
    return TaxProfile.objects.get()


def refuses(name: str, write: Callable[[], Any]) -> None:
    with pytest.raises(IntegrityError, match=name), transaction.atomic():
        write()


class TestProfile:
    @pytest.mark.parametrize(
        ("name", "change"),
        [
            ("taxprofile_changed_after_given", {"changed_at": NOON - timedelta(days=1)}),
            ("taxprofile_whole_person_or_entity", {"first_name": None}),
            ("taxprofile_whole_person_or_entity", {"birth_date": None}),
            ("taxprofile_whole_person_or_entity", {"entity_type": "entity"}),
            ("taxprofile_whole_person_or_entity", {"exclusion": "listed"}),
            ("taxprofile_no_tin_has_birthplace", {"has_no_tin": True}),
        ],
    )
    def test_of_a_person_is_whole(self, profile: TaxProfile, name: str, change: dict[str, Any]) -> None:
        refuses(name, lambda: TaxProfile.objects.update(**change))

    def test_of_an_entity_is_whole(self, shop: TaxProfile) -> None:
        refuses(
            "taxprofile_whole_person_or_entity", lambda: TaxProfile.objects.update(registration_number=None)
        )
        refuses("taxprofile_whole_person_or_entity", lambda: TaxProfile.objects.update(birth_country="LT"))
        refuses("taxprofile_known_exclusion", lambda: TaxProfile.objects.update(exclusion="rich"))


class TestNumber:
    def test_is_one_for_a_state(self, profile: TaxProfile) -> None:
        number = TaxNumber.objects.get()
        number.id = new_id()
        number.number = "1"
        refuses("taxnumber_once_per_state|UNIQUE", lambda: number.save(force_insert=True))

    def test_has_a_known_level(self, profile: TaxProfile) -> None:
        refuses("taxnumber_known_level", lambda: TaxNumber.objects.update(level="guessed"))


class TestCheck:
    @pytest.mark.parametrize(
        ("name", "change"),
        [
            ("profilecheck_known_status", {"status": "lost", "is_standing": True}),
            ("profilecheck_standing_until_replaced", {"is_standing": None}),
            ("profilecheck_standing_until_replaced", {"status": "replaced"}),
            ("profilecheck_waiting_is_due", {"due_at": None}),
        ],
    )
    def test_is_in_one_piece(self, profile: TaxProfile, name: str, change: dict[str, Any]) -> None:
        refuses(name, lambda: ProfileCheck.objects.update(**change))

    def test_stands_once(self, profile: TaxProfile) -> None:
        check = ProfileCheck.objects.get()
        check.id = new_id()
        refuses("profilecheck_once|UNIQUE", lambda: check.save(force_insert=True))


class TestDocument:
    def make(self, seller: Member, **facts: Any) -> TaxDocument:
        return TaxDocument.objects.create(
            id=new_id(), member=seller, kind="tin", media_type="application/pdf", size=1, uploaded_at=NOON,
            file_key=new_file_key(), **facts,
        )  # fmt: skip

    def test_has_a_known_status_and_somebody_who_decided(self, seller: Member) -> None:
        self.make(seller)
        refuses(
            "taxdocument_known_status|taxdocument_decided", lambda: TaxDocument.objects.update(status="lost")
        )
        refuses("taxdocument_decided_by_somebody", lambda: TaxDocument.objects.update(status="accepted"))


class TestAccessLog:
    def test_says_why(self, seller: Member) -> None:
        facts = {"member": seller, "staff_id": "01STAFF", "what": "dossier", "happened_at": NOON}
        refuses("accesslog_has_reason", lambda: AccessLog.objects.create(reason="", **facts))

    def test_is_only_added_to(self, seller: Member) -> None:
        facts = {"member": seller, "staff_id": "01STAFF", "what": "dossier", "happened_at": NOON}
        AccessLog.objects.create(reason="An audit", **facts)
        with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
            AccessLog.objects.update(reason="Nothing")


def test_what_became_of_a_check_is_only_added_to(profile: TaxProfile) -> None:
    assert CheckEvent.objects.exists()
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        CheckEvent.objects.update(note="Nothing")
