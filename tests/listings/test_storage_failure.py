"""A disk that is full, a bucket that does not answer: try again later, and nothing half-written."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.files.storage import FileSystemStorage
from django.core.files.uploadedfile import SimpleUploadedFile
from rest_framework.test import APIClient

from listings.models import ListingPhoto
from listings.queries import ListingFacts
from tests.factories.listings import image_bytes


class TestUpload:
    def test_is_answered_503_with_when_to_retry(
        self, as_seller: APIClient, draft: ListingFacts, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def full(*_: Any, **__: Any) -> None:
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(FileSystemStorage, "_save", full)
        photo = SimpleUploadedFile("photo.jpg", image_bytes(), "image/jpeg")
        answer = as_seller.post(f"/api/v1/listings/{draft.id}/photos", {"photo": photo}, format="multipart")
        assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
        assert answer["Retry-After"] == "30"
        assert not ListingPhoto.objects.filter(listing_id=draft.id).exists()
