"""The doorbells: what a ring does, and when it rings once more."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest
from celery import current_app
from django.utils import timezone

from ai_suggestions import queries, services, tasks
from ai_suggestions.models import PhotoReading, SuggestionRun
from ai_suggestions.services import ringing
from listings.services import process_photo
from tests.doubles.scripted_provider import ScriptedProvider
from tests.factories.listings import make_photo

if TYPE_CHECKING:
    from pytest_django import DjangoCaptureOnCommitCallbacks

    from listings.queries import ListingFacts
    from members.models import Member


@pytest.fixture
def rings() -> Iterator[Any]:
    """How many rings for suggestions wait in the broker."""
    with current_app.connection_for_write() as broker:
        channel: Any = broker.default_channel
        channel.queue_declare("suggestions")
        channel.queue_purge("suggestions")
        yield lambda: channel._size("suggestions")
        channel.queue_purge("suggestions")


def ask(seller: Member, listing: ListingFacts) -> queries.RunFacts:
    run, _ = services.request_run(member_id=seller.id, listing_id=listing.id, now=timezone.now())
    return run


def test_the_name_that_services_ring_is_that_of_the_task() -> None:
    assert tasks.perform_run.name == ringing.PERFORM_RUN


def test_the_schedule_names_tasks_that_exist(settings: Any) -> None:
    wanted = {entry["task"] for entry in settings.CELERY_BEAT_SCHEDULE.values()}
    assert {tasks.sweep_runs.name, tasks.forget_readings.name} <= wanted


class TestPerformRun:
    def test_is_rung_when_the_request_is_committed(
        self,
        seller: Member,
        draft: ListingFacts,
        scripted: ScriptedProvider,
        rings: Any,
        django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
    ) -> None:
        with django_capture_on_commit_callbacks(execute=True):
            ask(seller, draft)
            assert rings() == 0
        assert rings() == 1

    def test_does_the_run(self, seller: Member, draft: ListingFacts, scripted: ScriptedProvider) -> None:
        run = ask(seller, draft)
        tasks.perform_run(run.id)
        assert queries.get_run_facts(run.id, member_id=seller.id).status == "succeeded"

    def test_rings_once_more_while_photos_are_being_processed(
        self, seller: Member, draft: ListingFacts, scripted: ScriptedProvider, rings: Any
    ) -> None:
        late = make_photo(draft, colour="red", now=timezone.now(), ready=False)
        run = ask(seller, draft)
        tasks.perform_run(run.id)
        assert rings() == 1
        process_photo(photo_id=late.id, now=timezone.now())
        tasks.perform_run(run.id)
        assert rings() == 1
        assert queries.get_run_facts(run.id, member_id=seller.id).status == "succeeded"

    def test_of_a_run_that_does_not_exist_is_harmless(self, db: None) -> None:
        tasks.perform_run("01" + "0" * 24)


class TestSweeps:
    def test_rings_for_runs_that_wait_too_long(
        self, seller: Member, draft: ListingFacts, scripted: ScriptedProvider, rings: Any
    ) -> None:
        run = ask(seller, draft)
        tasks.sweep_runs()
        assert rings() == 0
        SuggestionRun.objects.filter(id=run.id).update(ring_at=timezone.now())
        tasks.sweep_runs()
        assert rings() == 1

    def test_forgets_readings(self, db: None) -> None:
        PhotoReading.objects.create(
            sha256="0" * 64,
            step="colour",
            step_version="1",
            reading=[],
            read_at=timezone.now() - queries.KEEP_READINGS * 2,
        )
        tasks.forget_readings()
        assert not PhotoReading.objects.exists()
