"""What the service relies on in a storage of files: the disk and a bucket on the wire give the same."""

from __future__ import annotations

import runpy
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import Storage
from django.core.files.storage.handler import StorageHandler

SETTINGS = Path(__file__).resolve().parents[2] / "config" / "settings.py"
PHOTO = b"\xff\xd8" + bytes(range(256)) * 4000


def storages_of(monkeypatch: pytest.MonkeyPatch, **environment: str) -> StorageHandler:
    """The storages that the settings make of these variables."""
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    return StorageHandler(runpy.run_path(str(SETTINGS))["STORAGES"])


class Contract:
    @pytest.fixture
    def storages(self) -> StorageHandler:
        raise NotImplementedError

    @pytest.fixture(params=["default", "originals"])
    def storage(self, storages: StorageHandler, request: pytest.FixtureRequest) -> Storage:
        return storages[request.param]

    def test_gives_back_what_was_saved(self, storage: Storage) -> None:
        name = storage.save("ab/photo.jpg", ContentFile(PHOTO))
        with storage.open(name, "rb") as file:
            assert file.read() == PHOTO
        assert storage.exists(name)
        assert storage.size(name) == len(PHOTO)

    def test_never_overwrites(self, storage: Storage) -> None:
        first = storage.save("ab/photo.jpg", ContentFile(b"first"))
        second = storage.save("ab/photo.jpg", ContentFile(b"second"))
        assert first != second
        with storage.open(first) as file:
            assert file.read() == b"first"

    def test_deletes_and_does_not_mind_what_is_gone(self, storage: Storage) -> None:
        name = storage.save("ab/photo.jpg", ContentFile(PHOTO))
        storage.delete(name)
        storage.delete(name)
        assert not storage.exists(name)

    def test_says_that_a_file_is_missing(self, storage: Storage) -> None:
        with pytest.raises(FileNotFoundError):
            storage.open("ab/never.jpg", "rb")

    def test_lists_folders_and_files(self, storage: Storage) -> None:
        storage.save("list/a/1.jpg", ContentFile(b"1"))
        storage.save("list/2.jpg", ContentFile(b"2"))
        folders, files = storage.listdir("list")
        assert ([name.strip("/") for name in folders], files) == (["a"], ["2.jpg"])

    def test_refuses_to_leave_its_folder(self, storage: Storage) -> None:
        from django.core.exceptions import SuspiciousOperation

        with pytest.raises(SuspiciousOperation):
            storage.save("../outside.jpg", ContentFile(b"x"))

    def test_keeps_public_and_private_apart(self, storages: StorageHandler) -> None:
        name = storages["originals"].save("ab/secret.jpg", ContentFile(b"GPS"))
        assert not storages["default"].exists(name)


class TestDisk(Contract):
    @pytest.fixture
    def storages(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, settings: Any) -> StorageHandler:
        settings.MEDIA_ROOT = tmp_path / "media"
        return storages_of(monkeypatch, PRELOVED_HOME=str(tmp_path))

    def test_keeps_originals_outside_the_folder_that_is_served(
        self, storages: StorageHandler, tmp_path: Path
    ) -> None:
        name = storages["originals"].save("ab/secret.jpg", ContentFile(b"GPS"))
        assert storages["default"].url("ab/photo.jpg") == "/media/ab/photo.jpg"
        assert Path(storages["originals"].path(name)).is_relative_to(tmp_path / "originals")


class TestBucket(Contract):
    @pytest.fixture
    def bucket(self, s3_server: str) -> Iterator[Any]:
        boto3 = pytest.importorskip("boto3", reason="the server extra is not installed")
        name = f"photos-{time.monotonic_ns()}"
        service = boto3.resource(
            "s3", endpoint_url=s3_server, region_name="eu-north-1",
            aws_access_key_id="key", aws_secret_access_key="secret",
        )  # fmt: skip
        bucket = service.create_bucket(
            Bucket=name, CreateBucketConfiguration={"LocationConstraint": "eu-north-1"}
        )
        yield bucket
        bucket.objects.all().delete()
        bucket.delete()

    @pytest.fixture
    def environment(self, s3_server: str, bucket: Any, tmp_path: Path) -> dict[str, str]:
        return {
            "PRELOVED_HOME": str(tmp_path),
            "S3_BUCKET": bucket.name,
            "S3_ENDPOINT_URL": s3_server,
            "S3_REGION": "eu-north-1",
            "S3_ACCESS_KEY_ID": "key",
            "S3_SECRET_ACCESS_KEY": "secret",
        }

    @pytest.fixture
    def storages(self, monkeypatch: pytest.MonkeyPatch, environment: dict[str, str]) -> StorageHandler:
        return storages_of(monkeypatch, **environment)

    def test_lets_browsers_keep_what_is_public(self, storages: StorageHandler, bucket: Any) -> None:
        name = storages["default"].save("ab/photo.jpg", ContentFile(PHOTO))
        stored = bucket.Object(f"media/{name}")
        assert stored.content_type == "image/jpeg"
        assert "immutable" in stored.cache_control
        assert "?" not in storages["default"].url(name)

    def test_uses_the_public_domain(
        self, monkeypatch: pytest.MonkeyPatch, environment: dict[str, str]
    ) -> None:
        public = storages_of(monkeypatch, **environment, S3_PUBLIC_DOMAIN="photos.example")["default"]
        assert public.url("ab/photo.jpg") == "https://photos.example/media/ab/photo.jpg"

    def test_signs_what_is_private(self, storages: StorageHandler) -> None:
        name = storages["originals"].save("ab/secret.jpg", ContentFile(b"GPS"))
        assert "Signature" in storages["originals"].url(name)

    @pytest.mark.parametrize("call", ["save", "open", "delete", "exists", "listdir", "size"])
    def test_fails_as_a_disk_does_and_soon(
        self, monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], call: str
    ) -> None:
        nobody = environment | {"S3_ENDPOINT_URL": "http://127.0.0.1:9"}
        storage: Any = storages_of(monkeypatch, **nobody)["originals"]
        arguments = ["ab/x.jpg", ContentFile(b"x")] if call == "save" else ["ab/x.jpg"]
        started = time.monotonic()
        with pytest.raises(OSError, match="EndpointConnectionError"):
            getattr(storage, call)(*arguments)
        assert time.monotonic() - started < 10

    def test_that_refuses_is_an_os_error_too(
        self, monkeypatch: pytest.MonkeyPatch, environment: dict[str, str]
    ) -> None:
        from foundation.buckets import BucketError

        storage = storages_of(monkeypatch, **environment | {"S3_BUCKET": "no-such-bucket"})["originals"]
        with pytest.raises(BucketError):
            storage.save("ab/x.jpg", ContentFile(b"x"))
