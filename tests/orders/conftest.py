"""A seller, a buyer, their clients. Imports are inside: pytest reads this file before Django is set up."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from rest_framework.test import APIClient

    from listings.queries import ListingFacts
    from members.models import Member


@pytest.fixture
def world(db: None) -> None:
    """Markets, a small catalogue, terms."""
    from tests.factories.orders import load_small_world

    load_small_world()


@pytest.fixture
def seller(world: None) -> Member:
    from tests.factories.members import make_member

    return make_member("Ona")


@pytest.fixture
def buyer(world: None) -> Member:
    from tests.factories.members import make_member

    return make_member("Jonas")


@pytest.fixture
def outsider(world: None) -> Member:
    from tests.factories.members import make_member

    return make_member("Rasa")


@pytest.fixture
def listing(seller: Member) -> ListingFacts:
    """On offer for 20.00 EUR."""
    from tests.factories.orders import on_offer

    return on_offer(seller.id)


def _client(member: Member) -> APIClient:
    from rest_framework.test import APIClient

    client = APIClient(raise_request_exception=False)
    client.force_authenticate(member)
    return client


@pytest.fixture
def as_seller(seller: Member) -> APIClient:
    return _client(seller)


@pytest.fixture
def as_buyer(buyer: Member) -> APIClient:
    return _client(buyer)


@pytest.fixture
def as_outsider(outsider: Member) -> APIClient:
    return _client(outsider)
