"""While keys change: nobody's two accounts pass for two small sellers, and nothing becomes unreadable."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from dac7.errors.figures import NumbersUnderFormerKeys
from dac7.models import Compilation, TaxNumber, TaxProfile
from dac7.queries.profiles import iter_dossiers
from dac7.services.figuring import reported_sellers
from foundation.encryption.rotation import encrypted_columns, rotate
from foundation.ids import new_id
from foundation.money import Money
from members.models import Member
from tests.factories.members import make_member
from tests.factories.sales import sell_many
from tests.factories.tax import give_profile

if TYPE_CHECKING:
    from pytest_django import Settings

pytestmark = pytest.mark.django_db

MARCH, JANUARY = datetime(2025, 3, 3, 12, tzinfo=UTC), datetime(2026, 1, 10, tzinfo=UTC)
FORMER, CURRENT = {"former": b"3" * 32}, {"current": b"4" * 32}


@pytest.fixture
def accounts(seller: Member, settings: Settings) -> tuple[str, ...]:
    """One person's two, with 15 sales each; the TIN of the second one is under the new key."""
    second = make_member("Ona again")
    settings.BLIND_INDEX_KEYS = FORMER
    for member in (seller, second):
        sell_many(member.id, [Money(5000, "EUR")] * 15, at=MARCH)
    give_profile(seller.id)
    settings.BLIND_INDEX_KEYS = CURRENT | FORMER
    give_profile(second.id)
    return tuple(sorted((seller.id, second.id)))


def reported() -> list[tuple[str, ...]]:
    found = reported_sellers(filing_id=new_id(), year=2025, member_state="LT", now=JANUARY)
    return [one.member_ids for one in found]


def rotate_everything() -> None:
    for field in encrypted_columns([TaxNumber, TaxProfile]):
        rotate(field)


class TestACompilation:
    def test_waits_until_equal_numbers_look_equal(self, accounts: tuple[str, ...]) -> None:
        with pytest.raises(NumbersUnderFormerKeys) as refused:
            reported()
        assert refused.value.code == "numbers_under_former_keys"
        assert not Compilation.objects.exists()
        rotate_everything()
        assert reported() == [accounts]

    def test_waits_again_for_a_writer_who_has_the_former_settings(
        self, accounts: tuple[str, ...], settings: Settings
    ) -> None:
        rotate_everything()
        settings.BLIND_INDEX_KEYS = FORMER | CURRENT  # a replica that was not released yet
        third = make_member("Ona for the third time")
        give_profile(third.id)
        settings.BLIND_INDEX_KEYS = CURRENT | FORMER
        with pytest.raises(NumbersUnderFormerKeys):
            reported()
        rotate_everything()
        assert reported() == [tuple(sorted((*accounts, third.id)))]


class TestProfiles:
    def test_are_read_and_changed_under_both_keys_and_then_without_the_former(
        self, seller: Member, settings: Settings
    ) -> None:
        settings.ENCRYPTION_KEYS = {"former": b"1" * 32}
        give_profile(seller.id)
        settings.ENCRYPTION_KEYS = {"current": b"2" * 32, "former": b"1" * 32}
        give_profile(seller.id, version=1)  # a part is sealed anew, the number that did not change is not
        rotate_everything()
        settings.ENCRYPTION_KEYS = {"current": b"2" * 32}
        (dossier,) = iter_dossiers([seller.id])
        assert (dossier.last_name, dossier.tins[0].number) == ("Kazlauskienė", "49005170014")
