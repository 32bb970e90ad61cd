"""Photos that a check flags: nobody but the seller sees them until a moderator has looked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from prometheus_client import REGISTRY
from rest_framework.test import APIClient

from listings import queries, services
from listings.errors import InvalidListing, PhotoNotFlagged, PhotoNotFound
from listings.models import Listing, ListingEvent, ListingPhoto
from listings.services import Flag
from tests.doubles.photo_checks import BROKEN, RED
from tests.factories.listings import NOW, image_bytes, make_draft, make_listing, make_photo

if TYPE_CHECKING:
    from pytest_django import Settings

    from listings.queries import ListingFacts, PhotoFacts
    from members.models import Member

UNSAFE = Flag("unsafe_photo", 0.93)


@pytest.fixture(autouse=True)
def check(settings: Settings) -> None:
    settings.PHOTO_CHECK = RED


@pytest.fixture
def flagged(seller: Member) -> ListingFacts:
    """A complete draft whose second photo the check flagged."""
    draft = make_draft(seller.id)
    make_photo(draft)
    make_photo(draft, colour="red")
    return queries.get_listing(draft.id)


def publish(listing: ListingFacts) -> ListingFacts:
    return services.publish(seller_id=listing.seller_id, listing_id=listing.id, now=NOW)


def flag(photo: PhotoFacts, **facts: Any) -> bool:
    values: dict[str, Any] = {"photo_id": photo.id, "sha256": photo.sha256, "flag": UNSAFE, "now": NOW}
    return services.flag_photo(**(values | facts))


def rule(verb: Any, photo: PhotoFacts, moderator: Member) -> None:
    verb(photo_id=photo.id, moderator_id=moderator.id, note="looked at it", now=NOW)


def now_of(listing: ListingFacts) -> ListingFacts:
    return queries.get_listing(listing.id)


def last_event(listing: ListingFacts) -> tuple[str, str, str, str, str]:
    row = ListingEvent.objects.filter(listing_id=listing.id).latest("id")
    return row.verb, row.source, row.target, row.actor, row.reason


def seen_by(viewer: Member | None, listing: ListingFacts) -> Any:
    client = APIClient()
    if viewer is not None:
        client.force_authenticate(viewer)
    return client.get(f"/api/v1/listings/{listing.id}")


class TestPublish:
    def test_goes_to_review_and_says_why(self, flagged: ListingFacts, seller: Member) -> None:
        assert publish(flagged).status == "in_review"
        assert last_event(flagged) == ("submit", "draft", "in_review", "seller", "unsafe_photo")
        seen = seen_by(seller, flagged).json()
        assert (seen["status"], seen["moderation_reason"]) == ("in_review", "unsafe_photo")
        assert [(photo["review"], photo["review_reason"]) for photo in seen["photos"]] == [
            (None, None),
            ("pending", "unsafe_photo"),
        ]
        assert "submit" not in seen["allowed_actions"]

    def test_nobody_else_sees_it_meanwhile(self, flagged: ListingFacts, other_seller: Member) -> None:
        publish(flagged)
        assert [seen_by(viewer, flagged).status_code for viewer in (None, other_seller)] == [404, 404]
        page = APIClient().get("/api/v1/listings").json()
        assert [card["id"] for card in page["results"]] == []

    def test_a_draft_stays_one_until_it_is_published(self, flagged: ListingFacts) -> None:
        assert now_of(flagged).status == "draft"

    def test_unhide_goes_to_review_too(self, seller: Member) -> None:
        listing = make_listing(seller.id)
        services.hide(seller_id=seller.id, listing_id=listing.id, now=NOW)
        assert flag(listing.photos[0])
        found = services.unhide(seller_id=seller.id, listing_id=listing.id, now=NOW)
        assert (found.status, found.hidden_by) == ("in_review", "")
        assert last_event(listing) == ("submit", "hidden", "in_review", "seller", "unsafe_photo")

    def test_a_broken_check_holds_up_nobody_and_is_counted(self, seller: Member, settings: Settings) -> None:
        def failed() -> float:
            labels = {"outcome": "failed"}
            return REGISTRY.get_sample_value("preloved_listings_photo_checks_total", labels) or 0.0

        settings.PHOTO_CHECK = BROKEN
        before = failed()
        assert make_listing(seller.id).status == "active"
        assert failed() == before + 1


class TestFlag:
    @pytest.mark.parametrize("status", ["active", "reserved"])
    def test_takes_what_is_on_offer_to_review(self, seller: Member, status: str) -> None:
        listing = make_listing(seller.id)
        if status == "reserved":
            services.reserve(seller_id=seller.id, listing_id=listing.id, now=NOW)
        assert flag(listing.photos[0])
        assert last_event(listing) == ("flag", status, "in_review", "check", "unsafe_photo")
        assert now_of(listing).due_at is None

    def test_is_told_once_whatever_a_moderator_said(self, seller: Member, moderator: Member) -> None:
        listing = make_listing(seller.id)
        assert flag(listing.photos[0])
        assert not flag(listing.photos[0])
        rule(services.approve_photo, listing.photos[0], moderator)
        assert not flag(listing.photos[0])
        assert now_of(listing).status == "active"

    def test_leaves_alone_what_was_replaced_or_removed(self, seller: Member) -> None:
        listing = make_listing(seller.id, photos=2)
        assert not flag(listing.photos[0], sha256="0" * 64)
        services.remove_photo(
            seller_id=seller.id, listing_id=listing.id, photo_id=listing.photos[1].id, now=NOW
        )
        assert not flag(listing.photos[1])
        assert now_of(listing).status == "active"

    def test_needs_a_known_reason(self, seller: Member) -> None:
        with pytest.raises(InvalidListing):
            flag(make_listing(seller.id).photos[0], flag=Flag("ugly", 1.0))

    def test_a_photo_put_in_anothers_place_is_looked_at_before_it_is_shown(
        self, seller: Member, other_seller: Member
    ) -> None:
        listing = make_listing(seller.id, photos=2)
        services.replace_photo(
            seller_id=seller.id,
            listing_id=listing.id,
            photo_id=listing.photos[0].id,
            content=image_bytes(colour="red"),
            declared_type="image/jpeg",
            file_name="photo.jpg",
            now=NOW,
        )
        services.process_photo(photo_id=listing.photos[0].id, now=NOW)
        assert now_of(listing).status == "in_review"
        assert seen_by(other_seller, listing).status_code == 404

    def test_a_sold_listing_stays_sold_without_the_photo(self, seller: Member, other_seller: Member) -> None:
        listing = make_listing(seller.id, photos=2)
        Listing.objects.filter(id=listing.id).update(status="sold")
        assert flag(listing.photos[0])
        assert now_of(listing).status == "sold"
        shown = seen_by(other_seller, listing).json()["photos"]
        assert [photo["id"] for photo in shown] == [listing.photos[1].id]
        assert queries.covers_of([listing.id])[listing.id].id == listing.photos[1].id


class TestApprove:
    def test_puts_on_offer_what_waited_for_nothing_else(
        self, flagged: ListingFacts, moderator: Member, other_seller: Member
    ) -> None:
        publish(flagged)
        rule(services.approve_photo, flagged.photos[1], moderator)
        assert last_event(flagged) == ("restore", "in_review", "active", "moderator", "restored")
        seen = seen_by(other_seller, flagged).json()
        assert [photo["review"] for photo in seen["photos"]] == [None, None]
        assert now_of(flagged).moderation_reason == ""

    def test_waits_for_the_other_flagged_photos(self, flagged: ListingFacts, moderator: Member) -> None:
        make_photo(flagged, colour="red")
        publish(flagged)
        rule(services.approve_photo, flagged.photos[1], moderator)
        assert now_of(flagged).status == "in_review"

    def test_leaves_what_is_in_review_for_another_reason(self, seller: Member, moderator: Member) -> None:
        listing = make_listing(seller.id)
        services.suspend(listing_id=listing.id, moderator_id=moderator.id, reason="misleading", now=NOW)
        publish(listing)
        assert flag(listing.photos[0])
        rule(services.approve_photo, listing.photos[0], moderator)
        found = now_of(listing)
        assert (found.status, found.moderation_reason) == ("in_review", "misleading")

    def test_only_once_and_only_what_is_flagged(self, flagged: ListingFacts, moderator: Member) -> None:
        rule(services.approve_photo, flagged.photos[1], moderator)
        for photo in flagged.photos:
            with pytest.raises(PhotoNotFlagged) as error:
                rule(services.reject_photo, photo, moderator)
            assert error.value.code == "photo_not_flagged"
        services.remove_photo(
            seller_id=flagged.seller_id, listing_id=flagged.id, photo_id=flagged.photos[1].id, now=NOW
        )
        with pytest.raises(PhotoNotFound):
            rule(services.approve_photo, flagged.photos[1], moderator)


class TestReject:
    def test_hides_the_listing_until_the_photo_is_replaced(
        self, flagged: ListingFacts, seller: Member, moderator: Member
    ) -> None:
        publish(flagged)
        rule(services.reject_photo, flagged.photos[1], moderator)
        seen = seen_by(seller, flagged).json()
        assert (seen["status"], seen["hidden_by"], seen["moderation_reason"]) == (
            "hidden",
            "moderation",
            "unsafe_photo",
        )
        rejected = seen["photos"][1]
        assert (rejected["review"], rejected["renditions"]) == ("rejected", {})
        with pytest.raises(InvalidListing) as refused:
            publish(flagged)
        assert [(problem.pointer, problem.code) for problem in refused.value.errors] == [
            ("/photos/1", "photo_rejected")
        ]
        services.remove_photo(
            seller_id=seller.id, listing_id=flagged.id, photo_id=flagged.photos[1].id, now=NOW
        )
        assert publish(flagged).status == "in_review"

    def test_deletes_the_public_files(self, flagged: ListingFacts, moderator: Member) -> None:
        rule(services.reject_photo, flagged.photos[1], moderator)
        assert services.withdraw_photos(now=NOW) == 1
        assert now_of(flagged).status == "draft"

    def test_another_picture_in_its_place_starts_anew(self, flagged: ListingFacts, moderator: Member) -> None:
        rule(services.reject_photo, flagged.photos[1], moderator)
        services.replace_photo(
            seller_id=flagged.seller_id,
            listing_id=flagged.id,
            photo_id=flagged.photos[1].id,
            content=image_bytes(),
            declared_type="image/jpeg",
            file_name="photo.jpg",
            now=NOW,
        )
        services.process_photo(photo_id=flagged.photos[1].id, now=NOW)
        row = ListingPhoto.objects.get(id=flagged.photos[1].id)
        assert (row.flag, row.flag_score, row.flagged_at, row.ruling) == ("", None, None, "")
        assert publish(flagged).status == "active"
