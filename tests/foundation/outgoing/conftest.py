"""A subscriber on this machine, whose network the operator has allowed."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from pytest_django import Settings

    from tests.foundation.outgoing.subscriber import Subscriber


@pytest.fixture(autouse=True)
def _allowed(settings: Settings) -> None:
    settings.ROOT_URLCONF = "config.urls"
    settings.WEBHOOK_ALLOWED_NETWORKS = [ipaddress.ip_network("127.0.0.0/8")]


@pytest.fixture
def shop() -> Iterator[Subscriber]:
    from tests.foundation.outgoing.subscriber import subscriber

    with subscriber() as told:
        yield told


@pytest.fixture
def endpoint(db: None, shop: Subscriber) -> Any:
    """The shop, subscribed to everything."""
    from foundation.models import WebhookEndpoint
    from foundation.outgoing.endpoints import add_endpoint
    from tests.foundation.outgoing.telling import NOW

    return WebhookEndpoint.objects.get(id=add_endpoint(url=shop.url, now=NOW))
