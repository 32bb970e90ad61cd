"""What the database itself refuses of checked photos, each by its name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from django.db import IntegrityError, OperationalError, transaction

from ai_suggestions.photo_tables import PhotoCheck, PhotoKey, PhotoTwin
from tests.factories.listings import NOW

if TYPE_CHECKING:
    from listings.queries import ListingFacts

FIRST, SECOND = "01" + "A" * 24, "01" + "B" * 24


def refused(name: str) -> pytest.RaisesExc[Any]:
    # MariaDB reports a failed CHECK as an operational error.
    return pytest.raises((IntegrityError, OperationalError), match=name)


def make_check(draft: ListingFacts, **facts: Any) -> PhotoCheck:
    values: dict[str, Any] = {
        "photo_id": FIRST,
        "listing_id": draft.id,
        "seller_id": draft.seller_id,
        "sha256": "0" * 64,
        "ready_at": NOW,
        "due_at": NOW,
    }
    return PhotoCheck.objects.create(**(values | facts))


def make_twin(draft: ListingFacts, **facts: Any) -> PhotoTwin:
    values: dict[str, Any] = {
        "photo_id": SECOND,
        "listing_id": draft.id,
        "other_photo_id": FIRST,
        "other_listing_id": draft.id,
        "scope": "same_listing",
        "similarity": 0.99,
        "distance": 2,
        "found_at": NOW,
    }
    return PhotoTwin.objects.create(**(values | facts))


class TestPhotoCheck:
    @pytest.mark.parametrize(
        ("name", "facts"),
        [
            ("photo_check_due_until_checked", {"due_at": None}),
            ("photo_check_due_until_checked", {"checked_at": NOW}),
            ("photo_check_unsafe_is_share", {"unsafe": 1.5}),
            ("photo_check_unsafe_is_share", {"unsafe": -0.1}),
        ],
    )
    def test_check(self, draft: ListingFacts, name: str, facts: dict[str, Any]) -> None:
        with refused(name), transaction.atomic():
            make_check(draft, **facts)

    def test_one_for_each_photo(self, draft: ListingFacts) -> None:
        make_check(draft)
        with pytest.raises(IntegrityError), transaction.atomic():
            make_check(draft)


class TestPhotoKey:
    def test_photo_key_once(self, draft: ListingFacts) -> None:
        check = make_check(draft)
        PhotoKey.objects.create(check_of=check, key=7)
        with pytest.raises(IntegrityError), transaction.atomic():
            PhotoKey.objects.create(check_of=check, key=7)


class TestPhotoTwin:
    def test_photo_twin_once(self, draft: ListingFacts) -> None:
        make_twin(draft)
        with pytest.raises(IntegrityError), transaction.atomic():
            make_twin(draft)

    @pytest.mark.parametrize(
        ("name", "facts"),
        [
            ("photo_twin_is_another", {"photo_id": FIRST}),
            ("photo_twin_known_scope", {"scope": "same_street"}),
            ("photo_twin_ruled_has_time", {"ruling": "upheld"}),
            ("photo_twin_ruled_has_time", {"ruled_at": NOW}),
            ("photo_twin_ruled_has_time", {"ruling": "liked", "ruled_at": NOW}),
        ],
    )
    def test_check(self, draft: ListingFacts, name: str, facts: dict[str, Any]) -> None:
        with refused(name), transaction.atomic():
            make_twin(draft, **facts)
