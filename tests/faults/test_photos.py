"""A photo survives killed workers and a forgetful broker: it becomes ready once, and no other file stays."""

from __future__ import annotations

import io
from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone
from PIL import Image

from listings import tasks
from listings.models import ListingPhoto
from listings.services.developing import LEASE, MAX_ATTEMPTS
from listings.services.drafting import create_draft
from listings.services.photos import add_photo
from tests.factories.members import make_member
from tests.faults.conftest import StartWorker, empty_the_broker, wait_until

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(240)]


@pytest.fixture(scope="module")
def slow_picture() -> bytes:
    """Half a second of work for a worker: 36 megapixels that have to be decoded in full."""
    file = io.BytesIO()
    Image.radial_gradient("L").resize((6000, 6000)).convert("RGB").save(file, "PNG", compress_level=1)
    return file.getvalue()


@pytest.fixture
def photo_id(slow_picture: bytes, start_worker: StartWorker) -> str:
    """Uploaded just now; the first worker to start will hear the ring."""
    seller = make_member()
    now = timezone.now()
    listing = create_draft(seller_id=seller.id, now=now)
    photo = add_photo(
        seller_id=seller.id,
        listing_id=listing.id,
        content=slow_picture,
        declared_type="image/png",
        file_name="jacket.png",
        now=now,
    )
    return photo.id


def photo(photo_id: str) -> ListingPhoto:
    return ListingPhoto.objects.get(id=photo_id)


def is_in_work(photo_id: str) -> bool:
    return bool(photo(photo_id).lease_owner)


def is_settled(photo_id: str) -> bool:
    return photo(photo_id).processed_at is not None


def let_time_pass(photo_id: str) -> None:
    """Until the sweeper's next look at it: the one thing a test cannot wait for."""
    ListingPhoto.objects.filter(id=photo_id).update(ring_at=timezone.now() - timedelta(seconds=1))


def files_in(folder: Path) -> list[str]:
    found = [path for name in ("media", "originals") for path in (folder / name).rglob("*") if path.is_file()]
    return sorted(str(path.relative_to(folder)) for path in found)


def assert_ready_once(photo_id: str, folder: Path) -> None:
    found = photo(photo_id)
    assert (found.status, found.failure_code, found.lease_owner) == ("ready", "", "")
    assert files_in(folder) == sorted(
        [f"media/photos/{found.stem}-{side}.jpg" for side in (320, 800, 1600)]
        + [f"originals/masters/{found.stem}.jpg"]
    )


class TestAKilledWorker:
    def test_loses_no_photo(self, photo_id: str, start_worker: StartWorker, storage_folder: Path) -> None:
        worker = start_worker()
        wait_until(lambda: is_in_work(photo_id), what="the photo is in work")
        worker.kill()
        assert not is_settled(photo_id), "killed too late to show anything"

        start_worker()
        let_time_pass(photo_id)
        tasks.sweep_photos()
        wait_until(lambda: is_settled(photo_id), what="the photo is ready")

        assert_ready_once(photo_id, storage_folder)
        assert photo(photo_id).attempts == 2

    @pytest.mark.second_round
    def test_is_not_overtaken_while_it_may_be_working(self, photo_id: str, start_worker: StartWorker) -> None:
        worker = start_worker()
        wait_until(lambda: is_in_work(photo_id), what="the photo is in work")
        worker.kill()
        owner = photo(photo_id).lease_owner

        tasks.sweep_photos()
        tasks.process_photo(photo_id)

        assert photo(photo_id).lease_owner == owner
        ring_at = photo(photo_id).ring_at
        assert ring_at is not None
        assert ring_at > timezone.now() + LEASE / 2


@pytest.mark.second_round
class TestAWorkerThatIsStopped:
    def test_finishes_what_it_has_in_hand(
        self, photo_id: str, start_worker: StartWorker, storage_folder: Path
    ) -> None:
        worker = start_worker()
        wait_until(lambda: is_in_work(photo_id), what="the photo is in work")
        worker.process.terminate()
        assert worker.process.wait(60) == 0

        assert_ready_once(photo_id, storage_folder)


@pytest.mark.second_round
class TestAKilledChild:
    def test_loses_no_photo_and_its_worker_goes_on(
        self, photo_id: str, start_worker: StartWorker, storage_folder: Path
    ) -> None:
        worker = start_worker()
        wait_until(lambda: is_in_work(photo_id), what="the photo is in work")
        worker.kill_children()
        assert not is_settled(photo_id), "killed too late to show anything"

        let_time_pass(photo_id)
        tasks.sweep_photos()
        wait_until(lambda: is_settled(photo_id), what="the photo is ready")

        assert worker.process.poll() is None
        assert_ready_once(photo_id, storage_folder)

    def test_by_the_same_photo_again_and_again_gives_it_up(
        self, photo_id: str, start_worker: StartWorker
    ) -> None:
        """As a picture would that takes all memory: it must not end workers for ever."""
        start_worker()
        ListingPhoto.objects.filter(id=photo_id).update(attempts=MAX_ATTEMPTS)
        wait_until(lambda: is_settled(photo_id), what="the photo is settled")

        assert (photo(photo_id).status, photo(photo_id).failure_code) == ("failed", "processing_crashed")


@pytest.mark.second_round
class TestABrokerThatForgets:
    def test_loses_no_photo(self, photo_id: str, start_worker: StartWorker, storage_folder: Path) -> None:
        empty_the_broker()
        start_worker()
        let_time_pass(photo_id)
        tasks.sweep_photos()
        wait_until(lambda: is_settled(photo_id), what="the photo is ready")

        assert_ready_once(photo_id, storage_folder)
        assert photo(photo_id).attempts == 1


@pytest.mark.second_round
class TestTwoRings:
    def test_are_worked_on_once(self, photo_id: str, start_worker: StartWorker, storage_folder: Path) -> None:
        let_time_pass(photo_id)
        for _ in range(3):
            tasks.sweep_photos()
        start_worker()
        start_worker()
        wait_until(lambda: is_settled(photo_id), what="the photo is ready")

        assert_ready_once(photo_id, storage_folder)
        assert photo(photo_id).attempts == 1
