"""The end that everybody hopes for: the buyer is content, or silent, and the seller is paid."""

from __future__ import annotations

from datetime import datetime

from foundation.db import atomic_retry
from orders.lifecycle import OrderStatus
from orders.services.issues import end_proposals_of
from orders.services.order_moves import lock_own, move, row_of
from orders.services.settling import post_completions


@atomic_retry
def confirm(*, buyer_id: str, order_id: str, now: datetime) -> None:
    """All is well; also while an issue is open, which ends it. Raises OrderNotFound, InvalidTransition."""
    order, actor = lock_own(order_id, buyer_id)
    row = row_of(order, "confirm", actor)
    if order.status == OrderStatus.ISSUE_OPEN:
        end_proposals_of(order.id, now=now)
    post_completions([order], now=now)
    move(order, row, now=now, actor_id=buyer_id)
