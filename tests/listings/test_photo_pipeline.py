"""The worker's part in photos: rows are the work, rings only wake; and what suggestions get of them."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pytest
from django.core.files.storage import storages
from django.utils import timezone
from rest_framework.test import APIClient

from foundation.ids import new_id
from listings import services
from listings.errors import PhotoNotFound, PhotoNotReady
from listings.models import Listing, ListingPhoto
from listings.photos import processing
from listings.queries import (
    ListingFacts,
    get_listing,
    photo_set_hash,
    photos_for_suggestions,
    read_master,
)
from members.models import Member
from tests.factories.listings import NOW, make_photo


def files_in(folder: Path) -> list[str]:
    return sorted(str(file.relative_to(folder)) for file in folder.rglob("*") if file.is_file())


class TestWorker:
    """listings.services.developing: rows are the work, rings only wake."""

    def test_that_is_rung_twice_works_once(self, draft: ListingFacts) -> None:
        photo = make_photo(draft)
        assert services.process_photo(photo_id=photo.id, now=timezone.now()) == "skipped"

    def test_that_holds_the_lease_is_left_alone_until_it_ends(self, draft: ListingFacts) -> None:
        photo = make_photo(draft, ready=False)
        now = timezone.now()
        ListingPhoto.objects.filter(id=photo.id).update(
            lease_owner=new_id(), ring_at=now + dt.timedelta(seconds=60), stem="aa/dead", attempts=1
        )
        assert services.process_photo(photo_id=photo.id, now=now) == "skipped"
        assert services.photos_to_ring(now=now) == []
        later = now + dt.timedelta(seconds=61)
        assert services.photos_to_ring(now=later) == [photo.id]
        assert services.process_photo(photo_id=photo.id, now=later) == "ready"

    def test_that_is_busy_is_not_rung_for_at_every_sweep(self, draft: ListingFacts) -> None:
        photo = make_photo(draft, ready=False)
        later = timezone.now() + dt.timedelta(minutes=5)
        assert services.photos_to_ring(now=later) == [photo.id]
        assert services.photos_to_ring(now=later + dt.timedelta(seconds=10)) == []
        assert services.photos_to_ring(now=later + dt.timedelta(seconds=61)) == [photo.id]

    def test_files_of_a_worker_that_died_are_deleted_by_the_next(
        self, draft: ListingFacts, storage_folder: Path, django_capture_on_commit_callbacks: Any
    ) -> None:
        photo = make_photo(draft, ready=False)
        now = timezone.now()
        ListingPhoto.objects.filter(id=photo.id).update(
            lease_owner=new_id(), ring_at=now, stem="aa/dead", attempts=1
        )
        dead = storage_folder / "media" / "photos" / "aa" / "dead-320.jpg"
        dead.parent.mkdir(parents=True)
        dead.write_bytes(b"half a rendition")
        with django_capture_on_commit_callbacks(execute=True):
            assert services.process_photo(photo_id=photo.id, now=now) == "ready"
        assert not dead.exists()

    def test_a_photo_that_ends_its_worker_again_and_again_fails(self, draft: ListingFacts) -> None:
        photo = make_photo(draft, ready=False)
        ListingPhoto.objects.filter(id=photo.id).update(attempts=4)
        assert services.process_photo(photo_id=photo.id, now=timezone.now()) == "failed"
        assert get_listing(draft.id).photos[0].failure_code == "processing_crashed"

    def test_an_upload_that_vanished_fails_with_its_reason(self, draft: ListingFacts) -> None:
        photo = make_photo(draft, ready=False)
        name = ListingPhoto.objects.get(id=photo.id).original_name
        storages["originals"].delete(name)
        assert services.process_photo(photo_id=photo.id, now=timezone.now()) == "failed"
        assert get_listing(draft.id).photos[0].failure_code == "original_lost"

    def test_of_a_photo_replaced_meanwhile_keeps_nothing(
        self, draft: ListingFacts, storage_folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        photo = make_photo(draft, ready=False)
        real = processing.process

        def slow(content: bytes) -> Any:
            ListingPhoto.objects.filter(id=photo.id).update(lease_owner="")
            return real(content)

        monkeypatch.setattr("listings.services.developing.process", slow)
        assert services.process_photo(photo_id=photo.id, now=timezone.now()) == "skipped"
        assert not [name for name in files_in(storage_folder) if "uploads" not in name]
        assert get_listing(draft.id).photos[0].status == "processing"

    def test_makes_the_listing_another_version(self, draft: ListingFacts) -> None:
        photo = make_photo(draft, ready=False)
        before = Listing.objects.get(id=draft.id).version
        services.process_photo(photo_id=photo.id, now=timezone.now())
        assert Listing.objects.get(id=draft.id).version == before + 1


class TestOrphans:
    def test_are_removed_when_they_are_old_and_nobody_names_them(
        self, draft: ListingFacts, storage_folder: Path
    ) -> None:
        make_photo(draft, ready=False)
        orphan = storage_folder / "originals" / "uploads" / "00" / "orphan"
        orphan.parent.mkdir(parents=True, exist_ok=True)
        orphan.write_bytes(b"x")
        assert services.remove_orphans(now=timezone.now()) == 0
        later = timezone.now() + dt.timedelta(hours=2)
        assert services.remove_orphans(now=later) == 1
        assert not orphan.exists()
        assert len(files_in(storage_folder)) == 1

    def test_where_nothing_was_ever_stored(self, db: None) -> None:
        assert services.remove_orphans(now=timezone.now()) == 0


class TestWithdrawal:
    """Of a listing that was removed or deleted nobody is shown a photo any more."""

    def public(self, folder: Path) -> list[str]:
        return [name for name in files_in(folder) if name.startswith("media")]

    def test_deletes_public_files_and_keeps_the_master(
        self, listing: ListingFacts, moderator: Member, storage_folder: Path, as_seller: APIClient
    ) -> None:
        assert services.withdraw_photos(now=NOW) == 0
        services.remove(listing_id=listing.id, moderator_id=moderator.id, reason="unsafe_photo", now=NOW)
        seen = as_seller.get(f"/api/v1/listings/{listing.id}").json()
        assert [photo["renditions"] for photo in seen["photos"]] == [{}]
        assert as_seller.get("/api/v1/me/listings").json()["results"][0]["cover"] is None
        assert services.withdraw_photos(now=NOW) == 1
        assert self.public(storage_folder) == []
        assert read_master(listing.photos[0].id)
        assert services.withdraw_photos(now=NOW) == 0

    def test_reaches_a_photo_that_is_processed_later(
        self, draft: ListingFacts, moderator: Member, storage_folder: Path
    ) -> None:
        photo = make_photo(draft, ready=False)
        services.remove(listing_id=draft.id, moderator_id=moderator.id, reason="other", now=NOW)
        assert services.process_photo(photo_id=photo.id, now=NOW) == "ready"
        assert services.withdraw_photos(now=NOW) == 1
        assert self.public(storage_folder) == []

    def test_is_tried_again_when_the_storage_fails(
        self, listing: ListingFacts, seller: Member, storage_folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        services.delete(seller_id=seller.id, listing_id=listing.id, now=NOW)

        def fail(name: str) -> None:
            raise OSError("the storage is away")

        with monkeypatch.context() as away:
            away.setattr(storages["default"], "delete", fail)
            assert services.withdraw_photos(now=NOW) == 0
        assert services.withdraw_photos(now=NOW) == 1
        assert self.public(storage_folder) == []


class TestForSuggestions:
    def test_photos_in_their_order_with_the_masters_digest(self, draft: ListingFacts) -> None:
        import hashlib

        ready, waiting = make_photo(draft), make_photo(draft, ready=False)
        found = photos_for_suggestions(draft.id)
        assert [(photo.id, photo.position, photo.status) for photo in found] == [
            (ready.id, 0, "ready"),
            (waiting.id, 1, "processing"),
        ]
        assert found[0].sha256 == hashlib.sha256(read_master(ready.id)).hexdigest()
        assert found[1].sha256 == ""

    def test_the_master_of_a_photo_that_is_not_ready(self, draft: ListingFacts) -> None:
        photo = make_photo(draft, ready=False)
        with pytest.raises(PhotoNotReady) as caught:
            read_master(photo.id)
        assert caught.value.code == "photo_not_ready"
        with pytest.raises(PhotoNotFound):
            read_master(new_id())

    def test_another_set_of_photos_has_another_hash(self, draft: ListingFacts, as_seller: APIClient) -> None:
        empty = photo_set_hash(draft.id)
        first = make_photo(draft, colour="red")
        one = photo_set_hash(draft.id)
        second = make_photo(draft, colour="gold")
        two = photo_set_hash(draft.id)
        as_seller.patch(
            f"/api/v1/listings/{draft.id}", {"photos": [second.id, first.id]}, headers={"If-Match": "*"}
        )
        assert len({empty, one, two, photo_set_hash(draft.id)}) == 4
