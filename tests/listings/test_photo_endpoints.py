"""/listings/{id}/photos over HTTP, on real files."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone
from PIL import Image
from rest_framework.test import APIClient

from foundation.ids import new_id
from listings import services
from listings.models import ListingPhoto
from listings.queries import (
    ListingFacts,
)
from tests.factories.listings import image_bytes, make_photo


@pytest.fixture
def path(draft: ListingFacts) -> str:
    return f"/api/v1/listings/{draft.id}/photos"


def sent(content: bytes, name: str = "photo.jpg", content_type: str = "image/jpeg") -> dict[str, Any]:
    return {"photo": SimpleUploadedFile(name, content, content_type)}


def upload(client: APIClient, path: str, content: bytes, *names: str, **headers: str) -> Any:
    return client.post(path, sent(content, *names), format="multipart", headers=headers)


def files_in(folder: Path) -> list[str]:
    return sorted(str(file.relative_to(folder)) for file in folder.rglob("*") if file.is_file())


class TestUpload:
    def test_is_answered_at_once_and_made_ready_by_a_worker(
        self, as_seller: APIClient, path: str, storage_folder: Path
    ) -> None:
        response = upload(as_seller, path, image_bytes(width=2500, height=1500))
        body = response.json()
        assert response.status_code == 201
        assert (body["position"], body["status"], body["renditions"]) == (0, "processing", {})
        assert response["Location"].endswith(f"{path}/{body['id']}")
        assert [name.split("/")[1] for name in files_in(storage_folder)] == ["uploads"]

        assert services.process_photo(photo_id=body["id"], now=timezone.now()) == "ready"
        ready = as_seller.get(response["Location"])
        assert ready["ETag"] != response["ETag"]
        assert (ready.json()["status"], ready.json()["failure"]) == ("ready", None)
        for side, url in ready.json()["renditions"].items():
            name = url.removeprefix("http://testserver/media/")
            image = Image.open(io.BytesIO((storage_folder / "media" / name).read_bytes()))
            assert max(image.size) == int(side)
        # The bytes that were sent are gone, the private master and three public renditions are there.
        assert [name.split("/")[0] for name in files_in(storage_folder)] == ["media"] * 3 + ["originals"]

    def test_rings_for_a_worker_when_it_is_committed(
        self, as_seller: APIClient, path: str, settings: Any, django_capture_on_commit_callbacks: Any
    ) -> None:
        with django_capture_on_commit_callbacks() as callbacks:
            upload(as_seller, path, image_bytes())
        assert len(callbacks) >= 1

    @pytest.mark.parametrize(
        ("kind", "name", "content_type"),
        [
            ("PNG", "a.png", "image/png"),
            ("WEBP", "a.webp", "image/webp"),
            ("HEIF", "IMG_0001.HEIC", "image/heic"),
            ("JPEG", "a", "application/octet-stream"),
        ],
    )
    def test_of_every_accepted_type(
        self, as_seller: APIClient, path: str, kind: str, name: str, content_type: str
    ) -> None:
        response = upload(as_seller, path, image_bytes(kind), name, content_type)
        assert response.status_code == 201
        assert services.process_photo(photo_id=response.json()["id"], now=timezone.now()) == "ready"

    @pytest.mark.parametrize(
        ("content", "name", "content_type", "status", "code"),
        [
            (b"", "a.jpg", "image/jpeg", 422, "photo_empty"),
            (image_bytes()[:-40], "a.jpg", "image/jpeg", 422, "photo_damaged"),
            (image_bytes("PNG"), "a.jpg", "image/jpeg", 415, "photo_type_mismatch"),
            (image_bytes(), "a.png", "image/jpeg", 415, "photo_type_mismatch"),
            (image_bytes(), "a.jpg", "image/svg+xml", 415, "photo_type_mismatch"),
            (
                b"<svg xmlns='http://www.w3.org/2000/svg'/>",
                "a.svg",
                "image/svg+xml",
                415,
                "photo_type_not_accepted",
            ),
            (image_bytes("GIF"), "a.gif", "image/gif", 415, "photo_type_not_accepted"),
            (
                image_bytes("PNG", save_all=True, append_images=[Image.new("RGB", (400, 300))]),
                *("a.png", "image/png", 415, "photo_animated"),
            ),
            (image_bytes("PNG", width=1, height=1), "a.png", "image/png", 422, "photo_too_small"),
            (image_bytes() + b"PK\x03\x04zip", "a.jpg", "image/jpeg", 422, "photo_has_foreign_data"),
            (image_bytes() + b"\0" * 20_000_000, "a.jpg", "image/jpeg", 413, "photo_too_large"),
        ],
    )
    def test_of_anything_else_is_refused_and_leaves_nothing(
        self,
        as_seller: APIClient,
        path: str,
        storage_folder: Path,
        content: bytes,
        name: str,
        content_type: str,
        status: int,
        code: str,
    ) -> None:
        version = as_seller.get(path.removesuffix("/photos"))["ETag"]
        response = upload(as_seller, path, content, name, content_type)
        assert (response.status_code, response.json()["code"]) == (status, code)
        assert response["Content-Type"] == "application/problem+json"
        assert not ListingPhoto.objects.exists()
        assert files_in(storage_folder) == []
        assert as_seller.get(path.removesuffix("/photos"))["ETag"] == version

    def test_of_30_000_by_30_000(self, as_seller: APIClient, path: str) -> None:
        content = image_bytes()
        at = content.index(b"\xff\xc0") + 5
        huge = content[:at] + (30_000).to_bytes(2) * 2 + content[at + 4 :]
        response = upload(as_seller, path, huge)
        assert (response.status_code, response.json()["code"]) == (422, "photo_too_many_pixels")

    def test_of_no_file_or_several_or_other_fields(self, as_seller: APIClient, path: str) -> None:
        two = [SimpleUploadedFile(name, image_bytes(), "image/jpeg") for name in ("a.jpg", "b.jpg")]
        for form in (
            {},
            {"photo": "text"},
            {"picture": two[0]},
            {"photo": two},
            {"photo": two[1], "alt": "x"},
        ):
            response = as_seller.post(path, form, format="multipart")
            assert (response.status_code, response.json()["code"]) == (400, "photo_missing")

    def test_of_json(self, as_seller: APIClient, path: str) -> None:
        response = as_seller.post(path, {"photo": "…"})
        assert (response.status_code, response.json()["code"]) == (415, "unsupported_media_type")

    def test_of_the_21st_is_refused(self, as_seller: APIClient, path: str, storage_folder: Path) -> None:
        for i in range(20):
            response = upload(as_seller, path, image_bytes(width=120, height=120))
            assert (response.status_code, response.json()["position"]) == (201, i)
        response = upload(as_seller, path, image_bytes())
        assert (response.status_code, response.json()["code"]) == (409, "too_many_photos")
        assert len(files_in(storage_folder)) == 20

    def test_to_somebody_elses_listing(self, as_other: APIClient, path: str, stranger: APIClient) -> None:
        assert upload(as_other, path, image_bytes()).json()["code"] == "listing_not_found"
        assert upload(stranger, path, image_bytes()).status_code == 401

    def test_to_a_removed_listing(
        self, as_seller: APIClient, draft: ListingFacts, path: str, moderator: Any
    ) -> None:
        services.remove(listing_id=draft.id, moderator_id=moderator.id, reason="other", now=timezone.now())
        assert upload(as_seller, path, image_bytes()).json()["code"] == "listing_status_conflict"

    def test_sent_twice_with_one_key_is_one_photo(self, as_seller: APIClient, path: str) -> None:
        content = image_bytes()
        first = upload(as_seller, path, content, **{"Idempotency-Key": "k"})
        again = upload(as_seller, path, content, **{"Idempotency-Key": "k"})
        assert again["Idempotent-Replayed"] == "true"
        assert again.json() == first.json()
        assert ListingPhoto.objects.count() == 1

    def test_when_the_database_fails_leaves_no_file(
        self, draft: ListingFacts, storage_folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def fail(*args: Any, **kwargs: Any) -> None:
            raise RuntimeError("the database is gone")

        monkeypatch.setattr(ListingPhoto.objects, "create", fail)
        with pytest.raises(RuntimeError):
            make_photo(draft)
        assert files_in(storage_folder) == []


class TestFailed:
    """A photo whose structure is whole but whose pixels cannot be decoded."""

    @pytest.fixture
    def failed(self, as_seller: APIClient, path: str) -> dict[str, Any]:
        whole = image_bytes("WEBP")
        broken = whole[:40] + b"\xff" * (len(whole) - 40)
        photo = upload(as_seller, path, broken, "a.webp", "image/webp").json()
        assert services.process_photo(photo_id=photo["id"], now=timezone.now()) == "failed"
        found: dict[str, Any] = as_seller.get(f"{path}/{photo['id']}").json()
        return found

    def test_says_why_and_keeps_no_file(self, failed: dict[str, Any], storage_folder: Path) -> None:
        assert (failed["status"], failed["failure"], failed["renditions"]) == ("failed", "undecodable", {})
        assert files_in(storage_folder) == []

    def test_can_be_replaced_in_its_place(
        self, failed: dict[str, Any], as_seller: APIClient, path: str
    ) -> None:
        where = f"{path}/{failed['id']}"
        response = as_seller.put(
            where, sent(image_bytes()), format="multipart", headers={"If-Match": as_seller.get(where)["ETag"]}
        )
        assert response.status_code == 200
        assert (response.json()["id"], response.json()["status"]) == (failed["id"], "processing")
        assert services.process_photo(photo_id=failed["id"], now=timezone.now()) == "ready"

    def test_keeps_the_draft_from_being_published(
        self, failed: dict[str, Any], as_seller: APIClient, path: str
    ) -> None:
        response = as_seller.post(path.removesuffix("photos") + "publish")
        assert {p["pointer"]: p["code"] for p in response.json()["errors"]} == {"/photos/0": "photo_failed"}


class TestReplace:
    def test_makes_new_addresses_and_deletes_the_old_files(
        self,
        as_seller: APIClient,
        draft: ListingFacts,
        path: str,
        storage_folder: Path,
        django_capture_on_commit_callbacks: Any,
    ) -> None:
        photo = make_photo(draft)
        before = as_seller.get(f"{path}/{photo.id}")
        with django_capture_on_commit_callbacks(execute=True):
            as_seller.put(
                f"{path}/{photo.id}",
                sent(image_bytes(colour="red")),
                format="multipart",
                headers={"If-Match": before["ETag"]},
            )
        assert [name.split("/")[1] for name in files_in(storage_folder)] == ["uploads"]
        services.process_photo(photo_id=photo.id, now=timezone.now())
        after = as_seller.get(f"{path}/{photo.id}").json()
        assert after["renditions"]["320"] != before.json()["renditions"]["320"]

    def test_without_if_match_or_with_an_old_one(
        self, as_seller: APIClient, draft: ListingFacts, path: str
    ) -> None:
        photo = make_photo(draft)
        where = f"{path}/{photo.id}"
        assert as_seller.put(where, sent(image_bytes()), format="multipart").status_code == 428
        stale = as_seller.put(where, sent(image_bytes()), format="multipart", headers={"If-Match": '"x"'})
        assert stale.status_code == 412

    def test_of_the_only_one_of_a_listing_on_offer(self, as_seller: APIClient, listing: ListingFacts) -> None:
        where = f"/api/v1/listings/{listing.id}/photos/{listing.photos[0].id}"
        response = as_seller.put(where, sent(image_bytes()), format="multipart", headers={"If-Match": "*"})
        assert (response.status_code, response.json()["code"]) == (422, "listing_invalid")

    def test_of_an_unknown_one(self, as_seller: APIClient, path: str) -> None:
        response = as_seller.put(
            f"{path}/{new_id()}", sent(image_bytes()), format="multipart", headers={"If-Match": "*"}
        )
        assert (response.status_code, response.json()["code"]) == (404, "photo_not_found")


class TestDelete:
    def test_takes_its_files_away_and_closes_the_gap(
        self,
        as_seller: APIClient,
        draft: ListingFacts,
        path: str,
        storage_folder: Path,
        django_capture_on_commit_callbacks: Any,
    ) -> None:
        first, second, third = (make_photo(draft) for _ in range(3))
        with django_capture_on_commit_callbacks(execute=True):
            response = as_seller.delete(f"{path}/{second.id}", headers={"If-Match": "*"})
        assert response.status_code == 204
        left = as_seller.get(path).json()["results"]
        assert [(photo["id"], photo["position"]) for photo in left] == [(first.id, 0), (third.id, 1)]
        assert len(files_in(storage_folder)) == 2 * 4

    def test_of_the_only_one_of_a_listing_on_offer(self, as_seller: APIClient, listing: ListingFacts) -> None:
        where = f"/api/v1/listings/{listing.id}/photos/{listing.photos[0].id}"
        assert as_seller.delete(where, headers={"If-Match": "*"}).json()["code"] == "listing_invalid"
        make_photo(listing)
        assert as_seller.delete(where, headers={"If-Match": "*"}).status_code == 204

    def test_of_somebody_elses(self, as_other: APIClient, listing: ListingFacts) -> None:
        where = f"/api/v1/listings/{listing.id}/photos/{listing.photos[0].id}"
        assert as_other.delete(where, headers={"If-Match": "*"}).status_code == 404


class TestWaiting:
    def test_for_what_is_settled_does_not_wait(
        self, as_seller: APIClient, draft: ListingFacts, path: str
    ) -> None:
        make_photo(draft)
        response = as_seller.get(path, headers={"Prefer": "wait=20"})
        assert [photo["status"] for photo in response.json()["results"]] == ["ready"]
