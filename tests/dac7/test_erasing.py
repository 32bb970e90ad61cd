"""How long a dossier is kept, and its end."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from django.core.files.storage import FileSystemStorage, storages

from dac7.models import AccessLog, CheckEvent, ProfileCheck, TaxDocument, TaxNumber, TaxProfile
from dac7.retention import kept_until
from dac7.services.documenting import STORAGE, send_document
from dac7.services.erasing import ask_for_erasure, keep_for_year, purge_dossiers
from dac7.services.revealing import reveal_dossier
from dac7.states import MEMBER_STATES, rules_of
from dac7.tasks import purge_dossiers as rung_purge
from members.models import Member
from tests.dac7.evidence_files import pdf
from tests.factories.banking import make_bank_account
from tests.factories.members import make_member
from tests.factories.money import NOON
from tests.factories.tax import give_profile

LAST_DAY = datetime(NOON.year + 10, 12, 31, 12, tzinfo=UTC)
NEXT_DAY = datetime(NOON.year + 11, 1, 1, 12, tzinfo=UTC)


class TestKeptUntil:
    @pytest.mark.parametrize("state", sorted(MEMBER_STATES))
    def test_is_the_end_of_a_year_within_what_the_law_allows(self, state: str) -> None:
        years = kept_until(state, last_year=2025, operator_state="LT").year - 2025
        assert 5 <= years <= 10
        assert years == max(rules_of(state, 2025).retention_years, rules_of("LT", 2025).retention_years)

    def test_of_somebody_outside_the_union_is_that_of_the_operators_state(self) -> None:
        assert kept_until("CA", last_year=2025, operator_state="LT") == date(2035, 12, 31)


@pytest.mark.django_db
class TestPurge:
    @pytest.fixture
    def dossier(self, seller: Member) -> TaxProfile:
        make_bank_account(seller.id)
        give_profile(seller.id)
        send_document(
            member_id=seller.id, kind="tin", content=pdf(), declared_type="", file_name="", now=NOON
        )
        reveal_dossier(member_id=seller.id, staff_id="01STAFF", reason="audit", now=NOON)
        return TaxProfile.objects.get()

    def test_waits_for_the_day_even_when_asked_before(self, seller: Member, dossier: TaxProfile) -> None:
        assert ask_for_erasure(member_id=seller.id, now=NOON) == LAST_DAY.date()
        assert purge_dossiers(now=NOON) == 0
        assert purge_dossiers(now=LAST_DAY) == 0
        assert TaxProfile.objects.get() == dossier

    def test_leaves_nothing_but_who_looked_at_it(self, dossier: TaxProfile) -> None:
        name = TaxDocument.objects.get().file_name
        assert purge_dossiers(now=NEXT_DAY) == 1
        for model in (TaxProfile, TaxNumber, ProfileCheck, CheckEvent, TaxDocument):
            assert not model.objects.exists()
        assert not storages[STORAGE].exists(name)
        assert AccessLog.objects.count() == 1
        assert purge_dossiers(now=NEXT_DAY) == 0

    def test_is_made_up_for_when_the_storage_fails(
        self, monkeypatch: pytest.MonkeyPatch, dossier: TaxProfile
    ) -> None:
        def fail(*_: object) -> None:
            raise OSError

        with monkeypatch.context() as broken:
            broken.setattr(FileSystemStorage, "delete", fail)
            give_profile(make_member("Jonas").id)
            assert purge_dossiers(now=NEXT_DAY) == 1
        assert TaxDocument.objects.exists()
        assert purge_dossiers(now=NEXT_DAY) == 1
        assert not TaxDocument.objects.exists()

    def test_keeps_what_a_later_report_rests_on(self, seller: Member, dossier: TaxProfile) -> None:
        assert keep_for_year(member_ids=[seller.id], year=NOON.year + 1) == 1
        assert keep_for_year(member_ids=[seller.id], year=NOON.year - 1) == 0
        assert purge_dossiers(now=NEXT_DAY) == 0

    def test_takes_every_old_one_in_parts(self, monkeypatch: pytest.MonkeyPatch, dossier: TaxProfile) -> None:
        monkeypatch.setattr("dac7.services.erasing.BATCH", 1)
        give_profile(make_member("Jonas").id)
        kept = give_profile(make_member("Young").id, now=NEXT_DAY)
        assert purge_dossiers(now=NEXT_DAY) == 2
        assert TaxProfile.objects.get().version == kept.version
        rung_purge()
        assert TaxProfile.objects.count() == 1

    def test_takes_evidence_of_somebody_without_a_profile_too(self, seller: Member) -> None:
        for now in (NOON, NEXT_DAY):
            send_document(
                member_id=seller.id, kind="tin", content=pdf(), declared_type="", file_name="", now=now
            )
        purge_dossiers(now=LAST_DAY)
        assert TaxDocument.objects.count() == 2
        purge_dossiers(now=NEXT_DAY)
        assert TaxDocument.objects.get().uploaded_at == NEXT_DAY
