"""Unsafe photos, with the real net on real files: held back, neither described nor sent away."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ai_suggestions.models import PhotoReading
from ai_suggestions.ondevice import safety
from ai_suggestions.photo_tables import PhotoCheck
from listings import queries, services
from listings.models import ListingEvent, ListingPhoto
from tests.ai_suggestions.checked_photos import (
    CHECK,
    check_all,
    demo,
    make_draft_of,
    make_listing_of,
    unsafe,
)
from tests.ai_suggestions.conftest import client_of
from tests.ai_suggestions.ondevice.drawing import flagged_blur
from tests.ai_suggestions.running import now_of, perform, request
from tests.factories.listings import NOW
from tests.factories.members import make_member

if TYPE_CHECKING:
    from pytest_django import Settings

    from members.models import Member
    from tests.doubles.scripted_provider import ScriptedProvider


@pytest.fixture(autouse=True)
def checks(settings: Settings) -> None:
    settings.PHOTO_CHECK = CHECK


def status_of(listing: queries.ListingFacts) -> tuple[str, str]:
    found = queries.get_listing(listing.id)
    return found.status, found.moderation_reason


class TestPublishAtOnce:
    def test_an_unsafe_photo_goes_to_a_person_though_nobody_asked_for_suggestions(
        self, seller: Member
    ) -> None:
        listing = make_listing_of(seller.id, demo("camera"), unsafe())
        assert status_of(listing) == ("in_review", "unsafe_photo")
        scores = list(ListingPhoto.objects.order_by("position").values_list("flag_score", flat=True))
        assert scores[0] is None
        assert scores[1] is not None
        assert scores[1] >= safety.REVIEW_FROM

    def test_other_photos_do_not_hold_up_anybody(self, seller: Member) -> None:
        listing = make_listing_of(seller.id, demo("camera"))
        assert status_of(listing) == ("active", "")
        readings = PhotoReading.objects.filter(step="safety", sha256=listing.photos[0].sha256)
        assert readings.get().reading["unsafe"] < 0.2

    def test_the_photo_that_the_tests_use_shows_nothing_and_scores_high(self) -> None:
        assert safety.read(flagged_blur()).needs_review


class TestSweep:
    def test_what_went_on_offer_unchecked_is_taken_to_review(
        self, seller: Member, settings: Settings
    ) -> None:
        settings.PHOTO_CHECK = ""
        listing = make_listing_of(seller.id, demo("camera"), unsafe())
        assert listing.status == "active"
        settings.PHOTO_CHECK = CHECK
        assert check_all() == ["checked", "checked"]
        assert status_of(listing) == ("in_review", "unsafe_photo")
        event = ListingEvent.objects.filter(listing_id=listing.id).latest("id")
        assert (event.verb, event.actor) == ("flag", "check")
        assert PhotoCheck.objects.filter(unsafe__gte=safety.REVIEW_FROM).count() == 1

    def test_what_a_moderator_approved_stays_on_offer(self, seller: Member) -> None:
        listing = make_listing_of(seller.id, unsafe())
        services.approve_photo(photo_id=listing.photos[0].id, moderator_id=make_member("Rūta").id, now=NOW)
        check_all()
        assert status_of(listing) == ("active", "")


class TestRun:
    def test_unsafe_photos_are_not_given_to_the_provider(
        self, seller: Member, scripted: ScriptedProvider
    ) -> None:
        draft = make_draft_of(seller.id, unsafe(), demo("camera"))
        run = request(seller, draft)
        assert perform(run).outcome == "succeeded"
        assert [photo.id for photo in scripted.seen[0].photos] == [draft.photos[1].id]
        steps = [(step.name, step.outcome) for step in now_of(run).steps]
        assert steps[:2] == [("safety", "ok"), ("duplicates", "abstained")]
        body = client_of(seller).get(f"/api/v1/suggestion-runs/{run.id}").json()
        found = [(finding["photo_id"], finding["code"]) for finding in body["photo_findings"]]
        assert found == [(draft.photos[0].id, "unsafe_photo")]

    def test_without_a_safe_photo_every_field_says_why_there_is_nothing(
        self, seller: Member, scripted: ScriptedProvider
    ) -> None:
        run = request(seller, make_draft_of(seller.id, unsafe()))
        assert perform(run).outcome == "succeeded"
        assert scripted.seen == []
        fields = now_of(run).fields
        assert {(field.state, field.note) for field in fields} == {("abstained", "photo_needs_review")}
        assert {"title", "description"} <= {field.field for field in fields}

    def test_a_run_flags_what_nobody_had_looked_at(
        self, seller: Member, scripted: ScriptedProvider, settings: Settings
    ) -> None:
        settings.PHOTO_CHECK = ""
        listing = make_listing_of(seller.id, unsafe())
        settings.PHOTO_CHECK = CHECK
        perform(request(seller, listing))
        assert status_of(listing) == ("in_review", "unsafe_photo")

    @pytest.mark.parametrize(("verb", "looks"), [("approve_photo", 1), ("reject_photo", 0)])
    def test_a_moderators_word_counts_for_more_than_the_net(
        self, seller: Member, scripted: ScriptedProvider, verb: str, looks: int
    ) -> None:
        draft = make_draft_of(seller.id, unsafe())
        rule = getattr(services, verb)
        rule(photo_id=draft.photos[0].id, moderator_id=make_member("Rūta").id, now=NOW)
        perform(request(seller, draft))
        assert len(scripted.seen) == looks

    def test_without_the_net_nothing_is_looked_at(
        self, seller: Member, scripted: ScriptedProvider, monkeypatch: pytest.MonkeyPatch, settings: Settings
    ) -> None:
        settings.PHOTO_CHECK = ""
        draft = make_draft_of(seller.id, demo("camera"))
        settings.PHOTO_CHECK = CHECK
        monkeypatch.setattr(safety, "WEIGHTS", safety.WEIGHTS.with_name("none.onnx"))
        run = request(seller, draft)
        assert perform(run).outcome == "partial"
        details = now_of(run)
        assert (details.steps[0].name, details.steps[0].error_code) == ("safety", "safety_model_missing")
        assert {field.note for field in details.fields} == {"photo_not_checked"}
        assert scripted.seen == []

    def test_switched_off_a_run_has_the_providers_steps_only(
        self, seller: Member, scripted: ScriptedProvider, settings: Settings
    ) -> None:
        settings.PHOTO_CHECK = ""
        run = request(seller, make_draft_of(seller.id, unsafe()))
        perform(run)
        assert "safety" not in {step.name for step in now_of(run).steps}
