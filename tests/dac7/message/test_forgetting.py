from __future__ import annotations

from datetime import UTC, datetime

import pytest

from dac7 import tasks
from dac7.models.filings import FilingMessage, FilingRecord, RecordedMember
from dac7.services.forgetting import forget_records
from dac7.states import rules_of
from tests.dac7.message.filings import YEAR, opened
from tests.dac7.message.messages import COMPANY, SELLER

pytestmark = pytest.mark.django_db

LITHUANIA, FRANCE = (rules_of(state, YEAR).retention_years for state in ("LT", "FR"))


def new_year_after(years: int) -> datetime:
    return datetime(YEAR + years + 1, 1, 1, tzinfo=UTC)


class TestForgetting:
    def test_waits_for_the_end_of_the_longest_term_of_the_seller(self) -> None:
        opened(*sorted((SELLER, COMPANY), key=lambda seller: seller.member_ids))
        longest = max(LITHUANIA, FRANCE)
        assert forget_records(now=datetime(YEAR + LITHUANIA, 12, 31, tzinfo=UTC)) == 0
        forget_records(now=new_year_after(LITHUANIA))
        assert not FilingRecord.objects.filter(seller_id=COMPANY.seller_id).exists()
        assert forget_records(now=new_year_after(longest)) == (1 if longest > LITHUANIA else 0)
        assert not RecordedMember.objects.exists()

    def test_leaves_what_was_filed_when_and_how_it_ended(self) -> None:
        opened(SELLER)
        forget_records(now=new_year_after(max(LITHUANIA, FRANCE)))
        assert FilingMessage.objects.get().sha256

    def test_is_rung_for_every_day(self) -> None:
        opened(SELLER)
        tasks.forget_filing_records()
        assert FilingRecord.objects.exists()
