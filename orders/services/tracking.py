"""News of carriers: kept as it came, once; what of it is new advances the parcel, and with it the order."""

from __future__ import annotations

from datetime import datetime

import structlog
from django.db import transaction

from foundation.db import atomic_retry
from orders import parcel_metrics as metrics
from orders.lifecycle.parcels import ParcelCode, code_for
from orders.models import Parcel, ParcelEvent
from orders.providers.carriers.contract import Callback
from orders.services.moving_parcels import record_parcel_event
from orders.services.parcel_moves import advance, lock_parcel

logger = structlog.get_logger(__name__)

LABEL_REFUSED = "label_refused"
"""What an order is told beside the codes of ParcelCode: there will be no label."""


@atomic_retry
def record_news(*, provider: str, news: Callback, received_at: datetime, now: datetime) -> bool:
    """Apply a carrier's message about a parcel; whether the parcel advanced. Repeats change nothing."""
    if news.code is None:
        return False
    parcel = lock_parcel(news.reference)
    if parcel is None or parcel.provider != provider:
        # Announced by hand in the carrier's own pages, or of another installation.
        _count(provider, "unknown")
        logger.warning("parcel_event_unknown", provider=provider, event_id=news.event_id)
        return False
    if ParcelEvent.objects.filter(provider=provider, event_id=news.event_id).exists():
        _count(provider, "repeated")
        return False
    code = code_for(news.code, parcel.leg)
    # A carrier's clock may be ahead of ours; nothing that we are told of is still to come.
    occurred_at = min(news.occurred_at, now)
    if parcel.last_event_at is None or parcel.last_event_at < occurred_at:
        parcel.last_event_at = occurred_at
        parcel.save(update_fields=["last_event_at"])
    # That there is a label we know with the label itself, which is in the carrier's answer.
    is_news = code is not ParcelCode.LABEL_CREATED
    has_moved = is_news and advance(parcel, code, now=now)
    if has_moved:
        tell_order(parcel, code.value, occurred_at=occurred_at, now=now)
    event = ParcelEvent(
        parcel_id=parcel.id,
        provider=provider,
        event_id=news.event_id,
        code=code.value,
        has_moved=has_moved,
        occurred_at=occurred_at,
        received_at=received_at,
    )
    event.raw = news.raw
    event.save(force_insert=True)
    _count(provider, "moved" if has_moved else "kept")
    return has_moved


def tell_order(parcel: Parcel, code: str, *, occurred_at: datetime, now: datetime) -> None:
    """Let the order of a locked parcel know how far it is now; stages may have been skipped."""
    record_parcel_event(
        order_id=parcel.order_id,
        parcel_id=parcel.id,
        leg=parcel.leg,
        code=code,
        occurred_at=occurred_at,
        now=now,
    )


def _count(provider: str, effect: str) -> None:
    transaction.on_commit(metrics.PARCEL_EVENTS.labels(provider, effect).inc)
