"""A run that has ended casts a shadow, if its route wants one: a row, and work for later."""

from __future__ import annotations

import datetime as dt

import structlog

from ai_suggestions.models import SuggestionRun
from ai_suggestions.routing import Route
from ai_suggestions.routing_tables import ShadowRun
from ai_suggestions.services.ringing import ring_for_shadow
from foundation.db import atomic_retry

logger = structlog.get_logger(__name__)


def cast_shadow(run: SuggestionRun, route: Route, *, now: dt.datetime) -> None:
    """Ask for a second look at what the run saw. Raises nothing: the seller's run is done and stays so."""
    if not route.has_shadow_for(run.listing_id) or route.shadow_provider == run.provider:
        return
    try:
        _cast(run, route, now)
    except Exception:
        # Losing one look of a sample costs nothing; the log says how often it happens.
        logger.exception("shadow_not_cast", run_id=run.id)


@atomic_retry
def _cast(run: SuggestionRun, route: Route, now: dt.datetime) -> None:
    # A run that was retried casts no second one.
    shadow, created = ShadowRun.objects.get_or_create(
        run_id=run.id,
        defaults={
            "route_version_id": route.version_id,
            "provider": route.shadow_provider,
            "requested_at": now,
            "due_at": now,
        },
    )
    if created:
        ring_for_shadow(shadow.id)
