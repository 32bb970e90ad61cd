"""What was reported does not stay true by itself: staff sees when a year has to be corrected."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.test import Client
from prometheus_client import REGISTRY

from dac7.message.records import ReportedSeller
from dac7.models import LateChange
from dac7.models.filings import Filing, FilingMessage
from dac7.queries.corrections import (
    ChangedSince,
    CorrectionsDue,
    find_changes_since,
    find_corrections_due,
)
from dac7.services import approving, compiling, correcting, importing_status
from dac7.services.figuring import reported_sellers
from dac7.services.rechecking import note_late_changes
from foundation.money import Money
from members.models import Member
from tests.dac7.message.filings import ANNA, NOW, SELLERS, YEAR, answered, corrected, filed, opened
from tests.dac7.message.statuses import status
from tests.factories.members import make_member
from tests.factories.sales import sell_many, take_back
from tests.factories.tax import give_profile, person

pytestmark = pytest.mark.django_db

MARCH, FEBRUARY = datetime(YEAR, 3, 3, 12, tzinfo=UTC), datetime(YEAR + 1, 2, 3, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.fixture
def sales(seller: Member) -> list[str]:
    """31 of 100.00, reported and accepted in January."""
    give_profile(seller.id, now=MARCH)
    references = sell_many(seller.id, [Money(10_000, "EUR")] * 31, at=MARCH)
    filing_id = compiling.open_filing(year=YEAR, by="clock", reason="January", now=NOW)
    compiling.compile_filing(filing_id=filing_id, source=reported_sellers, now=NOW)
    filed(filing_id)
    answered(filing_id)
    return list(references)


def due() -> tuple[int, int, int] | None:
    found = find_corrections_due(YEAR)
    return None if found is None else (found.sales, found.profiles, found.answers)


class TestARefund:
    def test_in_february_of_last_years_sale_makes_a_correction_due(
        self, seller: Member, sales: list[str]
    ) -> None:
        assert (note_late_changes(now=NOW + HOUR), due()) == (0, (0, 0, 0))
        take_back(seller.id, Money(6_000, "EUR"), reference=sales[0], at=FEBRUARY)
        assert note_late_changes(now=FEBRUARY + HOUR) == 1
        assert due() == (1, 0, 0)
        assert REGISTRY.get_sample_value("preloved_dac7_corrections_due", {"what": "sales"}) == 1

    def test_read_twice_or_followed_by_another_is_one_seller(self, seller: Member, sales: list[str]) -> None:
        for step in range(3):
            take_back(seller.id, Money(1_000, "EUR"), reference=sales[step], at=FEBRUARY + step * HOUR)
            note_late_changes(now=FEBRUARY + step * HOUR + HOUR / 2)
        assert LateChange.objects.get().changed_at == FEBRUARY + 2 * HOUR
        assert due() == (1, 0, 0)

    def test_in_the_year_of_its_sale_is_nothing_late(self, seller: Member) -> None:
        references = sell_many(seller.id, [Money(10_000, "EUR")] * 2, at=MARCH)
        take_back(seller.id, Money(10_000, "EUR"), reference=references[0], at=MARCH + HOUR)
        note_late_changes(now=NOW)
        assert not LateChange.objects.exists()

    def test_is_dealt_with_by_the_correction_that_is_handed_in(
        self, seller: Member, sales: list[str]
    ) -> None:
        take_back(seller.id, Money(6_000, "EUR"), reference=sales[0], at=FEBRUARY)
        note_late_changes(now=FEBRUARY + HOUR)
        later = FEBRUARY + 2 * HOUR
        second = correcting.open_correction(year=YEAR, by=f"staff:{ANNA}", reason="Refunds", now=later)
        compiling.compile_filing(filing_id=second, source=reported_sellers, now=later)
        assert due() == (1, 0, 0)
        filed(second, later)
        assert due() == (0, 0, 0)


class TestAFilingThatWaits:
    def test_says_that_its_figures_are_not_the_latest_any_more(self, seller: Member) -> None:
        give_profile(seller.id, now=MARCH)
        references = sell_many(seller.id, [Money(10_000, "EUR")] * 31, at=MARCH)
        filing_id = compiling.open_filing(year=YEAR, by="clock", reason="January", now=NOW)
        compiling.compile_filing(filing_id=filing_id, source=reported_sellers, now=NOW)
        staff = Client()
        staff.force_login(make_member("Boss", is_staff=True, is_superuser=True))

        def warns() -> bool:
            return (
                "Not the latest any more"
                in staff.get(f"/admin/dac7/filing/{filing_id}/change/").content.decode()
            )

        assert not warns()
        take_back(seller.id, Money(6_000, "EUR"), reference=references[0], at=NOW + HOUR)
        note_late_changes(now=NOW + 2 * HOUR)
        assert warns()
        later = NOW + 3 * HOUR
        approving.reopen_filing(filing_id=filing_id, staff_id=ANNA, reason="Refund", now=later)
        compiling.compile_filing(filing_id=filing_id, source=reported_sellers, now=later)
        assert not warns()
        give_profile(seller.id, person(city="Kaunas"), version=1, now=later + HOUR)
        assert find_changes_since(Filing.objects.get()) == ChangedSince(sales=0, profiles=1)
        filed(filing_id, later)
        assert not warns()  # from now on it is a correction


class TestATaxProfile:
    def test_that_changes_after_the_report_makes_a_correction_due(
        self, seller: Member, sales: list[str]
    ) -> None:
        give_profile(seller.id, person(city="Kaunas"), version=1, now=FEBRUARY)
        give_profile(make_member("Jonas").id, now=FEBRUARY)
        assert due() == (0, 1, 0)


class TestARefusal:
    @pytest.mark.parametrize(
        ("sellers", "answer", "number"),
        [
            (SELLERS, {"errors": [("98001", [f"LT{YEAR}-300000000-1-{SELLERS[0].seller_id}"])]}, 1),
            (SELLERS, {"result": "Rejected"}, 3),
            ((), {"result": "Rejected"}, 1),
        ],
        ids=["of a record", "of the report", "of a nil return"],
    )
    def test_makes_a_correction_due_until_it_is_sent_again(
        self, sellers: tuple[ReportedSeller, ...], answer: dict[str, Any], number: int
    ) -> None:
        answered(filed(opened(*sellers)), **answer)
        found = find_corrections_due(YEAR)
        assert found is not None
        assert (found.refused, found.sellers) == (number, number)
        note_late_changes(now=NOW + HOUR)
        assert REGISTRY.get_sample_value("preloved_dac7_corrections_due", {"what": "refused"}) == number
        filed(corrected(*sellers))
        assert find_corrections_due(YEAR) == replace(found, refused=0, since=NOW + timedelta(days=40))

    def test_of_the_operators_record_does_too(self) -> None:
        message = FilingMessage.objects.get(filing_id=filed(opened(*SELLERS)))
        data = status(message.message_ref, records=[("98006", [message.operator_ref])])
        importing_status.import_status(data=data, by=ANNA, now=NOW)
        found = find_corrections_due(YEAR)
        assert found is not None
        assert found.refused == 1


class TestTheOverview:
    def test_says_what_changed_and_leads_to_the_correction(self, seller: Member, sales: list[str]) -> None:
        take_back(seller.id, Money(6_000, "EUR"), reference=sales[0], at=FEBRUARY)
        note_late_changes(now=FEBRUARY + HOUR)
        client = Client()
        client.force_login(make_member("Boss", is_staff=True, is_superuser=True))
        page = client.get(f"/admin/dac7/selleryear/overview/?year={YEAR}").content.decode()
        assert f"Sales of {YEAR} taken back" in page
        assert "/admin/dac7/filing/add/" in page
        assert seller.id in client.get(f"/admin/dac7/latechange/?year={YEAR}").content.decode()

    def test_of_a_year_without_a_filing_has_none(self) -> None:
        assert due() is None
        assert CorrectionsDue(YEAR, NOW, 1, 2, 3, 4).sellers == 10


def test_latechange_once(seller: Member) -> None:
    LateChange.objects.create(member=seller, year=YEAR, changed_at=NOW)
    with pytest.raises(IntegrityError), transaction.atomic():
        LateChange.objects.create(member=seller, year=YEAR, changed_at=NOW)
