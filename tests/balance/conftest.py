"""Members with money. Imports are inside: pytest reads this file before Django is set up."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from rest_framework.test import APIClient

    from members.models import Member


@pytest.fixture
def seller(db: None) -> Member:
    from tests.factories.members import make_member

    return make_member("Ona")


@pytest.fixture
def buyer(db: None) -> Member:
    from tests.factories.members import make_member

    return make_member("Jonas")


@pytest.fixture
def account(seller: Member) -> str:
    """The id of the seller's bank account; they have 100 euros to withdraw."""
    from tests.factories.banking import activate, make_bank_account
    from tests.factories.money import give

    give(seller.id, 10_000)
    activate(seller.id)
    return make_bank_account(seller.id).id


def _client(member: Member | None) -> APIClient:
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
def stranger(db: None) -> APIClient:
    return _client(None)
