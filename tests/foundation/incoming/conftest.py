"""A provider called pay/test, whose handler writes a row. Imports are inside: pytest reads this early."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from pytest_django import Settings

SECRET, FORMER_SECRET = "whsec-current", "whsec-former"
SOURCE, ADDRESS = "pay/test", "/api/v1/webhooks/pay/test"


@pytest.fixture(autouse=True)
def _probe(settings: Settings) -> None:
    """The service's own addresses, not the probe's that the folder above puts there."""
    settings.ROOT_URLCONF = "config.urls"


@pytest.fixture
def handled() -> list[str]:
    """Event ids, in the order in which they were handled; a handler may be replaced on it."""
    return []


@pytest.fixture(autouse=True)
def provider(monkeypatch: pytest.MonkeyPatch, handled: list[str]) -> None:
    from foundation.incoming import sources
    from tests.foundation.incoming.provider import source

    monkeypatch.setattr(sources, "_registry", {})
    sources.register(source(handled.append))


def body_of(event_id: str = "evt_1", subject: str = "po_1", at: str = "2026-04-02T10:00:00+00:00") -> bytes:
    return json.dumps({"id": event_id, "subject": subject, "at": at, "iban": "LT12"}).encode()


@pytest.fixture
def send(client: Any) -> Callable[..., Any]:
    from foundation.incoming import sign

    def post(
        body: bytes,
        *,
        secret: str = SECRET,
        at: datetime | None = None,
        address: str = ADDRESS,
        **headers: str,
    ) -> Any:
        headers.setdefault("Webhook-Signature", sign(body, secret=secret, at=at or datetime.now(UTC)))
        return client.post(address, body, content_type="application/json", headers=headers)

    return post
