"""How many statements writing takes: pinned, so that a change of it is a decision."""

from __future__ import annotations

from typing import Any

from rest_framework.test import APIClient

from listings.queries import ListingFacts
from tests.listings.test_listing_endpoints import BODY, LISTINGS


class TestStatements:
    def test_of_an_empty_draft(self, as_seller: APIClient, django_assert_num_queries: Any) -> None:
        # The seller, how many drafts there are, the insert.
        with django_assert_num_queries(3):
            as_seller.post(LISTINGS, {})

    def test_of_a_full_draft(self, as_seller: APIClient, django_assert_num_queries: Any) -> None:
        as_seller.post(LISTINGS, BODY)
        # And the catalogue's release, the market's limits, colours, materials.
        with django_assert_num_queries(7):
            as_seller.post(LISTINGS, BODY)

    def test_of_an_edit(
        self, as_seller: APIClient, draft: ListingFacts, django_assert_num_queries: Any
    ) -> None:
        # The version; the listing with colours, materials and photos; release, limits, seller; the update.
        with django_assert_num_queries(9):
            as_seller.patch(f"{LISTINGS}/{draft.id}", {"title": "A title"}, headers={"If-Match": "*"})

    def test_of_a_verb(
        self, as_seller: APIClient, listing: ListingFacts, django_assert_num_queries: Any
    ) -> None:
        # The listing, the update, the record; colours, materials and photos of the answer.
        with django_assert_num_queries(6):
            as_seller.post(f"{LISTINGS}/{listing.id}/hide")

    def test_of_a_look(
        self, stranger: APIClient, listing: ListingFacts, django_assert_num_queries: Any
    ) -> None:
        with django_assert_num_queries(4):
            stranger.get(f"{LISTINGS}/{listing.id}")
