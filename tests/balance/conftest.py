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
