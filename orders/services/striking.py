"""Promises that sellers broke. Several within a time stop selling for a while."""

from __future__ import annotations

from datetime import datetime, timedelta

import structlog

from foundation.ids import new_id
from members.services.restrictions import restrict
from orders.models import Strike

logger = structlog.get_logger(__name__)

# Ours: the design names strikes and leaves what follows from them open.
COUNTED_FOR = timedelta(days=180)
MOST_STRIKES = 3
PAUSE = timedelta(days=14)


def give_strike(*, member_id: str, order_id: str, reason: str, now: datetime) -> None:
    """Write it down, once per order and reason; the third within 180 days stops selling for 14 days.

    Inside the transaction of what it is for.
    """
    if Strike.objects.filter(order_id=order_id, reason=reason).exists():
        return
    Strike.objects.create(id=new_id(), member_id=member_id, order_id=order_id, reason=reason, given_at=now)
    logger.info("strike_given", member_id=member_id, order_id=order_id, reason=reason)
    recent = Strike.objects.filter(member_id=member_id, given_at__gt=now - COUNTED_FOR).count()
    if recent >= MOST_STRIKES:
        restrict(
            member_id=member_id,
            capability="sell",
            reason="too_many_strikes",
            source="orders:strikes",
            now=now,
            until=now + PAUSE,
        )
