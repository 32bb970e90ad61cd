"""Scenarios that must hold of filings: from the real ledger to the file that the authority gets."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from lxml import etree

from dac7.profile_rules import GivenTin, ProfileDetails
from dac7.services import compiling, correcting
from dac7.services.figuring import reported_sellers
from foundation.money import Money
from members.models import Member
from tests.dac7.message.filings import ANNA, NOW, YEAR, answered, filed, files
from tests.factories.sales import sell, sell_many, take_back
from tests.factories.tax import LT_TIN, give_profile, person

pytestmark = pytest.mark.django_db

MARCH = datetime(YEAR, 3, 3, 12, tzinfo=UTC)
AFTER_FILING = NOW + timedelta(days=30)


def euros(minor: int) -> Money:
    return Money(minor, "EUR")


def filed_from_the_ledger() -> str:
    filing_id = compiling.open_filing(year=YEAR, by="clock", reason="January", now=NOW)
    compiling.compile_filing(filing_id=filing_id, source=reported_sellers, now=NOW)
    filed(filing_id)
    answered(filing_id)
    return filing_id


def corrected_from_the_ledger() -> str:
    later = AFTER_FILING + timedelta(days=1)
    filing_id = correcting.open_correction(year=YEAR, by=f"staff:{ANNA}", reason="Refunds", now=later)
    compiling.compile_filing(filing_id=filing_id, source=reported_sellers, now=later)
    return filed(filing_id, now=later)


@dataclass(frozen=True)
class Said:
    """What a file says; ``quarters`` are (consideration, activities) of the first seller."""

    indicator: str
    kinds: tuple[str, ...]
    residences: tuple[str, ...]
    tin: str
    quarters: tuple[tuple[int, ...], ...]


def said(filing_id: str) -> Said:
    (content,) = files(filing_id)
    root = etree.fromstring(content)
    sellers = root.findall(".//{*}ReportableSeller")
    first = sellers[0] if sellers else root
    quarters = [
        tuple(int(first.findtext(path) or "") for path in (f".//{{*}}ConsQ{n}", f".//{{*}}NumbQ{n}"))
        for n in (1, 2, 3, 4)
        if sellers
    ]
    states = first.findall(".//{*}Identity//{*}ResCountryCode") if sellers else []
    return Said(
        indicator=root.findtext(".//{*}MessageTypeIndic") or "",
        kinds=tuple(one.findtext(".//{*}DocTypeIndic") or "" for one in sellers),
        residences=tuple(sorted(one.text or "" for one in states)),
        tin=(first.findtext(".//{*}Identity//{*}TIN") or "") if sellers else "",
        quarters=tuple(quarters),
    )


def thirty_sales(seller: Member) -> Callable[[], object]:
    give_profile(seller.id)
    reference = sell_many(seller.id, [euros(1000)] * 30, at=MARCH)[0]
    return lambda: take_back(seller.id, euros(1000), reference=reference, at=AFTER_FILING)


def sales_of_1900(seller: Member) -> Callable[[], object]:
    give_profile(seller.id)
    sell_many(seller.id, euros(184000).allocate([1] * 30), at=MARCH)
    reference = sell(seller.id, euros(6000), at=datetime(YEAR, 4, 5, 12, tzinfo=UTC))
    return lambda: take_back(seller.id, euros(6000), reference=reference, at=AFTER_FILING)


class TestCorrections:
    def test_filed_with_30_sales_one_later_refunded_is_deleted(self, seller: Member) -> None:
        refund = thirty_sales(seller)
        assert said(filed_from_the_ledger()).kinds == ("OECD1",)
        refund()
        found = said(corrected_from_the_ledger())
        assert (found.indicator, found.kinds) == ("DPI402", ("OECD3",))

    def test_filed_with_31_for_1900_one_of_60_refunded_has_60_and_one_less_in_its_quarter(
        self, seller: Member
    ) -> None:
        refund = sales_of_1900(seller)
        before = said(filed_from_the_ledger())
        assert before.quarters == ((1840, 30), (60, 1), (0, 0), (0, 0))
        refund()
        after = said(corrected_from_the_ledger())
        assert (after.indicator, after.kinds) == ("DPI402", ("OECD2",))
        assert after.quarters == ((1840, 30), (0, 0), (0, 0), (0, 0))


class TestWhoIsReported:
    def test_nobody_is_a_nil_return(self, seller: Member) -> None:
        sell(seller.id, euros(2000), at=MARCH)
        assert said(filed_from_the_ledger()).indicator == "DPI403"

    def test_one_who_moved_to_france_is_one_record_of_both_states(self, seller: Member) -> None:
        moved = person(
            street="Rue de Rivoli 1",
            postal_code="75001",
            city="Paris",
            country="FR",
            tins=(GivenTin("LT", LT_TIN),),
        )
        thirty_sales(seller)
        give_profile(seller.id, moved, version=1)
        found = said(filed_from_the_ledger())
        assert (len(found.kinds), found.residences) == (1, ("FR", "LT"))

    def test_one_without_a_tin_has_notin_and_a_place_of_birth(self, seller: Member) -> None:
        nameless: ProfileDetails = person(tins=(), has_no_tin=True, birth_city="Kaunas", birth_country="LT")
        sell_many(seller.id, [euros(1000)] * 30, at=MARCH)
        give_profile(seller.id, nameless)
        filing_id = filed_from_the_ledger()
        (content,) = files(filing_id)
        assert said(filing_id).tin == "NOTIN"
        assert etree.fromstring(content).findtext(".//{*}BirthPlace/{*}City") == "Kaunas"
