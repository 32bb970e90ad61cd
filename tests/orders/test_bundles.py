"""Bundles and sellers' discounts over the API: prices at the moment, edits with If-Match, refusals."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

import pytest
from django.utils import timezone
from prometheus_client import REGISTRY
from rest_framework.test import APIClient

from foundation.money import Money
from listings import services as listings
from listings.models import Listing
from listings.queries import ListingFacts
from members.models import Member
from members.services.blocks import block_member
from orders.errors import BundleDiscountsStale, BundleStale
from orders.models import Bundle, Terms
from orders.pricing import Step
from orders.queries.bundles import get_bundle, get_ladder
from orders.services.bundling import create_bundle, delete_bundle
from orders.services.discounts import set_discounts
from tests.factories.listings import NOW
from tests.factories.members import make_member
from tests.factories.orders import on_offer

pytestmark = pytest.mark.django_db

BUNDLES = "/api/v1/bundles"
DISCOUNTS = "/api/v1/me/bundle-discounts"


@pytest.fixture
def three(seller: Member) -> list[ListingFacts]:
    """For 20.00, 15.00 and 5.00, by a seller who gives 10 % from three on."""
    set_discounts(seller_id=seller.id, steps=[Step(2, 5), Step(3, 10)], expected_version=0, now=NOW)
    return [on_offer(seller.id, minor) for minor in (2000, 1500, 500)]


def put_together(client: APIClient, *chosen: ListingFacts) -> Any:
    return client.post(BUNDLES, {"listing_ids": [listing.id for listing in chosen]})


def euros_in(price: dict[str, Any], *names: str) -> list[int]:
    return [price[name]["amount"] for name in names]


class TestCreate:
    def test_shows_what_worked_example_4_says(self, as_buyer: APIClient, three: list[ListingFacts]) -> None:
        answer = put_together(as_buyer, *three)
        assert answer.status_code == 201
        body = answer.json()
        price = body["price"]
        assert euros_in(price, "before_discount", "discount", "items_total", "total") == [
            *(4000, 400, 3600, 3850)
        ]
        assert price["discount_percent"] == 10
        assert euros_in(price["fee"], "total", "net", "vat") == [250, 207, 43]
        assert [item["price_after_discount"]["amount"] for item in body["items"]] == [1800, 1350, 450]
        assert body["discounts"] == [{"items": 2, "percent": 5}, {"items": 3, "percent": 10}]
        assert as_buyer.get(answer["Location"]).json()["price"] == price

    def test_is_once_per_seller(self, as_buyer: APIClient, three: list[ListingFacts]) -> None:
        first = put_together(as_buyer, three[0])
        second = put_together(as_buyer, three[1])
        assert (second.status_code, second.json()["code"]) == (409, "bundle_exists")
        assert second.json()["bundle_id"] == first.json()["id"]

    def test_names_every_problem(
        self, as_buyer: APIClient, three: list[ListingFacts], outsider: Member
    ) -> None:
        Terms.objects.update(bundle_items_max=4)
        reserved, polish = on_offer(three[0].seller_id), on_offer(three[0].seller_id)
        foreign = on_offer(outsider.id)
        listings.reserve(seller_id=reserved.seller_id, listing_id=reserved.id, now=timezone.now())
        Listing.objects.filter(id=polish.id).update(currency="PLN")
        answer = put_together(as_buyer, three[0], reserved, foreign, polish, three[0])
        assert (answer.status_code, answer.json()["code"]) == (422, "invalid_bundle")
        assert [(error["pointer"], error["code"]) for error in answer.json()["errors"]] == [
            ("/listing_ids/1", "listing_not_available"),
            ("/listing_ids/2", "another_seller"),
            ("/listing_ids/3", "another_currency"),
            ("/listing_ids/4", "repeated"),
            ("/listing_ids", "too_many_items"),
        ]
        assert not Bundle.objects.exists()

    def test_refuses_own_listings_and_blocks(
        self, as_buyer: APIClient, as_seller: APIClient, buyer: Member, three: list[ListingFacts]
    ) -> None:
        own = put_together(as_seller, three[0])
        assert (own.status_code, own.json()["code"]) == (422, "own_listing")
        block_member(member_id=three[0].seller_id, blocked_id=buyer.id, now=NOW)
        blocked = put_together(as_buyer, three[0])
        assert (blocked.status_code, blocked.json()["code"]) == (409, "listing_not_available")

    @pytest.mark.parametrize("listing_ids", [[], None, ["x" * 27], [1], ["a"] * 101])
    def test_refuses_what_is_no_list_of_ids(self, as_buyer: APIClient, listing_ids: Any) -> None:
        answer = as_buyer.post(BUNDLES, {"listing_ids": listing_ids})
        assert (answer.status_code, answer.json()["code"]) == (400, "invalid_request")


class TestRead:
    def test_prices_what_is_still_on_offer(
        self, as_buyer: APIClient, seller: Member, three: list[ListingFacts]
    ) -> None:
        bundle_id = put_together(as_buyer, *three).json()["id"]
        listings.hide(seller_id=seller.id, listing_id=three[2].id, now=timezone.now())
        body = as_buyer.get(f"{BUNDLES}/{bundle_id}").json()
        assert [item["is_available"] for item in body["items"]] == [True, True, False]
        assert (body["items"][2]["title"], body["items"][2]["price"]) == (three[2].title, None)
        assert (body["price"]["discount_percent"], body["price"]["items_total"]["amount"]) == (5, 3325)

    def test_prices_nothing_once_the_seller_blocks(
        self, as_buyer: APIClient, buyer: Member, three: list[ListingFacts]
    ) -> None:
        bundle_id = put_together(as_buyer, *three).json()["id"]
        block_member(member_id=three[0].seller_id, blocked_id=buyer.id, now=NOW)
        body = as_buyer.get(f"{BUNDLES}/{bundle_id}").json()
        assert (body["price"], body["ship_by"]) == (None, None)

    def test_taxes_where_the_buyer_lives(self, three: list[ListingFacts]) -> None:
        """19 % in Germany: 2.50 is 2.10 and 0.40."""
        german = make_member("Greta", country="DE")
        ids = [listing.id for listing in three]
        price = create_bundle(buyer_id=german.id, listing_ids=ids, now=NOW).price
        assert price is not None
        assert (price.fee.net, price.fee.vat) == (Money(210, "EUR"), Money(40, "EUR"))

    def test_names_the_last_moment_to_ship_in_the_sellers_market(self, seller: Member, buyer: Member) -> None:
        """Monday to the Monday after: 5 working days in Lithuania, where the 24th of June is a holiday."""
        listing = on_offer(seller.id)
        monday = datetime(2026, 6, 22, 12, tzinfo=UTC)
        bundle = create_bundle(buyer_id=buyer.id, listing_ids=[listing.id], now=monday)
        assert bundle.ship_by == datetime(2026, 6, 30, 20, 59, 59, tzinfo=UTC)

    def test_is_404_for_others(self, as_buyer: APIClient, as_outsider: APIClient, three: Any) -> None:
        path = f"{BUNDLES}/{put_together(as_buyer, *three).json()['id']}"
        body = {"listing_ids": [three[0].id]}
        for answer in (
            as_outsider.get(path),
            as_outsider.put(path, body, headers={"If-Match": "*"}),
            as_outsider.delete(path, headers={"If-Match": "*"}),
        ):
            assert (answer.status_code, answer.json()["code"]) == (404, "bundle_not_found")

    def test_lists_the_own_with_pages(
        self, as_buyer: APIClient, as_outsider: APIClient, outsider: Member, three: list[ListingFacts]
    ) -> None:
        first = put_together(as_buyer, *three).json()["id"]
        second = put_together(as_buyer, on_offer(outsider.id)).json()["id"]
        page = as_buyer.get(BUNDLES, {"limit": 1}).json()
        assert [row["id"] for row in page["results"]] == [second]
        [row] = as_buyer.get(page["next"]).json()["results"]
        assert (row["id"], row["listing_ids"]) == (first, [listing.id for listing in three])
        assert as_outsider.get(BUNDLES).json()["results"] == []

    def test_takes_no_more_statements_for_more_items(
        self, buyer: Member, three: list[ListingFacts], django_assert_num_queries: Any
    ) -> None:
        """Bundle, items, seller, block, catalogue, listings, ladder, steps, terms, buyer, market."""
        ids = [listing.id for listing in three]
        bundle = create_bundle(buyer_id=buyer.id, listing_ids=ids, now=NOW)
        with django_assert_num_queries(12):
            get_bundle(buyer.id, bundle.id, now=NOW)


class TestChange:
    def test_replaces_the_items(self, as_buyer: APIClient, three: list[ListingFacts]) -> None:
        made = put_together(as_buyer, *three)
        path = f"{BUNDLES}/{made.json()['id']}"
        body = {"listing_ids": [three[2].id, three[0].id]}
        assert as_buyer.put(path, body).status_code == 428
        assert as_buyer.put(path, body, headers={"If-Match": '"old"'}).json()["code"] == "stale_etag"
        changed = as_buyer.put(path, body, headers={"If-Match": made["ETag"]})
        assert changed.status_code == 200
        assert [item["listing_id"] for item in changed.json()["items"]] == body["listing_ids"]
        assert as_buyer.put(path, body, headers={"If-Match": made["ETag"]}).status_code == 412
        assert changed["ETag"] != made["ETag"]

    def test_is_counted_once_committed(
        self, buyer: Member, three: list[ListingFacts], django_capture_on_commit_callbacks: Any
    ) -> None:
        def made() -> float:
            labels = {"verb": "create"}
            return REGISTRY.get_sample_value("preloved_orders_bundle_changes_total", labels) or 0

        before = made()
        with django_capture_on_commit_callbacks(execute=True):
            create_bundle(buyer_id=buyer.id, listing_ids=[three[0].id], now=NOW)
            assert made() == before
        assert made() == before + 1

    def test_keeps_to_its_seller(self, as_buyer: APIClient, outsider: Member, three: Any) -> None:
        made = put_together(as_buyer, *three)
        answer = as_buyer.put(
            f"{BUNDLES}/{made.json()['id']}",
            {"listing_ids": [on_offer(outsider.id).id]},
            headers={"If-Match": made["ETag"]},
        )
        assert [error["code"] for error in answer.json()["errors"]] == ["another_seller"]

    def test_delete(self, as_buyer: APIClient, three: list[ListingFacts]) -> None:
        made = put_together(as_buyer, *three)
        path = f"{BUNDLES}/{made.json()['id']}"
        assert as_buyer.delete(path).json()["code"] == "if_match_required"
        assert as_buyer.delete(path, headers={"If-Match": made["ETag"]}).status_code == 204
        assert as_buyer.get(path).status_code == 404
        assert put_together(as_buyer, *three).status_code == 201

    def test_is_compared_again_under_the_lock(self, buyer: Member, three: list[ListingFacts]) -> None:
        bundle = create_bundle(buyer_id=buyer.id, listing_ids=[three[0].id], now=NOW)
        with pytest.raises(BundleStale) as refused:
            delete_bundle(buyer_id=buyer.id, bundle_id=bundle.id, expected_version=2)
        assert refused.value.code == "bundle_stale"


class TestDiscounts:
    def test_start_empty_and_are_replaced(self, as_seller: APIClient) -> None:
        empty = as_seller.get(DISCOUNTS)
        assert empty.json() == {"steps": [], "changed_at": None}
        steps = [{"items": 2, "percent": 5}, {"items": 3, "percent": 10}]
        assert as_seller.put(DISCOUNTS, {"steps": steps}).status_code == 428
        done = as_seller.put(DISCOUNTS, {"steps": steps}, headers={"If-Match": empty["ETag"]})
        assert (done.status_code, done.json()["steps"]) == (200, steps)
        assert re.fullmatch(r"\d{4}-.*Z", done.json()["changed_at"])
        assert as_seller.get(DISCOUNTS, headers={"If-None-Match": done["ETag"]}).status_code == 304
        stale = as_seller.put(DISCOUNTS, {"steps": []}, headers={"If-Match": empty["ETag"]})
        assert (stale.status_code, stale.json()["code"]) == (412, "stale_etag")
        none = as_seller.put(DISCOUNTS, {"steps": []}, headers={"If-Match": done["ETag"]})
        assert none.json()["steps"] == []

    def test_name_every_problem(self, as_seller: APIClient) -> None:
        steps = [{"items": n, "percent": 5} for n in (2, 3, 3, 4, 5, 6)]
        answer = as_seller.put(DISCOUNTS, {"steps": steps}, headers={"If-Match": "*"})
        assert (answer.status_code, answer.json()["code"]) == (422, "invalid_bundle_discounts")
        problems = [(error["pointer"], error["code"]) for error in answer.json()["errors"]]
        assert problems[:3] == [
            ("/steps", "too_many_steps"),
            ("/steps/1/percent", "percent_not_rising"),
            ("/steps/2/items", "items_not_rising"),
        ]

    @pytest.mark.parametrize(
        "step",
        [{"items": 1, "percent": 5}, {"items": 2, "percent": 51}, {"items": 2, "percent": 0}, {"items": 2}],
    )
    def test_refuse_what_is_no_step(self, as_seller: APIClient, step: dict[str, int]) -> None:
        answer = as_seller.put(DISCOUNTS, {"steps": [step]}, headers={"If-Match": "*"})
        assert (answer.status_code, answer.json()["code"]) == (400, "invalid_request")

    def test_are_compared_again_under_the_lock(self, seller: Member) -> None:
        set_discounts(seller_id=seller.id, steps=[Step(2, 5)], expected_version=0, now=NOW)
        with pytest.raises(BundleDiscountsStale) as refused:
            set_discounts(seller_id=seller.id, steps=[], expected_version=0, now=NOW)
        assert refused.value.code == "bundle_discounts_stale"
        assert get_ladder(seller.id).steps == (Step(2, 5),)
