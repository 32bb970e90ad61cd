"""Doorbells of listings: each makes one service call, and is rung by name."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from celery import current_app
from django.utils import timezone

from listings import services, tasks
from listings.models import Listing, ListingPhoto
from listings.queries import ListingFacts
from listings.services.ringing import PROCESS_PHOTO
from members.models import Member
from tests.factories.listings import make_photo


def test_the_name_that_services_ring_is_that_of_the_task() -> None:
    assert tasks.process_photo.name == PROCESS_PHOTO


def test_every_task_of_the_schedule_exists(settings: Any) -> None:
    wanted = {entry["task"] for entry in settings.CELERY_BEAT_SCHEDULE.values()}
    current_app.loader.import_default_modules()
    ours = {name for name in wanted if name.startswith("listings.")}
    assert ours == {
        "listings.tasks.sweep_photos",
        "listings.tasks.sweep_deadlines",
        "listings.tasks.remove_orphans",
    }
    assert ours <= set(current_app.tasks)


class TestRinging:
    def test_processes_a_photo(self, draft: ListingFacts) -> None:
        photo = make_photo(draft, ready=False)
        tasks.process_photo(photo.id)
        assert ListingPhoto.objects.get(id=photo.id).status == "ready"

    def test_of_a_photo_that_is_gone_does_nothing(self, draft: ListingFacts) -> None:
        tasks.process_photo(draft.id)

    def test_that_no_broker_hears_harms_nobody(
        self, draft: ListingFacts, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        from kombu.exceptions import OperationalError

        from listings.services.ringing import ring

        def away(*args: Any, **kwargs: Any) -> None:
            raise OperationalError("the broker is away")

        monkeypatch.setattr(current_app, "send_task", away)
        ring(draft.id)


class TestSweeps:
    def test_ring_again_and_take_away(self, listing: ListingFacts, moderator: Member) -> None:
        make_photo(listing, ready=False)
        services.remove(listing_id=listing.id, moderator_id=moderator.id, reason="other", now=timezone.now())
        ListingPhoto.objects.filter(status="processing").update(ring_at=timezone.now())
        tasks.sweep_photos()
        assert not ListingPhoto.objects.filter(ring_at__lte=timezone.now()).exists()
        assert ListingPhoto.objects.get(status="ready").withdraw_at is None

    def test_act_on_deadlines(self, listing: ListingFacts, seller: Member) -> None:
        services.reserve(
            seller_id=seller.id, listing_id=listing.id, now=timezone.now() - dt.timedelta(days=6)
        )
        tasks.sweep_deadlines()
        assert Listing.objects.get(id=listing.id).status == "active"

    def test_remove_orphans(self, db: None) -> None:
        tasks.remove_orphans()
