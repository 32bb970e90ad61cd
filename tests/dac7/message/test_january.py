"""What moves by itself."""

from __future__ import annotations

import math
from datetime import UTC, datetime

import pytest
from prometheus_client import REGISTRY

from dac7 import tasks
from dac7.errors.filings import FilingClaimed
from dac7.models.filings import Filing, FilingMessage
from dac7.services import advancing, compiling
from tests.dac7.message.filings import (
    NOW,
    SELLERS,
    YEAR,
    Reported,
    answered,
    corrected,
    earning,
    filed,
    opened,
    status_of,
)
from tests.dac7.message.messages import SELLER

pytestmark = pytest.mark.django_db


class TestJanuary:
    def test_opens_the_year_before_once(self) -> None:
        first = advancing.open_january_filing(now=NOW)
        assert advancing.open_january_filing(now=NOW) == first
        assert (Filing.objects.get().year, Filing.objects.get().opened_by) == (YEAR, "clock")

    def test_begins_with_the_year_of_the_exchange_network(self) -> None:
        advancing.open_january_filing(now=datetime(2026, 12, 31, 22, 59, tzinfo=UTC))
        assert not Filing.objects.exists()
        advancing.open_january_filing(now=datetime(2026, 12, 31, 23, 0, tzinfo=UTC))
        assert Filing.objects.get().year == 2026

    def test_counts_the_days_until_it_is_handed_in(self) -> None:
        def due_days(day: datetime) -> float | None:
            advancing.open_january_filing(now=day)
            return REGISTRY.get_sample_value("preloved_dac7_filing_due_days")

        february = datetime(YEAR + 1, 2, 2, tzinfo=UTC)
        assert due_days(february) == math.inf  # a service that began since
        filing_id = opened(*SELLERS)
        assert (due_days(NOW), due_days(february)) == (19, -2)
        filed(filing_id)
        assert due_days(NOW) == math.inf

    def test_goes_on_counting_when_the_authority_has_refused_all_of_it(self) -> None:
        def due_days() -> float | None:
            advancing.open_january_filing(now=NOW)
            return REGISTRY.get_sample_value("preloved_dac7_filing_due_days")

        answered(filed(opened(*SELLERS)), result="Rejected")
        assert due_days() == 19
        again = filed(corrected(*SELLERS, now=NOW), NOW)
        assert due_days() == math.inf
        answered(again)
        answered(filed(corrected(SELLER, now=NOW), NOW), result="Rejected")
        assert due_days() == math.inf  # the authority holds what it took before

    def test_no_other_month_opens_one(self) -> None:
        assert advancing.open_january_filing(now=datetime(2027, 2, 1, tzinfo=UTC)) is None


class TestAdvancing:
    def test_compiles_and_checks(self) -> None:
        filing_id = compiling.open_filing(year=YEAR, by="clock", reason="January", now=NOW)
        assert advancing.list_waiting(now=NOW) == [filing_id]
        reached = advancing.advance_filing(filing_id=filing_id, source=Reported(*SELLERS), now=NOW)
        assert (reached, advancing.list_waiting(now=NOW)) == ("validated", [])

    def test_what_was_found_wrong_waits_for_staff(self) -> None:
        filing_id = opened(earning(SELLER, -1, 1))
        assert advancing.advance_filing(filing_id=filing_id, source=Reported(), now=NOW) == "compiled"
        assert advancing.list_waiting(now=NOW) == []

    def test_a_filing_that_another_worker_has_is_left_alone(self) -> None:
        filing_id = compiling.open_filing(year=YEAR, by="clock", reason="January", now=NOW)
        Filing.objects.update(claim="0" * 26, claimed_until=NOW + compiling.LEASE)
        assert advancing.list_waiting(now=NOW) == []
        assert advancing.advance_filing(filing_id=filing_id, source=Reported(), now=NOW) == "collecting"
        with pytest.raises(FilingClaimed):
            compiling.compile_filing(filing_id=filing_id, source=Reported(), now=NOW)
        assert status_of(filing_id) == "collecting"


class TestTheSandboxsClock:
    def test_takes_a_year_without_sellers_to_a_nil_return_that_is_validated(self) -> None:
        steps = 0
        while done := advancing.sweep_filings(now=NOW):
            steps += done
        assert (Filing.objects.get().status, steps) == ("validated", 2)
        assert FilingMessage.objects.get().indicator == "DPI403"

    def test_knows_when_the_next_year_opens(self) -> None:
        assert advancing.next_january(after=NOW) == datetime(2027, 12, 31, 23, tzinfo=UTC)


class TestTasks:
    def test_each_rings_for_its_service(self) -> None:
        tasks.open_january_filing()
        tasks.announce_statements()
        filing_id = compiling.open_filing(year=2025, by="clock", reason="Test", now=NOW)
        tasks.advance_filing(filing_id)
        assert status_of(filing_id) == "validated"
        tasks.sweep_filings()
