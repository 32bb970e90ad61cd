"""Who wins a race, with real threads and connections on MySQL or MariaDB."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from foundation.errors import DomainError
from listings import services
from listings.models import Listing, ListingEvent, ListingPhoto
from listings.queries import ListingFacts, list_photos
from listings.services import ListingChange
from members.models import Member
from tests.factories.listings import image_bytes, make_draft, make_photo

pytestmark = [pytest.mark.needs_server, pytest.mark.django_db(transaction=True)]


def at_once(count: int, work: Callable[[int], Any]) -> list[Any]:
    """What `work(0)`, `work(1)`, … answer when they start together; an error's code for a refusal."""
    gate = threading.Barrier(count)

    def start(number: int) -> Any:
        try:
            gate.wait(20)
            return work(number)
        except DomainError as error:
            return error.code
        finally:
            connection.close()

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(start, range(count)))


class TestUploads:
    def test_25_at_once_make_20_photos(self, draft: ListingFacts, storage_folder: Path) -> None:
        content = image_bytes(width=120, height=120)

        def upload(_: int) -> Any:
            return services.add_photo(
                seller_id=draft.seller_id,
                listing_id=draft.id,
                content=content,
                declared_type=None,
                file_name=None,
                now=timezone.now(),
            )

        answers = at_once(25, upload)
        assert Counter(answers)["too_many_photos"] == 5
        assert sorted(photo.position for photo in list_photos(draft.id)) == list(range(20))
        # Those that came too late left no file behind.
        assert sum(file.is_file() for file in storage_folder.rglob("*")) == 20

    def test_and_deletions_leave_no_gap(self, draft: ListingFacts) -> None:
        photos = [make_photo(draft, ready=False).id for _ in range(8)]

        def work(number: int) -> Any:
            if number % 2:
                return make_photo(draft, ready=False).id
            return services.remove_photo(
                seller_id=draft.seller_id, listing_id=draft.id, photo_id=photos[number], now=timezone.now()
            )

        at_once(8, work)
        assert [photo.position for photo in list_photos(draft.id)] == list(range(8))


class TestWorkers:
    def test_one_of_many_processes_a_photo(self, draft: ListingFacts) -> None:
        photo = make_photo(draft, ready=False)
        answers = at_once(6, lambda _: services.process_photo(photo_id=photo.id, now=timezone.now()))
        assert Counter(answers) == {"ready": 1, "skipped": 5}
        assert ListingPhoto.objects.get(id=photo.id).attempts == 1


class TestVerbs:
    def test_one_of_many_publishes(self, draft: ListingFacts) -> None:
        make_photo(draft)

        def publish(_: int) -> str:
            return services.publish(seller_id=draft.seller_id, listing_id=draft.id, now=timezone.now()).status

        answers = at_once(6, publish)
        assert Counter(answers) == {"active": 1, "listing_status_conflict": 5}
        assert ListingEvent.objects.filter(listing_id=draft.id).count() == 1

    def test_hide_and_reserve_end_in_one_of_both(self, listing: ListingFacts) -> None:
        verbs = (services.hide, services.reserve)
        answers = at_once(
            6,
            lambda i: (
                verbs[i % 2](seller_id=listing.seller_id, listing_id=listing.id, now=timezone.now()).status
            ),
        )
        assert Counter(answers)["listing_status_conflict"] == 5
        assert Listing.objects.get(id=listing.id).status in ("hidden", "reserved")


class TestEdits:
    def test_of_the_same_version_one_wins(self, draft: ListingFacts) -> None:
        def edit(number: int) -> str:
            return services.edit_draft(
                seller_id=draft.seller_id,
                listing_id=draft.id,
                change=ListingChange(title=f"Title number {number}", colour_ids=("red",)),
                expected_version=draft.version,
                now=timezone.now(),
            ).title

        answers = Counter(at_once(6, edit))
        assert answers["listing_stale"] == 5
        assert Listing.objects.get(id=draft.id).title in answers


class TestFlags:
    def test_and_publishing_never_leave_a_flagged_photo_on_offer(self, seller: Member) -> None:
        drafts = [make_draft(seller.id) for _ in range(4)]
        photos = [make_photo(draft) for draft in drafts]

        def work(number: int) -> Any:
            draft, photo = drafts[number // 2], photos[number // 2]
            if number % 2:
                return services.publish(seller_id=seller.id, listing_id=draft.id, now=timezone.now()).status
            flag = services.Flag("unsafe_photo", 0.9)
            return services.flag_photo(photo_id=photo.id, sha256=photo.sha256, flag=flag, now=timezone.now())

        answers = at_once(8, work)
        assert answers[::2] == [True] * 4
        statuses = Listing.objects.filter(id__in=[draft.id for draft in drafts])
        assert set(statuses.values_list("status", flat=True)) == {"in_review"}
