"""GET /listings: what buyers find."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from rest_framework.test import APIClient

from foundation.money import Money
from listings import services
from members.models import Member
from tests.factories.listings import make_draft, make_listing, make_listings
from tests.factories.members import make_member

LISTINGS = "/api/v1/listings"


def titles(client: APIClient, query: str = "") -> list[str]:
    response = client.get(f"{LISTINGS}?{query}")
    assert response.status_code == 200, response.json()
    return [card["title"] for card in response.json()["results"]]


@pytest.fixture
def shop(seller: Member) -> None:
    """Four things on offer, two of them for women; from Lithuania and from Poland."""
    polish = make_member("Piotr", country="PL")
    plain: dict[str, Any] = {"size_id": None, "material_ids": (), "brand_id": None}
    make_listings(seller.id, 1, title="Navy shirt")
    make_listings(seller.id, 1, title="Red blouse", category_id="women-blouses", colour_ids=("red",))
    make_listings(
        *(seller.id, 1),
        **(plain | {"title": "Old camera", "category_id": "electronics-film-cameras", "brand_id": "kodak"}),
        price=Money(30000, "EUR"),
        colour_ids=("black",),
        condition_id="satisfactory",
    )
    make_listings(
        *(polish.id, 1),
        **(plain | {"title": "Wooden chair", "category_id": "home-chairs", "material_ids": ("wood",)}),
        price=Money(9900, "PLN"),
        colour_ids=("brown", "red"),
    )


@pytest.mark.usefixtures("shop")
class TestFilters:
    @pytest.mark.parametrize(
        ("query", "found"),
        [
            ("", {"Navy shirt", "Red blouse", "Old camera", "Wooden chair"}),
            ("category=women-t-shirts", {"Navy shirt"}),
            ("category=women-tops", {"Navy shirt", "Red blouse"}),
            ("category=women,home", {"Navy shirt", "Red blouse", "Wooden chair"}),
            ("category=nowhere", set()),
            ("brand=kodak", {"Old camera"}),
            ("brand=kodak,esprit", {"Old camera", "Navy shirt", "Red blouse"}),
            ("size=women-clothing-m", {"Navy shirt", "Red blouse"}),
            ("colour=red", {"Red blouse", "Wooden chair"}),
            ("colour=white,black", {"Navy shirt", "Old camera"}),
            ("colour=octarine", set()),
            ("colour=octarine,black", {"Old camera"}),
            ("condition=satisfactory", {"Old camera"}),
            ("country=PL", {"Wooden chair"}),
            ("currency=EUR&price_min=1250", {"Navy shirt", "Red blouse", "Old camera"}),
            ("currency=EUR&price_min=1251", {"Old camera"}),
            ("currency=EUR&price_max=1250", {"Navy shirt", "Red blouse"}),
            ("currency=PLN", {"Wooden chair"}),
            ("category=women&colour=red&country=LT", {"Red blouse"}),
        ],
    )
    def test_find(self, stranger: APIClient, query: str, found: set[str]) -> None:
        assert set(titles(stranger, query)) == found

    def test_by_seller(self, stranger: APIClient, seller: Member) -> None:
        assert len(titles(stranger, f"seller={seller.id}")) == 3

    @pytest.mark.parametrize(
        ("query", "pointer"),
        [
            ("q=shirt", "/q"),
            ("sort=price", "/currency"),
            ("price_min=5", "/currency"),
            ("currency=XYZ", "/currency"),
            ("currency=EUR&price_min=-1", "/price_min"),
            ("country=pl", "/country"),
            ("seller=me", "/seller"),
            ("category=", "/category"),
            ("category=women,,men", "/category"),
            ("sort=title", "/sort"),
            ("limit=0", "/limit"),
            ("limit=101", "/limit"),
        ],
    )
    def test_that_make_no_sense_are_refused(self, stranger: APIClient, query: str, pointer: str) -> None:
        response = stranger.get(f"{LISTINGS}?{query}")
        assert (response.status_code, response.json()["code"]) == (400, "invalid_request")
        assert [problem["pointer"] for problem in response.json()["errors"]] == [pointer]


class TestWhatIsShown:
    def test_is_on_offer(self, stranger: APIClient, seller: Member) -> None:
        make_draft(seller.id)
        hidden, reserved, deleted, shown = (make_listing(seller.id) for _ in range(4))
        services.hide(seller_id=seller.id, listing_id=hidden.id, now=timezone.now())
        services.reserve(seller_id=seller.id, listing_id=reserved.id, now=timezone.now())
        services.delete(seller_id=seller.id, listing_id=deleted.id, now=timezone.now())
        results = stranger.get(LISTINGS).json()["results"]
        assert [card["id"] for card in results] == [shown.id]
        card = results[0]
        assert card["price"] == {"amount": 1250, "currency": "EUR"}
        assert card["cover"]["id"] == shown.photos[0].id
        assert card["allowed_actions"] == []


class TestOrderAndPages:
    def test_newest_first_by_default(self, stranger: APIClient, seller: Member) -> None:
        made = make_listings(seller.id, 5)
        page = stranger.get(f"{LISTINGS}?limit=2").json()
        seen = [card["id"] for card in page["results"]]
        assert page["previous"] is None
        # What is published meanwhile moves nothing.
        make_listing(seller.id, now=timezone.now())
        while page["next"]:
            page = stranger.get(page["next"]).json()
            seen += [card["id"] for card in page["results"]]
        assert seen == [listing.id for listing in reversed(made)]

    @pytest.mark.parametrize(
        ("sort", "prices"), [("price", [100, 200, 200, 300]), ("-price", [300, 200, 200, 100])]
    )
    def test_by_price(self, stranger: APIClient, seller: Member, sort: str, prices: list[int]) -> None:
        for price in (200, 100, 300, 200):
            make_listings(seller.id, 1, price=Money(price, "EUR"))
        url: str | None = f"{LISTINGS}?currency=EUR&sort={sort}&limit=1"
        seen = []
        while url:
            page = stranger.get(url).json()
            seen += [card["price"]["amount"] for card in page["results"]]
            url = page["next"]
        assert seen == prices

    def test_a_broken_or_foreign_cursor(self, stranger: APIClient, seller: Member) -> None:
        make_listings(seller.id, 2)
        good = stranger.get(f"{LISTINGS}?limit=1").json()["next"].split("cursor=")[1].split("&")[0]
        for query in ("cursor=nonsense", f"cursor={good}x", f"cursor={good}&sort=price&currency=EUR"):
            response = stranger.get(f"{LISTINGS}?{query}")
            assert (response.status_code, response.json()["code"]) == (400, "invalid_cursor")


class TestCost:
    @pytest.mark.parametrize("query", ["", "category=women&colour=navy&brand=esprit&currency=EUR&sort=price"])
    def test_is_three_statements_whatever_the_page(
        self, stranger: APIClient, seller: Member, django_assert_num_queries: Any, query: str
    ) -> None:
        make_listings(seller.id, 12)
        stranger.get(LISTINGS)
        with django_assert_num_queries(3):
            assert len(titles(stranger, f"limit=10&{query}")) == 10

    def test_is_two_statements_when_nothing_is_found(
        self, stranger: APIClient, django_assert_num_queries: Any
    ) -> None:
        stranger.get(LISTINGS)
        with django_assert_num_queries(2):
            assert titles(stranger) == []

    def test_finds_newest_and_prices_by_index(self, stranger: APIClient, seller: Member) -> None:
        if connection.vendor != "sqlite":
            pytest.skip("the words of EXPLAIN are SQLite's; with so few rows MariaDB reads the table")
        make_listings(seller.id, 3)
        for query, index in (
            ("", "listing_newest"),
            ("category=women-t-shirts", "listing_category"),
            ("brand=esprit", "listing_brand"),
            ("currency=EUR&sort=price", "listing_price"),
        ):
            with CaptureQueriesContext(
                connection,
            ) as captured:
                titles(stranger, query)
            statement = next(q["sql"] for q in captured if "published_at" in q["sql"])
            with connection.cursor() as cursor:
                cursor.execute(f"EXPLAIN QUERY PLAN {statement}")
                plan = " ".join(str(row[-1]) for row in cursor.fetchall())
            assert index in plan
            assert "TEMP B-TREE" not in plan
