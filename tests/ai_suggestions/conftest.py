"""Sellers, their drafts with photos, and a provider that follows a script."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from rest_framework.test import APIClient

    from listings.queries import ListingFacts
    from members.models import Member
    from tests.doubles.scripted_provider import Scripted, ScriptedProvider

    Follow = Callable[..., ScriptedProvider]


@pytest.fixture
def catalogue(db: None) -> None:
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
def draft(seller: Member) -> ListingFacts:
    """Empty, with one photo that is ready."""
    from listings.queries import get_listing
    from tests.factories.listings import make_draft, make_photo

    listing = make_draft(seller.id, complete=False)
    make_photo(listing)
    return get_listing(listing.id)


@pytest.fixture
def follow() -> Iterator[Follow]:
    """`follow(*script)` makes a provider called "scripted" that follows it."""
    from ai_suggestions.providers import register_provider
    from tests.doubles.scripted_provider import ScriptedProvider

    with ExitStack() as stack:

        def start(*script: Scripted, crashes: bool = False) -> ScriptedProvider:
            provider = ScriptedProvider(script, crashes=crashes)
            stack.enter_context(register_provider("scripted", lambda: provider))
            return provider

        yield start


@pytest.fixture
def scripted(follow: Follow, settings: object) -> ScriptedProvider:
    """The provider of all runs: it says something about the usual fields, and nothing breaks."""
    from tests.doubles.scripted_provider import WHOLE

    settings.SUGGESTIONS_PROVIDER = "scripted"  # type: ignore[attr-defined]
    return follow(*WHOLE)


def client_of(member: Member) -> APIClient:
    from rest_framework.test import APIClient

    client = APIClient()
    client.force_authenticate(member)
    return client


@pytest.fixture
def as_seller(seller: Member) -> APIClient:
    return client_of(seller)


@pytest.fixture
def as_other_seller(other_seller: Member) -> APIClient:
    return client_of(other_seller)
