"""listings.rules and listings.texts: the rules one by one, as a seller meets them."""

from __future__ import annotations

from typing import Any

import pytest

from foundation.errors import FieldProblem
from foundation.money import Money
from listings import services, texts
from listings.errors import InvalidListing
from listings.models import Listing
from listings.queries import ListingFacts
from listings.services import ListingChange
from members.models import Member
from members.services import verify_identity
from tests.factories.listings import NOW, make_draft, make_photo

FAMILY = "👨‍👩‍👧‍👦"


def problems_to_publish(seller_id: str, **change: Any) -> dict[str, str]:
    """What keeps an otherwise complete listing from being published."""
    try:
        draft = make_draft(seller_id, **change)
        make_photo(draft)
        services.publish(seller_id=seller_id, listing_id=draft.id, now=NOW)
    except InvalidListing as error:
        return {problem.pointer: problem.code for problem in error.errors}
    return {}


class TestTexts:
    @pytest.mark.parametrize(
        ("title", "code"),
        [
            ("Shirt", None),
            ("Shi", "too_short"),
            ("   Shi  ", "too_short"),
            ("", "required"),
            (FAMILY * 5, None),
            (FAMILY * 4, "too_short"),
            ("e\u0301" * 100, None),
            ("e\u0301" * 101, "too_long"),
            ("x" * 100, None),
            ("x" * 101, "too_long"),
            ("a" + "\u0301" * 500 + " shirt", "too_long"),
            ("Blue\nshirt", "control_character"),
            ("Blue\tshirt", "control_character"),
            ("Blue \u202etrihs", "control_character"),
            ("Blue shirt \x7f", "control_character"),
            ("Mail me: ona@example.com", "contact_details"),
        ],
    )
    def test_title(self, seller: Member, title: str, code: str | None) -> None:
        assert problems_to_publish(seller.id, title=title).get("/title") == code

    @pytest.mark.parametrize(
        ("description", "code"),
        [
            ("Fine!", None),
            ("Two\nlines", None),
            ("Fine", "too_short"),
            ("", "required"),
            (FAMILY * 1000, None),
            (FAMILY * 1200, "too_long"),
            ("x" * 2000, None),
            ("x" * 2001, "too_long"),
            ("a\vb c d", "control_character"),
            ("#a #b #c #d #e", None),
            ("#a #b #c #d #e #f", "too_many_hashtags"),
        ],
    )
    def test_description(self, seller: Member, description: str, code: str | None) -> None:
        assert problems_to_publish(seller.id, description=description).get("/description") == code

    def test_hashtags_of_title_and_description_are_counted_together(self, seller: Member) -> None:
        found = problems_to_publish(seller.id, title="#blue #shirt", description="#a #b #c #d fine")
        assert found == {"/description": "too_many_hashtags"}

    @pytest.mark.parametrize(
        "text",
        [
            "ona@example.com",
            "ona (at) example.com",
            "see https://example.org/x",
            "www.example",
            "shop at my-shop.example.de now",
            "t.me is fine? telegram",
            "WhatsApp",
            "follow @ona_sells",
            "call +370 612 34567",
            "call 0049 (170) 123-45-67",
            "tel. 0170/1234567",
        ],
    )
    def test_contact_details_are_found(self, text: str) -> None:
        assert texts.has_contact_details(f"Nice thing. {text}")

    @pytest.mark.parametrize(
        "text",
        [
            "Size EU 38/40, UK 10, W32 L34",
            "120 x 60 x 75 cm, 1.250 g",
            "ISBN 0-306-40615-2",
            "ISBN-13: 978-3-16-148410-0",
            "Article 501 1234567",
            "Bought in 2019, worn 2020/2021",
            "e.g. cotton, 100%.Very soft",
            "Canon EOS 5D Mark IV f/2.8",
            "No. 0.5 to 12.5",
            "100 % cotton; 30 °C; 3.5 mm",
        ],
    )
    def test_ordinary_texts_are_not_mistaken(self, text: str) -> None:
        assert not texts.has_contact_details(text)


