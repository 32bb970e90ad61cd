"""The one place that changes a parcel's status: a row of the lifecycle, and the record of it."""

from __future__ import annotations

from datetime import datetime

import structlog
from django.db import connection, transaction

from foundation.lifecycle import UnknownTransition
from orders import parcel_metrics as metrics
from orders.lifecycle.parcels import OPEN, PARCEL, RANKS, STATUS_OF, ParcelCode, ParcelStatus
from orders.models import Order, Parcel

logger = structlog.get_logger(__name__)


def lock_parcel(parcel_id: str) -> Parcel | None:
    """The row, locked after its order's: whoever changes both takes them in this order."""
    order_id = Parcel.objects.filter(id=parcel_id).values_list("order_id", flat=True).first()
    if order_id is None:
        return None
    Order.objects.select_for_update().get(id=order_id)
    return Parcel.objects.select_for_update().get(id=parcel_id)


def claim_due_parcel(parcel_id: str, *, now: datetime) -> Parcel | None:
    """The locked row if a worker is to call the carrier about it now; None also when another holds it."""
    skips = connection.features.has_select_for_update_skip_locked
    due = Parcel.objects.filter(id=parcel_id, due_at__lte=now)
    return due.select_for_update(skip_locked=skips).first()


def advance(parcel: Parcel, code: ParcelCode, *, now: datetime) -> bool:
    """Take a locked parcel as far as this news; False when it is as far, or the news moves nothing."""
    target = STATUS_OF.get(code)
    if target is None or RANKS[target] <= parcel.rank:
        return False
    move(parcel, verb=code.value, now=now)
    return True


def move(parcel: Parcel, *, verb: str, now: datetime, due_at: datetime | None = None) -> None:
    """Take a locked parcel along a row and save all of it. Raises UnknownTransition."""
    row = PARCEL.row(parcel.status, verb)
    source = parcel.status
    parcel.status, parcel.rank = row.target, RANKS[ParcelStatus(row.target)]
    parcel.due_at = due_at
    if row.target not in OPEN and parcel.ended_at is None:
        parcel.is_open, parcel.ended_at = None, now
    parcel.save(force_update=True)
    logger.info(
        "parcel_moved",
        parcel_id=parcel.id,
        order_id=parcel.order_id,
        leg=parcel.leg,
        verb=verb,
        source=source,
        target=row.target,
    )
    transaction.on_commit(metrics.PARCEL_MOVES.labels(verb, parcel.leg).inc)


def can_be(parcel: Parcel, verb: str) -> bool:
    """Whether the table has a row for this verb from where the parcel is."""
    try:
        PARCEL.row(parcel.status, verb)
    except UnknownTransition:
        return False
    return True
