"""What the database itself refuses, each by its name."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import pytest
from django.db import IntegrityError, OperationalError, transaction

from ai_suggestions.batch_tables import MemberUsage, SuggestionBatch, SuggestionBatchItem
from ai_suggestions.models import FieldSuggestion, PhotoReading, RunStep, SuggestionRun
from tests.factories.listings import NOW

if TYPE_CHECKING:
    from listings.queries import ListingFacts
    from members.models import Member


def make_run(seller: Member, listing: ListingFacts, **facts: Any) -> SuggestionRun:
    values: dict[str, Any] = {
        "listing_id": listing.id,
        "member_id": seller.id,
        "provider": "scripted",
        "photo_set": "0" * 64,
        "language": "en",
        "requested_at": NOW,
        "ring_at": NOW,
    }
    run = SuggestionRun(**(values | facts))
    run.save(force_insert=True)
    return run


ENDED = {"status": "succeeded", "ring_at": None, "finished_at": NOW}
RUNNING = {"status": "running", "ring_at": None, "owner": "A" * 26, "lease_until": NOW}


def refused(name: str) -> pytest.RaisesExc[Any]:
    # MariaDB reports a failed CHECK as an operational error.
    return pytest.raises((IntegrityError, OperationalError), match=name)


class TestSuggestionRun:
    def test_run_one_live_per_listing(self, seller: Member, draft: ListingFacts) -> None:
        make_run(seller, draft)
        with (
            pytest.raises(IntegrityError, match=r"run_one_live_per_listing|live_listing"),
            transaction.atomic(),
        ):
            make_run(seller, draft, **RUNNING)
        for _ in range(2):
            make_run(seller, draft, **ENDED)

    def test_run_one_live_per_listing_while_a_status_changes(
        self, seller: Member, draft: ListingFacts
    ) -> None:
        make_run(seller, draft)
        other = make_run(seller, draft, **ENDED)
        with pytest.raises(IntegrityError), transaction.atomic():
            SuggestionRun.objects.filter(id=other.id).update(status="queued", ring_at=NOW, finished_at=None)

    @pytest.mark.parametrize(
        ("name", "facts"),
        [
            ("run_known_status", ENDED | {"status": "lost"}),
            ("run_running_is_leased", RUNNING | {"lease_until": None}),
            ("run_running_is_leased", RUNNING | {"owner": ""}),
            ("run_running_is_leased", ENDED | {"owner": "A" * 26}),
            ("run_queued_is_swept", {"ring_at": None}),
            ("run_queued_is_swept", ENDED | {"ring_at": NOW}),
            ("run_failed_has_reason", ENDED | {"status": "failed"}),
            ("run_failed_has_reason", ENDED | {"failure_code": "why"}),
            ("run_ended_has_time", ENDED | {"finished_at": None}),
            ("run_ended_has_time", {"finished_at": NOW}),
        ],
    )
    def test_check(self, seller: Member, draft: ListingFacts, name: str, facts: dict[str, Any]) -> None:
        with refused(name), transaction.atomic():
            make_run(seller, draft, **facts)


class TestRunStep:
    def make(self, run: SuggestionRun, **facts: Any) -> None:
        values: dict[str, Any] = {
            "run_id": run.id,
            "position": 0,
            "attempt": 1,
            "name": "colour",
            "step_version": "1",
            "outcome": "ok",
            "elapsed_ms": 5,
            "ended_at": NOW,
        }
        RunStep.objects.create(**(values | facts))

    def test_run_step_position_once(self, seller: Member, draft: ListingFacts) -> None:
        run = make_run(seller, draft)
        self.make(run)
        with pytest.raises(IntegrityError), transaction.atomic():
            self.make(run)

    @pytest.mark.parametrize(("outcome", "error_code"), [("failed", ""), ("timed_out", ""), ("ok", "why")])
    def test_run_step_broken_has_reason(
        self, seller: Member, draft: ListingFacts, outcome: str, error_code: str
    ) -> None:
        with refused("run_step_broken_has_reason"), transaction.atomic():
            self.make(make_run(seller, draft), outcome=outcome, error_code=error_code)


class TestFieldSuggestion:
    def make(self, run: SuggestionRun, **facts: Any) -> None:
        values: dict[str, Any] = {
            "run_id": run.id,
            "field": "title",
            "state": "proposed",
            "value": "A text",
            "step": "text",
            "step_version": "1",
            "updated_at": NOW,
        }
        FieldSuggestion.objects.create(**(values | facts))

    def test_suggestion_once_per_field(self, seller: Member, draft: ListingFacts) -> None:
        run = make_run(seller, draft)
        self.make(run)
        with pytest.raises(IntegrityError), transaction.atomic():
            self.make(run)

    @pytest.mark.parametrize(
        ("name", "facts"),
        [
            ("suggestion_known_field", {"field": "gender"}),
            ("suggestion_proposed_has_value", {"value": None}),
            ("suggestion_proposed_has_value", {"state": "choice"}),
            ("suggestion_proposed_has_value", {"state": "sure"}),
            ("suggestion_confidence_is_share", {"confidence": 1.2}),
            ("suggestion_confidence_is_share", {"confidence": -0.1}),
            ("suggestion_decided_has_time", {"decision": "accepted"}),
            ("suggestion_decided_has_time", {"decided_at": NOW}),
            ("suggestion_decided_has_time", {"decision": "liked", "decided_at": NOW}),
        ],
    )
    def test_check(self, seller: Member, draft: ListingFacts, name: str, facts: dict[str, Any]) -> None:
        with refused(name), transaction.atomic():
            self.make(make_run(seller, draft), **facts)


class TestPhotoReading:
    def test_reading_once_per_version(self, db: None) -> None:
        facts = {"sha256": "0" * 64, "step": "colour", "step_version": "1", "reading": [], "read_at": NOW}
        PhotoReading.objects.create(**facts)
        with pytest.raises(IntegrityError), transaction.atomic():
            PhotoReading.objects.create(**facts | {"read_at": NOW + dt.timedelta(days=1)})
        PhotoReading.objects.create(**facts | {"step_version": "2"})


class TestSuggestionBatch:
    @pytest.mark.parametrize(
        ("name", "facts"),
        [
            ("batch_known_status", {"status": "lost", "ring_at": None, "finished_at": NOW}),
            ("batch_live_is_swept", {"ring_at": None}),
            ("batch_live_is_swept", {"finished_at": NOW}),
            ("batch_live_is_swept", {"status": "finished"}),
            ("batch_live_is_swept", {"status": "cancelled", "ring_at": None}),
        ],
    )
    def test_check(self, seller: Member, name: str, facts: dict[str, Any]) -> None:
        values: dict[str, Any] = {"member_id": seller.id, "requested_at": NOW, "ring_at": NOW} | facts
        with refused(name), transaction.atomic():
            SuggestionBatch.objects.create(**values)

    @pytest.mark.parametrize(
        ("name", "other"),
        [
            (r"batch_item_position_once|position", {"position": 0, "listing_id": "b"}),
            (r"batch_item_listing_once|listing_id", {"position": 1, "listing_id": "a"}),
        ],
    )
    def test_a_listing_is_in_it_once(self, seller: Member, name: str, other: dict[str, Any]) -> None:
        batch = SuggestionBatch.objects.create(member_id=seller.id, requested_at=NOW, ring_at=NOW)
        SuggestionBatchItem.objects.create(batch=batch, position=0, listing_id="a")
        with pytest.raises(IntegrityError, match=name), transaction.atomic():
            SuggestionBatchItem.objects.create(batch=batch, **other)

    def test_batch_item_run_or_problem(self, seller: Member, draft: ListingFacts) -> None:
        batch = SuggestionBatch.objects.create(member_id=seller.id, requested_at=NOW, ring_at=NOW)
        run = make_run(seller, draft)
        with refused("batch_item_run_or_problem"), transaction.atomic():
            SuggestionBatchItem.objects.create(
                batch=batch, position=0, listing_id=draft.id, run=run, problem_code="why"
            )


class TestMemberUsage:
    def test_usage_once_per_day(self, seller: Member) -> None:
        MemberUsage.objects.create(member_id=seller.id, day=NOW.date())
        with pytest.raises(IntegrityError, match=r"usage_once_per_day|day"), transaction.atomic():
            MemberUsage.objects.create(member_id=seller.id, day=NOW.date())
