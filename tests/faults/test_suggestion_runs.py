"""A run of suggestions survives killed workers and a forgetful broker: it ends once, with every step once."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone

from ai_suggestions import tasks
from ai_suggestions.models import FieldSuggestion, RunStep, SuggestionRun
from ai_suggestions.services import request_run
from listings import services as listings
from tests.environment import REPOSITORY
from tests.factories.listings import load_small_catalogue
from tests.factories.members import make_member
from tests.faults.conftest import StartWorker, empty_the_broker, wait_until

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(240)]

# A label to read takes the models about a second.
PICTURE = REPOSITORY / "demo" / "photos" / "clothing-label" / "1.jpg"


@pytest.fixture
def run_id(start_worker: StartWorker, storage_folder: Path) -> str:
    """Asked for just now, over one photo that is ready; the first worker to start will hear the ring."""
    load_small_catalogue()
    seller, now = make_member(), timezone.now()
    listing = listings.create_draft(seller_id=seller.id, now=now)
    photo = listings.add_photo(
        seller_id=seller.id,
        listing_id=listing.id,
        content=PICTURE.read_bytes(),
        declared_type="image/jpeg",
        file_name="label.jpg",
        now=now,
    )
    assert listings.process_photo(photo_id=photo.id, now=now) == "ready"
    run, _ = request_run(member_id=seller.id, listing_id=listing.id, now=now)
    return run.id


def run(run_id: str) -> SuggestionRun:
    return SuggestionRun.objects.get(id=run_id)


def is_in_work(run_id: str) -> bool:
    return bool(run(run_id).status == "running")


def has_ended(run_id: str) -> bool:
    return run(run_id).finished_at is not None


def let_time_pass(run_id: str) -> None:
    """Until the sweeper's next look at it: the one thing a test cannot wait for."""
    past = timezone.now() - timedelta(seconds=1)
    SuggestionRun.objects.filter(id=run_id, status="running").update(lease_until=past)
    SuggestionRun.objects.filter(id=run_id, status="queued").update(ring_at=past)


def assert_ended_once(run_id: str, *, attempts: int) -> None:
    found = run(run_id)
    assert (found.status, found.owner, found.attempts) == ("succeeded", "", attempts)
    steps = list(RunStep.objects.filter(run_id=run_id).order_by("position"))
    assert [step.position for step in steps] == list(range(found.steps_total))
    assert {step.attempt for step in steps} == {attempts}
    fields = list(FieldSuggestion.objects.filter(run_id=run_id).values_list("field", flat=True))
    assert fields
    assert len(fields) == len(set(fields))


class TestAKilledWorker:
    def test_loses_no_run(self, run_id: str, start_worker: StartWorker) -> None:
        worker = start_worker()
        wait_until(lambda: is_in_work(run_id), what="the run is in work")
        worker.kill()
        assert not has_ended(run_id), "killed too late to show anything"

        start_worker()
        let_time_pass(run_id)
        tasks.sweep_runs()
        wait_until(lambda: has_ended(run_id), what="the run has ended")

        assert_ended_once(run_id, attempts=2)


@pytest.mark.second_round
class TestAKilledChild:
    def test_loses_no_run_and_its_worker_goes_on(self, run_id: str, start_worker: StartWorker) -> None:
        worker = start_worker()
        wait_until(lambda: is_in_work(run_id), what="the run is in work")
        worker.kill_children()
        assert not has_ended(run_id), "killed too late to show anything"

        let_time_pass(run_id)
        tasks.sweep_runs()
        wait_until(lambda: has_ended(run_id), what="the run has ended")

        assert worker.process.poll() is None
        assert_ended_once(run_id, attempts=2)


@pytest.mark.second_round
class TestABrokerThatForgets:
    def test_loses_no_run(self, run_id: str, start_worker: StartWorker) -> None:
        empty_the_broker()
        start_worker()
        let_time_pass(run_id)
        tasks.sweep_runs()
        wait_until(lambda: has_ended(run_id), what="the run has ended")

        assert_ended_once(run_id, attempts=1)
