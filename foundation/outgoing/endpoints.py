"""Subscribers' addresses: made and changed by staff."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Sequence
from datetime import datetime

import structlog

from foundation.db import atomic_retry
from foundation.models import WebhookEndpoint
from foundation.outgoing.network import check_url

logger = structlog.get_logger(__name__)


def new_secret() -> str:
    """As Standard Webhooks writes them: whsec_ and 24 to 64 random bytes in base 64."""
    return "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()


@atomic_retry
def add_endpoint(*, url: str, kinds: Sequence[str] = (), description: str = "", now: datetime) -> str:
    """A new subscriber to the kinds of events (none: to all), from the next event on. Returns its id.

    Raises EndpointUrlRefused.
    """
    check_url(url)
    endpoint = WebhookEndpoint(
        url=url, kinds=list(kinds), description=description, secret=new_secret(), created_at=now
    )
    endpoint.save(force_insert=True)
    logger.info("webhook_endpoint_added", endpoint_id=endpoint.id)
    return str(endpoint.id)


@atomic_retry
def change_endpoint(
    *, endpoint_id: str, url: str, kinds: Sequence[str], description: str, active: bool
) -> None:
    """Raises EndpointUrlRefused. Switched off, its deliveries wait; switched on again, they go on."""
    check_url(url)
    endpoint = WebhookEndpoint.objects.select_for_update().get(id=endpoint_id)
    endpoint.url, endpoint.kinds, endpoint.description = url, list(kinds), description
    endpoint.active = active
    endpoint.failures, endpoint.resting_until = 0, None
    endpoint.save(update_fields=["url", "kinds", "description", "active", "failures", "resting_until"])
    logger.info("webhook_endpoint_changed", endpoint_id=endpoint_id, active=active)


@atomic_retry
def renew_secret(*, endpoint_id: str) -> None:
    """Sign with a new secret, and with the former one beside it until the next renewal."""
    endpoint = WebhookEndpoint.objects.select_for_update().get(id=endpoint_id)
    endpoint.former_secret = endpoint.secret.reveal()
    endpoint.secret = new_secret()
    endpoint.save(update_fields=["secret", "former_secret"])
    logger.info("webhook_secret_renewed", endpoint_id=endpoint_id)
