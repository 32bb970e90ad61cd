"""/listings/{id} and its verbs over HTTP."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from foundation.ids import new_id
from listings import services
from listings.models import Listing, ListingEvent
from listings.queries import ListingFacts
from members.models import Member
from members.services import restrict
from tests.factories.listings import make_draft, make_listing, make_photo

LISTINGS = "/api/v1/listings"
BODY = {
    "title": "  Striped\u0301 summer T-shirt ",
    "description": "Soft cotton.\r\nWorn twice.",
    "category": "women-t-shirts",
    "brand": "esprit",
    "size": "women-clothing-m",
    "condition": "good",
    "colours": ["navy", "white"],
    "materials": ["cotton"],
    "price": {"amount": 1250, "currency": "EUR"},
    "parcel_size": "small",
}


def pointers(response: Any) -> dict[str, str]:
    return {problem["pointer"]: problem["code"] for problem in response.json()["errors"]}


class TestStartADraft:
    def test_with_nothing_at_all(self, as_seller: APIClient, seller: Member) -> None:
        response = as_seller.post(LISTINGS, {})
        body = response.json()
        assert response.status_code == 201
        assert (body["status"], body["seller"], body["currency"]) == ("draft", seller.id, "EUR")
        assert body["allowed_actions"] == ["publish", "delete", "edit", "duplicate"]
        assert body["photos"] == body["colours"] == body["materials"] == []
        assert body["price"] is body["category"] is body["published_at"] is None
        assert response["Location"].endswith(f"{LISTINGS}/{body['id']}")
        read = as_seller.get(response["Location"])
        assert read.json() == body
        assert read["ETag"] == response["ETag"]

    def test_with_everything(self, as_seller: APIClient) -> None:
        body = as_seller.post(LISTINGS, BODY).json()
        assert body["title"] == "Stripeḋ summer T-shirt".replace("ḋ", "d\u0301")
        assert body["description"] == "Soft cotton.\nWorn twice."
        kept = ("category", "brand", "size", "condition", "colours", "materials", "price", "parcel_size")
        assert {name: body[name] for name in kept} == {name: BODY[name] for name in kept}
        assert as_seller.get(f"{LISTINGS}/{body['id']}").json() == body

    def test_in_the_currency_of_the_sellers_market(self, as_seller: APIClient) -> None:
        response = as_seller.post(LISTINGS, {"price": {"amount": 1250, "currency": "PLN"}})
        assert response.status_code == 422
        assert response.json()["code"] == "listing_invalid"
        assert pointers(response) == {"/price/currency": "wrong_currency"}

    def test_names_every_wrong_value_at_once(self, as_seller: APIClient) -> None:
        response = as_seller.post(
            LISTINGS,
            {
                "title": "x" * 101,
                "category": "women-tshirts",
                "brand": "nobody",
                "size": "huge",
                "condition": "new",
                "colours": ["navy", "octarine", "red"],
                "materials": ["cotton", "cotton"],
                "price": {"amount": 1, "currency": "EUR"},
            },
        )
        assert response.status_code == 422
        assert pointers(response) == {
            "/title": "too_long",
            "/category": "unknown_category",
            "/brand": "unknown_brand",
            "/size": "unknown_size",
            "/condition": "unknown_condition",
            "/colours/1": "unknown_colour",
            "/colours": "too_many_colours",
            "/materials/1": "material_twice",
            "/price": "price_too_low",
        }
        assert not Listing.objects.exists()

    @pytest.mark.parametrize(
        ("body", "pointer", "code"),
        [
            ({"titel": "x"}, "/titel", "unknown_field"),
            ({"photos": []}, "/photos", "unknown_field"),
            ({"status": "active"}, "/status", "unknown_field"),
            ({"title": 5}, "/title", "invalid"),
            ({"title": None}, "/title", "null"),
            ({"colours": "navy"}, "/colours", "not_a_list"),
            ({"price": 12.5}, "/price", "invalid"),
            ({"price": {"amount": 12.5, "currency": "EUR"}}, "/price/amount", "invalid"),
            ({"price": {"amount": 1250}}, "/price/currency", "required"),
            ({"price": {"amount": 1250, "currency": "XXX"}}, "/price/currency", "invalid_choice"),
            ({"parcel_size": "huge"}, "/parcel_size", "invalid_choice"),
            ([], "", "invalid"),
        ],
    )
    def test_of_another_shape_is_malformed(
        self, as_seller: APIClient, body: Any, pointer: str, code: str
    ) -> None:
        response = as_seller.post(LISTINGS, body)
        assert response.status_code == 400
        assert response["Content-Type"] == "application/problem+json"
        assert pointers(response) == {pointer: code}
        assert not Listing.objects.exists()

    @pytest.mark.parametrize("body", [b'{"title": "\xff"}', b'{"title": "\\ud800"}', b"{", b'{"title": NaN}'])
    def test_of_invalid_json_is_malformed(self, as_seller: APIClient, body: bytes) -> None:
        response = as_seller.generic("POST", LISTINGS, body, content_type="application/json")  # type: ignore[arg-type]  # bytes are what is sent
        assert response.status_code == 400
        assert response.json()["code"] == "malformed_request"

    def test_needs_a_token(self, stranger: APIClient) -> None:
        response = stranger.post(LISTINGS, {})
        assert (response.status_code, response.json()["code"]) == (401, "authentication_required")

    def test_of_too_many_is_refused(
        self, as_seller: APIClient, monkeypatch: pytest.MonkeyPatch, draft: ListingFacts
    ) -> None:
        monkeypatch.setattr("listings.services.drafting.MAX_DRAFTS", 1)
        response = as_seller.post(LISTINGS, {})
        assert (response.status_code, response.json()["code"]) == (409, "too_many_drafts")

    def test_sent_twice_with_one_key_is_one_draft(self, as_seller: APIClient) -> None:
        first = as_seller.post(LISTINGS, BODY, headers={"Idempotency-Key": "k"})
        again = as_seller.post(LISTINGS, BODY, headers={"Idempotency-Key": "k"})
        assert first.json() == again.json()
        assert Listing.objects.count() == 1


class TestLook:
    def test_at_a_listing_on_offer_is_for_everybody(
        self, listing: ListingFacts, stranger: APIClient, as_seller: APIClient
    ) -> None:
        own, public = (client.get(f"{LISTINGS}/{listing.id}") for client in (as_seller, stranger))
        assert public.status_code == 200
        assert public.json()["allowed_actions"] == []
        assert public.json()["photos"][0]["renditions"]["320"].startswith("http://testserver/media/photos/")
        assert own["ETag"] != public["ETag"]
        assert own.json()["allowed_actions"] == ["hide", "reserve", "delete", "edit", "duplicate"]

    def test_at_what_is_not_public_is_not_found(self, draft: ListingFacts, as_other: APIClient) -> None:
        for listing_id in (draft.id, new_id()):
            response = as_other.get(f"{LISTINGS}/{listing_id}")
            assert (response.status_code, response.json()["code"]) == (404, "listing_not_found")

    def test_again_is_not_modified(self, listing: ListingFacts, stranger: APIClient) -> None:
        etag = stranger.get(f"{LISTINGS}/{listing.id}")["ETag"]
        response = stranger.get(f"{LISTINGS}/{listing.id}", headers={"If-None-Match": etag})
        assert (response.status_code, response.content) == (304, b"")

    def test_others_see_ready_photos_only(
        self, listing: ListingFacts, stranger: APIClient, as_seller: APIClient
    ) -> None:
        make_photo(listing, ready=False)
        path = f"{LISTINGS}/{listing.id}"
        assert [photo["status"] for photo in as_seller.get(path).json()["photos"]] == ["ready", "processing"]
        assert [photo["status"] for photo in stranger.get(path).json()["photos"]] == ["ready"]

    def test_with_a_parameter_that_is_not_known(self, listing: ListingFacts, stranger: APIClient) -> None:
        response = stranger.get(f"{LISTINGS}/{listing.id}?include=seller")
        assert (response.status_code, response.json()["code"]) == (400, "invalid_request")


class TestChange:
    @pytest.fixture
    def path(self, draft: ListingFacts) -> str:
        return f"{LISTINGS}/{draft.id}"

    def test_of_some_fields(self, as_seller: APIClient, path: str) -> None:
        before = as_seller.get(path)
        response = as_seller.patch(
            path,
            {"title": "A blue shirt", "colours": [], "brand": None},
            headers={"If-Match": before["ETag"]},
        )
        assert response.status_code == 200
        assert response["ETag"] != before["ETag"]
        changed: dict[str, Any] = {"title": "A blue shirt", "colours": [], "brand": None}
        body = response.json()
        assert body == before.json() | changed | {"updated_at": body["updated_at"]}
        assert as_seller.get(path).json() == body

    def test_of_nothing_leaves_the_version(self, as_seller: APIClient, path: str) -> None:
        etag = as_seller.get(path)["ETag"]
        assert as_seller.patch(path, {}, headers={"If-Match": etag})["ETag"] == etag

    def test_without_if_match(self, as_seller: APIClient, path: str) -> None:
        response = as_seller.patch(path, {"title": "A blue shirt"})
        assert (response.status_code, response.json()["code"]) == (428, "if_match_required")

    def test_of_an_older_version(self, as_seller: APIClient, path: str) -> None:
        etag = as_seller.get(path)["ETag"]
        as_seller.patch(path, {"title": "A blue shirt"}, headers={"If-Match": etag})
        response = as_seller.patch(path, {"title": "A red shirt"}, headers={"If-Match": etag})
        assert (response.status_code, response.json()["code"]) == (412, "stale_etag")
        assert as_seller.get(path).json()["title"] == "A blue shirt"

    def test_of_somebody_elses(self, as_other: APIClient, path: str, listing: ListingFacts) -> None:
        for where in (path, f"{LISTINGS}/{listing.id}"):
            response = as_other.patch(where, {"title": "Mine"}, headers={"If-Match": "*"})
            assert (response.status_code, response.json()["code"]) == (404, "listing_not_found")

    def test_of_a_listing_on_offer_keeps_every_rule(
        self, as_seller: APIClient, listing: ListingFacts
    ) -> None:
        path = f"{LISTINGS}/{listing.id}"
        response = as_seller.patch(path, {"title": "", "size": None}, headers={"If-Match": "*"})
        assert response.status_code == 422
        assert pointers(response) == {"/title": "required", "/size": "required"}
        better = as_seller.patch(path, {"title": "A better title"}, headers={"If-Match": "*"})
        assert (better.status_code, better.json()["status"]) == (200, "active")

    def test_of_a_removed_one(self, as_seller: APIClient, listing: ListingFacts, moderator: Member) -> None:
        services.remove(
            listing_id=listing.id, moderator_id=moderator.id, reason="counterfeit", now=timezone.now()
        )
        path = f"{LISTINGS}/{listing.id}"
        response = as_seller.patch(path, {"title": "A better title"}, headers={"If-Match": "*"})
        assert (response.status_code, response.json()["code"]) == (409, "listing_status_conflict")

    def test_of_the_photos_order(self, as_seller: APIClient, draft: ListingFacts, path: str) -> None:
        first, second, third = (make_photo(draft).id for _ in range(3))
        order = [third, first, second]
        response = as_seller.patch(path, {"photos": order}, headers={"If-Match": "*"})
        assert [photo["id"] for photo in response.json()["photos"]] == order
        assert [photo["id"] for photo in as_seller.get(path).json()["photos"]] == order
        for wrong in ([first], [first, second, second], [*order, new_id()]):
            refused = as_seller.patch(path, {"photos": wrong}, headers={"If-Match": "*"})
            assert refused.status_code == 422
            assert pointers(refused) == {"/photos": "not_all_photos"}


class TestPublish:
    def test_puts_it_on_offer(self, as_seller: APIClient, draft: ListingFacts, stranger: APIClient) -> None:
        make_photo(draft)
        response = as_seller.post(f"{LISTINGS}/{draft.id}/publish")
        assert response.status_code == 200
        assert response.json()["status"] == "active"
        assert response.json()["published_at"] is not None
        assert stranger.get(f"{LISTINGS}/{draft.id}").status_code == 200

    def test_names_everything_that_is_missing(self, as_seller: APIClient, seller: Member) -> None:
        draft = make_draft(seller.id, complete=False)
        response = as_seller.post(f"{LISTINGS}/{draft.id}/publish")
        assert (response.status_code, response.json()["code"]) == (422, "listing_invalid")
        required = ("photos", "title", "description", "category", "condition", "price", "parcel_size")
        assert pointers(response) == {f"/{name}": "required" for name in required}

    def test_waits_for_every_photo(self, as_seller: APIClient, draft: ListingFacts) -> None:
        make_photo(draft)
        make_photo(draft, ready=False)
        response = as_seller.post(f"{LISTINGS}/{draft.id}/publish")
        assert pointers(response) == {"/photos/1": "photo_processing"}

    def test_takes_no_body(self, as_seller: APIClient, draft: ListingFacts) -> None:
        assert as_seller.post(f"{LISTINGS}/{draft.id}/publish", {"now": True}).status_code == 400

    def test_of_somebody_elses(self, as_other: APIClient, draft: ListingFacts) -> None:
        assert as_other.post(f"{LISTINGS}/{draft.id}/publish").status_code == 404

    def test_by_a_member_who_may_not_sell(
        self, as_seller: APIClient, draft: ListingFacts, seller: Member
    ) -> None:
        make_photo(draft)
        restrict(
            member_id=seller.id,
            capability="sell",
            reason="tax_details_missing",
            source="dac7:2026",
            now=timezone.now(),
        )
        response = as_seller.post(f"{LISTINGS}/{draft.id}/publish")
        assert (response.status_code, response.json()["code"]) == (403, "member_restricted")
        assert response.json()["reason"] == "tax_details_missing"

    def test_twice_is_a_conflict(self, as_seller: APIClient, listing: ListingFacts) -> None:
        response = as_seller.post(f"{LISTINGS}/{listing.id}/publish")
        assert (response.status_code, response.json()["code"]) == (409, "listing_status_conflict")
        assert "hide" in response.json()["allowed_actions"]


class TestOtherVerbs:
    def test_hide_and_unhide(self, as_seller: APIClient, listing: ListingFacts, stranger: APIClient) -> None:
        path = f"{LISTINGS}/{listing.id}"
        hidden = as_seller.post(f"{path}/hide").json()
        assert (hidden["status"], hidden["hidden_by"]) == ("hidden", "seller")
        assert hidden["due_at"] is not None
        assert hidden["allowed_actions"] == ["unhide", "delete", "edit", "duplicate"]
        assert stranger.get(path).status_code == 404
        assert as_seller.post(f"{path}/unhide").json()["status"] == "active"

    def test_reserve_and_release(
        self, as_seller: APIClient, listing: ListingFacts, stranger: APIClient
    ) -> None:
        path = f"{LISTINGS}/{listing.id}"
        assert as_seller.post(f"{path}/reserve").json()["status"] == "reserved"
        seen = stranger.get(path).json()
        assert (seen["status"], seen["due_at"]) == ("reserved", None)
        assert as_seller.post(f"{path}/release").json()["status"] == "active"

    def test_unhide_of_what_moderation_has_hidden(
        self, as_seller: APIClient, listing: ListingFacts, moderator: Member
    ) -> None:
        services.suspend(
            listing_id=listing.id, moderator_id=moderator.id, reason="misleading", now=timezone.now()
        )
        path = f"{LISTINGS}/{listing.id}"
        response = as_seller.post(f"{path}/unhide")
        assert (response.status_code, response.json()["code"]) == (409, "listing_hidden_by_moderation")
        seen = as_seller.get(path).json()
        assert seen["moderation_reason"] == "misleading"
        assert seen["allowed_actions"] == ["publish", "delete", "edit", "duplicate"]
        assert as_seller.post(f"{path}/publish").json()["status"] == "in_review"

    def test_delete(self, as_seller: APIClient, listing: ListingFacts, stranger: APIClient) -> None:
        path = f"{LISTINGS}/{listing.id}"
        assert as_seller.delete(path).status_code == 428
        assert as_seller.delete(path, headers={"If-Match": '"old"'}).status_code == 412
        etag = as_seller.get(path)["ETag"]
        response = as_seller.delete(path, headers={"If-Match": etag})
        assert (response.status_code, response.content) == (204, b"")
        assert as_seller.get(path).status_code == stranger.get(path).status_code == 404
        assert ListingEvent.objects.filter(listing_id=listing.id, verb="delete").exists()

    def test_delete_of_somebody_elses(self, as_other: APIClient, listing: ListingFacts) -> None:
        response = as_other.delete(f"{LISTINGS}/{listing.id}", headers={"If-Match": "*"})
        assert response.status_code == 404

    def test_duplicate(self, as_seller: APIClient, listing: ListingFacts, as_other: APIClient) -> None:
        response = as_seller.post(f"{LISTINGS}/{listing.id}/duplicate")
        body = response.json()
        assert response.status_code == 201
        assert body["id"] != listing.id
        assert (body["status"], body["title"], body["photos"]) == ("draft", listing.title, [])
        assert body["colours"] == list(listing.colour_ids)
        assert as_seller.get(response["Location"]).json() == body
        assert as_other.post(f"{LISTINGS}/{listing.id}/duplicate").status_code == 404


class TestOwnListings:
    def test_are_listed_by_status_the_latest_first(
        self, as_seller: APIClient, seller: Member, other_seller: Member
    ) -> None:
        draft, offered = make_draft(seller.id), make_listing(seller.id)
        gone = make_draft(seller.id)
        services.delete(seller_id=seller.id, listing_id=gone.id, now=timezone.now())
        make_draft(other_seller.id)
        results = as_seller.get("/api/v1/me/listings").json()["results"]
        assert [card["id"] for card in results] == [offered.id, draft.id]
        assert results[0]["cover"]["renditions"].keys() == {"320", "800", "1600"}
        assert results[1]["cover"] is None
        assert "publish" in results[1]["allowed_actions"]
        drafts = as_seller.get("/api/v1/me/listings?status=draft,hidden").json()["results"]
        assert [card["id"] for card in drafts] == [draft.id]

    def test_take_two_statements(
        self, as_seller: APIClient, seller: Member, django_assert_num_queries: Any
    ) -> None:
        make_listing(seller.id)
        with django_assert_num_queries(2):
            as_seller.get("/api/v1/me/listings")

    def test_with_an_unknown_status(self, as_seller: APIClient) -> None:
        assert as_seller.get("/api/v1/me/listings?status=lost").status_code == 400

    def test_need_a_token(self, stranger: APIClient) -> None:
        assert stranger.get("/api/v1/me/listings").status_code == 401