class TestCatalogueFields:
    @pytest.mark.parametrize(
        ("change", "expected"),
        [
            ({}, {}),
            ({"category_id": "women"}, {"/category": "category_not_leaf"}),
            ({"category_id": "women-tops"}, {"/category": "category_not_leaf"}),
            ({"category_id": None}, {"/category": "required"}),
            ({"brand_id": None}, {"/brand": "required"}),
            ({"brand_id": "no-brand"}, {}),
            ({"size_id": None}, {"/size": "required"}),
            ({"size_id": "no-label"}, {}),
            ({"size_id": "men-clothing-m"}, {"/size": "size_not_of_category"}),
            ({"category_id": "home-chairs", "size_id": None}, {}),
            ({"category_id": "home-chairs"}, {"/size": "size_not_of_category"}),
            ({"category_id": "home-chairs", "size_id": None, "material_ids": ()}, {"/materials": "required"}),
            ({"condition_id": None}, {"/condition": "required"}),
            ({"condition_id": "not_fully_functional"}, {"/condition": "condition_not_of_category"}),
            (
                {
                    "category_id": "electronics-film-cameras",
                    "size_id": None,
                    "condition_id": "not_fully_functional",
                },
                {},
            ),
            ({"colour_ids": ()}, {"/colours": "required"}),
            ({"colour_ids": ("navy", "navy")}, {"/colours/1": "colour_twice"}),
            ({"colour_ids": ("navy", "red", "white")}, {"/colours": "too_many_colours"}),
            ({"material_ids": ()}, {}),
            ({"material_ids": ("cotton", "wool", "linen", "wood")}, {"/materials": "too_many_materials"}),
            ({"parcel_size": None}, {"/parcel_size": "required"}),
            ({"parcel_size": "huge"}, {"/parcel_size": "unknown_parcel_size"}),
        ],
    )
    def test_to_publish(self, seller: Member, change: dict[str, Any], expected: dict[str, str]) -> None:
        assert problems_to_publish(seller.id, **change) == expected


class TestPrice:
    @pytest.mark.parametrize(
        ("cents", "code"),
        [
            (None, "required"),
            (0, "price_too_low"),
            (99, "price_too_low"),
            (100, None),
            (50_000, None),
            (50_001, "seller_not_verified"),
            (1_000_001, "price_too_high"),
        ],
    )
    def test_within_the_markets_limits(self, seller: Member, cents: int | None, code: str | None) -> None:
        price = None if cents is None else Money(cents, "EUR")
        assert problems_to_publish(seller.id, price=price).get("/price") == code

    def test_of_a_verified_seller(self, seller: Member) -> None:
        verify_identity(member_id=seller.id, source="test:passport", now=NOW)
        assert problems_to_publish(seller.id, price=Money(1_000_000, "EUR")) == {}

    def test_in_another_currency(self, seller: Member) -> None:
        with pytest.raises(InvalidListing) as caught:
            make_draft(seller.id, price=Money(1000, "PLN"))
        assert caught.value.code == "listing_invalid"
        assert caught.value.errors == (
            FieldProblem("/price/currency", "wrong_currency", "This listing is priced in EUR."),
        )

    def test_without_rules_of_the_market_any_positive_price_will_do(self, seller: Member) -> None:
        from listings.models import MarketRules

        MarketRules.objects.all().delete()
        assert problems_to_publish(seller.id, price=Money(1, "EUR")) == {}
        assert problems_to_publish(seller.id, price=Money(0, "EUR")) == {"/price": "price_too_low"}


class TestDrafts:
    def test_may_hold_a_size_of_a_category_that_is_still_to_come(self, seller: Member) -> None:
        draft = make_draft(seller.id, complete=False, size_id="men-clothing-m", category_id="home-chairs")
        assert draft.size_id == "men-clothing-m"

    def test_may_be_short_but_not_wrong(self, seller: Member, draft: ListingFacts) -> None:
        services.edit_draft(
            seller_id=seller.id, listing_id=draft.id, change=ListingChange(title="x", description=""), now=NOW
        )
        with pytest.raises(InvalidListing):
            services.edit_draft(
                seller_id=seller.id, listing_id=draft.id, change=ListingChange(title="www.x.com"), now=NOW
            )
        assert Listing.objects.get(id=draft.id).title == "x"
