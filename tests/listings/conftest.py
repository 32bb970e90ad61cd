"""Sellers and their clients. Imports are inside: pytest reads this file before Django is set up."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from rest_framework.test import APIClient

    from listings.queries import ListingFacts
    from members.models import Member


@pytest.fixture
def catalogue(db: None) -> None:
    """Four markets and a small catalogue."""
    from tests.factories.listings import load_small_catalogue

    load_small_catalogue()


@pytest.fixture
def seller(catalogue: None) -> Member:
    from tests.factories.members import make_member

    return make_member("Ona")


@pytest.fixture
def other_seller(catalogue: None) -> Member:
    from tests.factories.members import make_member

    return make_member("Jonas")


@pytest.fixture
def moderator(catalogue: None) -> Member:
    from tests.factories.members import make_member

    return make_member("Rūta", is_staff=True, is_superuser=True)


@pytest.fixture
def draft(seller: Member) -> ListingFacts:
    """Complete but for its photos."""
    from tests.factories.listings import make_draft

    return make_draft(seller.id)


@pytest.fixture
def listing(seller: Member) -> ListingFacts:
    """On offer, with one photo."""
    from tests.factories.listings import make_listing

    return make_listing(seller.id)


def _client(member: Member | None) -> APIClient:
    from rest_framework.test import APIClient

    client = APIClient(raise_request_exception=False)
    client.force_authenticate(member)
    return client


@pytest.fixture
def as_seller(seller: Member) -> APIClient:
    return _client(seller)


@pytest.fixture
def as_other(other_seller: Member) -> APIClient:
    return _client(other_seller)


@pytest.fixture
def stranger(catalogue: None) -> APIClient:
    return _client(None)
