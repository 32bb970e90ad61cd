"""Routing is data: each change of a route is another version of it, and runs name theirs."""

from __future__ import annotations

import datetime as dt

import structlog

from ai_suggestions.routing_tables import ProviderRoute, RouteFacts, RouteVersion
from foundation.db import atomic_retry

logger = structlog.get_logger(__name__)


@atomic_retry
def keep_route(route: ProviderRoute, *, changed_by: str, now: dt.datetime) -> RouteVersion:
    """Store a new or changed route and its next version; it counts from the next request on."""
    before = ProviderRoute.objects.select_for_update().filter(id=route.id).first()
    route.version = 1 if before is None else before.version + 1
    route.changed_at = now
    route.save()
    facts = {field.name: getattr(route, field.name) for field in RouteFacts._meta.fields}
    kept = RouteVersion.objects.create(route=route, changed_by=changed_by, **facts)
    logger.info("provider_route_changed", route_id=route.id, version=route.version, changed_by=changed_by)
    return kept
