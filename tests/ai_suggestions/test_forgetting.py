"""What is kept of runs, and for how long (SUGGESTION_KEEP_DAYS)."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import pytest

from ai_suggestions import services
from ai_suggestions.batch_tables import SuggestionBatch, SuggestionBatchItem
from ai_suggestions.evaluation.rolling_up import roll_up
from ai_suggestions.evaluation.tables import AcceptanceDay
from ai_suggestions.models import FieldSuggestion, RunStep, SuggestionRun
from ai_suggestions.services import FieldDecision
from tests.ai_suggestions.running import perform, request
from tests.factories.listings import NOW, make_draft, make_photo

if TYPE_CHECKING:
    from pytest_django import Settings

    from listings.queries import ListingFacts
    from members.models import Member

DAY = dt.timedelta(days=1)
KEEP_DAYS = 60
LATER = NOW + (KEEP_DAYS + 1) * DAY

pytestmark = pytest.mark.usefixtures("scripted")


@pytest.fixture(autouse=True)
def kept_days(settings: Settings) -> None:
    settings.SUGGESTION_KEEP_DAYS = KEEP_DAYS


def a_batch_of(run_id: str, listing: ListingFacts, *, finished_at: dt.datetime | None) -> SuggestionBatch:
    batch = SuggestionBatch.objects.create(
        member_id=listing.seller_id,
        status="running" if finished_at is None else "finished",
        requested_at=NOW,
        finished_at=finished_at,
        ring_at=NOW if finished_at is None else None,
    )
    SuggestionBatchItem.objects.create(batch=batch, position=0, listing_id=listing.id, run_id=run_id)
    return batch


class TestForget:
    def test_deletes_an_old_run_with_all_that_was_said_in_it(
        self, seller: Member, draft: ListingFacts
    ) -> None:
        run = request(seller, draft)
        perform(run)
        assert services.forget_runs(now=LATER - DAY) == 0, "the day of the request is kept whole"
        assert services.forget_runs(now=LATER) == 1
        assert services.forget_runs(now=LATER) == 0
        for table in (SuggestionRun, FieldSuggestion, RunStep):
            assert not table.objects.exists()

    def test_keeps_what_has_not_ended_and_what_is_young(self, seller: Member, draft: ListingFacts) -> None:
        other = make_draft(seller.id)
        make_photo(other, colour="green")
        live = request(seller, draft)
        young = request(seller, other, now=NOW + 5 * DAY)
        perform(young, now=NOW + 5 * DAY)
        assert services.forget_runs(now=LATER) == 0
        assert SuggestionRun.objects.filter(id__in=[live.id, young.id]).count() == 2

    def test_deletes_a_batch_with_its_runs(self, seller: Member, draft: ListingFacts) -> None:
        run = request(seller, draft)
        batch = a_batch_of(run.id, draft, finished_at=NOW)
        SuggestionRun.objects.filter(id=run.id).update(batch=batch)
        perform(run)
        assert services.forget_runs(now=LATER) == 1
        assert not SuggestionBatch.objects.exists()

    def test_keeps_a_run_that_a_younger_batch_shows(self, seller: Member, draft: ListingFacts) -> None:
        run = request(seller, draft)
        perform(run)
        a_batch_of(run.id, draft, finished_at=None)
        assert services.forget_runs(now=LATER) == 0
        assert SuggestionBatchItem.objects.filter(run_id=run.id).exists()


class TestCounts:
    def test_stay_and_a_day_that_is_being_deleted_is_not_counted_anew(
        self, seller: Member, draft: ListingFacts
    ) -> None:
        run = request(seller, draft)
        perform(run)
        roll_up(now=NOW + DAY)
        counted = list(AcceptanceDay.objects.values("field", "offered", "accepted"))
        assert counted
        # Decided on the last day, and half-deleted before it is counted.
        services.decide(
            member_id=seller.id,
            run_id=run.id,
            decisions=[FieldDecision("colours", "accept")],
            now=LATER - DAY,
        )
        FieldSuggestion.objects.exclude(field="colours").delete()
        for _ in range(3):  # a month at a time
            roll_up(now=LATER)
        assert list(AcceptanceDay.objects.values("field", "offered", "accepted")) == counted
