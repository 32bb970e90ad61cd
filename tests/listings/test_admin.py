"""The moderator's pages."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission
from django.test import Client

from listings import services
from listings.models import Listing, ListingEvent, MarketRules
from listings.queries import ListingFacts
from members.models import Member
from tests.doubles.photo_checks import RED
from tests.factories.listings import NOW, make_draft, make_listing, make_photo
from tests.factories.members import make_member

LISTINGS = "/admin/listings/listing/"
PHOTOS = "/admin/listings/listingphoto/"


@pytest.fixture
def as_moderator(catalogue: None) -> Client:
    member = make_member("Moderator", is_staff=True)
    wanted = ["view_listing", "change_listing", "view_listingphoto", "view_member"]
    member.user_permissions.set(Permission.objects.filter(codename__in=wanted))
    client = Client()
    client.force_login(member)
    return client


@pytest.fixture
def as_chief(moderator: Member) -> Client:
    client = Client()
    client.force_login(moderator)
    return client


def act(client: Client, url: str, action: str, *ids: str, **form: str) -> Any:
    confirmed = {"confirmed": "yes", **form} if form else {}
    return client.post(url, {"action": action, "_selected_action": list(ids), **confirmed}, follow=bool(form))


class TestFind:
    def test_by_id_seller_or_title(
        self, as_moderator: Client, listing: ListingFacts, other_seller: Member
    ) -> None:
        other = make_draft(other_seller.id, title="Another thing")
        for words in (listing.id, listing.seller_id, "Striped"):
            page = as_moderator.get(LISTINGS, {"q": words}).content.decode()
            assert listing.id in page
            assert other.id not in page

    def test_by_status_department_and_photos(
        self, as_moderator: Client, listing: ListingFacts, seller: Member
    ) -> None:
        waiting = make_draft(seller.id, category_id="home-chairs", size_id=None)
        make_photo(waiting, ready=False)
        for query, found, not_found in (
            ({"status": "active"}, listing, waiting),
            ({"department": "home"}, waiting, listing),
            ({"photos": "processing"}, waiting, listing),
        ):
            page = as_moderator.get(LISTINGS, query).content.decode()
            assert found.id in page
            assert not_found.id not in page

    def test_shows_photos_and_history(self, as_moderator: Client, listing: ListingFacts) -> None:
        page = as_moderator.get(f"{LISTINGS}{listing.id}/change/").content.decode()
        assert f"{listing.photos[0].stem}-320.jpg" in page
        assert "Soft cotton" in page
        assert "publish" in page
        assert f"/admin/members/member/{listing.seller_id}/change/" in page

    def test_takes_no_more_statements_for_more_listings(
        self, as_moderator: Client, seller: Member, django_assert_max_num_queries: Any
    ) -> None:
        for _ in range(4):
            make_listing(seller.id)
        as_moderator.get(LISTINGS)
        with django_assert_max_num_queries(14):
            as_moderator.get(LISTINGS)


class TestModerate:
    @pytest.mark.parametrize(
        ("action", "status"), [("suspend_listings", "hidden"), ("remove_listings", "removed")]
    )
    def test_asks_for_a_reason_then_acts_and_writes_it_down(
        self, as_moderator: Client, listing: ListingFacts, action: str, status: str
    ) -> None:
        page = act(as_moderator, LISTINGS, action, listing.id)
        assert b'name="reason"' in page.content
        assert Listing.objects.get(id=listing.id).status == "active"
        act(as_moderator, LISTINGS, action, listing.id, reason="counterfeit", note="Ticket 5")
        assert Listing.objects.get(id=listing.id).status == status
        event = ListingEvent.objects.get(listing_id=listing.id, actor="moderator")
        assert (event.reason, event.note) == ("counterfeit", "Ticket 5")
        entry = LogEntry.objects.get(object_id=listing.id)
        assert entry.user_id == event.actor_id
        assert "Ticket 5" in entry.change_message

    def test_puts_back_on_offer(self, as_moderator: Client, listing: ListingFacts, moderator: Member) -> None:
        services.suspend(listing_id=listing.id, moderator_id=moderator.id, reason="other", now=NOW)
        act(as_moderator, LISTINGS, "restore_listings", listing.id, note="Mended")
        assert Listing.objects.get(id=listing.id).status == "active"

    def test_says_what_is_not_possible(self, as_moderator: Client, listing: ListingFacts) -> None:
        page = act(as_moderator, LISTINGS, "restore_listings", listing.id, note="x")
        assert "restore is not possible while the listing is active" in page.content.decode()
        assert not LogEntry.objects.exists()

    def test_without_a_note_asks_again(self, as_moderator: Client, listing: ListingFacts) -> None:
        page = act(as_moderator, LISTINGS, "suspend_listings", listing.id, reason="nonsense", note="")
        assert b'name="reason"' in page.content
        assert Listing.objects.get(id=listing.id).status == "active"

    def test_changes_no_field_by_hand(self, as_moderator: Client, listing: ListingFacts) -> None:
        as_moderator.post(f"{LISTINGS}{listing.id}/change/", {"title": "Mine now", "status": "sold"})
        row = Listing.objects.get(id=listing.id)
        assert (row.title, row.status) == (listing.title, "active")
        assert as_moderator.get(f"{LISTINGS}add/").status_code == 403
        assert as_moderator.get(f"{LISTINGS}{listing.id}/delete/").status_code == 403


class TestPhotos:
    def test_finds_failures(self, as_moderator: Client, draft: ListingFacts) -> None:
        ready, waiting = make_photo(draft), make_photo(draft, ready=False)
        page = as_moderator.get(PHOTOS, {"status": "processing"}).content.decode()
        assert waiting.id in page
        assert ready.id not in page

    def test_rings_again_for_what_is_stuck(self, as_moderator: Client, draft: ListingFacts) -> None:
        ready, waiting = make_photo(draft), make_photo(draft, ready=False)
        page = act(as_moderator, PHOTOS, "ring_again", ready.id, waiting.id, x="y")
        assert "Rung for 1 photos" in page.content.decode()


class TestCatalogue:
    @pytest.mark.parametrize(
        "model",
        ["category", "brand", "size", "colour", "condition", "material", "cataloguerelease", "listingevent"],
    )
    def test_lists_open_and_nothing_is_added_by_hand(
        self, as_chief: Client, model: str, listing: ListingFacts
    ) -> None:
        assert as_chief.get(f"/admin/listings/{model}/").status_code == 200
        assert as_chief.get(f"/admin/listings/{model}/add/").status_code == 403

    def test_new_limits_are_new_rows(self, as_chief: Client) -> None:
        values = {
            "market": "LT",
            "valid_from_date": "2027-01-01",
            "currency": "EUR",
            "price_min_minor": "200",
            "price_max_minor": "100",
            "verified_above_minor": "300",
        }
        refused = as_chief.post("/admin/listings/marketrules/add/", values)
        assert "market_rules_limits_in_order" in refused.content.decode()
        as_chief.post("/admin/listings/marketrules/add/", values | {"price_max_minor": "999999"})
        assert MarketRules.objects.filter(market_id="LT").count() == 2


class TestFlaggedPhotos:
    @pytest.fixture
    def waiting(self, seller: Member, settings: Any) -> ListingFacts:
        settings.PHOTO_CHECK = RED
        return make_listing(seller.id, colour="red")

    def test_are_a_queue_with_scores_and_blurred_pictures(
        self, as_moderator: Client, waiting: ListingFacts, listing: ListingFacts
    ) -> None:
        page = as_moderator.get(PHOTOS, {"review": "pending"}).content.decode()
        assert waiting.photos[0].id in page
        assert listing.photos[0].id not in page
        assert ("0.91" in page, page.count("filter:blur(12px)")) == (True, 1)
        assert waiting.id in as_moderator.get(LISTINGS, {"photos": "flagged"}).content.decode()
        assert "filter:blur(12px)" in as_moderator.get(f"{LISTINGS}{waiting.id}/change/").content.decode()

    @pytest.mark.parametrize(
        ("action", "status"), [("approve_photos", "active"), ("reject_photos", "hidden")]
    )
    def test_are_ruled_on_with_a_note(
        self, as_moderator: Client, waiting: ListingFacts, action: str, status: str
    ) -> None:
        photo_id = waiting.photos[0].id
        assert "note" in act(as_moderator, PHOTOS, action, photo_id).content.decode()
        act(as_moderator, PHOTOS, action, photo_id, note="Looked at it")
        assert Listing.objects.get(id=waiting.id).status == status
        assert ListingEvent.objects.filter(listing_id=waiting.id).latest("id").note == "Looked at it"
        assert "Looked at it" in LogEntry.objects.get(object_id=photo_id).change_message
        ruling = action.split("_")[0] + ("d" if action.startswith("approve") else "ed")
        assert photo_id in as_moderator.get(PHOTOS, {"review": ruling}).content.decode()

    def test_not_by_staff_who_only_look(self, waiting: ListingFacts) -> None:
        clerk = make_member("Clerk", is_staff=True)
        clerk.user_permissions.set(Permission.objects.filter(codename="view_listingphoto"))
        client = Client()
        client.force_login(clerk)
        act(client, PHOTOS, "approve_photos", waiting.photos[0].id, note="Let me")
        assert Listing.objects.get(id=waiting.id).status == "in_review"
