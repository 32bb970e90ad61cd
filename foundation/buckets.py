"""Photos in an S3-compatible bucket that fails as a disk does: with OSError, and soon."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from django.core.files.base import ContentFile, File
from storages.backends.s3 import S3Storage

# The library's own waits are a minute to connect and a minute to read, five times; a client waits meanwhile.
CLIENT = Config(connect_timeout=3, read_timeout=15, retries={"total_max_attempts": 2, "mode": "standard"})


class BucketError(OSError):
    """The bucket did not answer, or refused."""


@contextmanager
def _as_os_error() -> Iterator[None]:
    try:
        yield
    except (BotoCoreError, ClientError) as error:
        raise BucketError(type(error).__name__) from error


class BucketStorage(S3Storage):  # type: ignore[misc]  # django-storages has no types
    """S3Storage with bounded waits whose failures are OSErrors; a missing object is FileNotFoundError."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"client_config": CLIENT} | options)

    def _open(self, name: str, mode: str = "rb") -> File[bytes]:
        # Read here: the library would read later, where nobody expects the bucket to fail.
        with _as_os_error(), super()._open(name, mode) as file:
            return ContentFile(file.read(), name)

    def _save(self, name: str, content: File[bytes]) -> str:
        with _as_os_error():
            return str(super()._save(name, content))

    def delete(self, name: str) -> None:
        with _as_os_error():
            super().delete(name)

    def exists(self, name: str) -> bool:
        with _as_os_error():
            return bool(super().exists(name))

    def listdir(self, name: str) -> tuple[list[str], list[str]]:
        with _as_os_error():
            folders, files = super().listdir(name)
            return folders, files

    def size(self, name: str) -> int:
        with _as_os_error():
            return int(super().size(name))
