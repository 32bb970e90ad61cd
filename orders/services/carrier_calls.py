"""Calling the carrier: write down that it is called, commit, call, record the answer.

Whatever happens in between, the parcel stays `requested` and the carrier is asked again under the same
reference, which it carries once. What was called off is voided, also when its label is only known afterwards.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TypeVar

import structlog
from django.core.files.base import ContentFile
from django.core.files.storage import storages

from foundation.db import atomic_retry
from foundation.encryption import seal_file
from orders import parcel_metrics as metrics
from orders.lifecycle.parcels import ParcelCode, ParcelStatus
from orders.models import Parcel
from orders.parcel_sizes import BY_NAME
from orders.providers.carriers import carrier_named
from orders.providers.carriers.contract import (
    Address,
    Carrier,
    OpeningHours,
    OutcomeUnknown,
    PickupPoint,
    Shipment,
    ShipmentOrder,
    ShipmentRefused,
)
from orders.queries.parcels import due_parcel_ids, measure_due_parcels
from orders.services.parcel_moves import advance, can_be, claim_due_parcel, lock_parcel, move
from orders.services.parcel_ringing import ring_for_parcel
from orders.services.sender_addresses import has_address
from orders.services.tracking import LABEL_REFUSED, tell_order

logger = structlog.get_logger(__name__)

T = TypeVar("T")
BATCH = 200
FIRST_PAUSE, LONGEST_PAUSE = timedelta(seconds=30), timedelta(hours=1)
DOCUMENTS = "documents"


def pause_after(attempts: int) -> timedelta:
    """How long a call is given, and the pause before the next: doubled each time, an hour at most."""
    return min(FIRST_PAUSE * (1 << min(attempts - 1, 20)), LONGEST_PAUSE)


def advance_parcel(*, parcel_id: str, now: datetime) -> None:
    """Get the label of a parcel that is due, or have it voided. Safe to call twice, and at the same time."""
    parcel = _begin_call(parcel_id, now=now)
    if parcel is None:
        return
    carrier = carrier_named(parcel.provider)
    try:
        if parcel.status == ParcelStatus.CANCELLED:
            is_voided = _void(carrier, parcel, now=now)
            _record_voided(parcel.id, is_voided=is_voided, now=now)
            return
        order = shipment_order(parcel)
        shipment = _timed(parcel.provider, "create", lambda: carrier.create_shipment(order, now=now))
    except OutcomeUnknown as error:
        logger.warning("carrier_outcome_unknown", parcel_id=parcel_id, why=str(error))
    except ShipmentRefused as error:
        _record_refusal(parcel.id, reason=str(error), now=now)
    else:
        _record_label(parcel.id, shipment, label_name=_store(parcel, shipment.label), now=now)


def sweep_parcels(*, now: datetime) -> int:
    """Ring for what is due, and measure what is waiting. Returns how many it rang for."""
    due = due_parcel_ids(now=now, limit=BATCH)
    for parcel_id in due:
        ring_for_parcel(parcel_id)
    waiting, oldest = measure_due_parcels()
    for status, number in waiting.items():
        metrics.PARCELS_DUE.labels(status).set(number)
    metrics.OLDEST_LABEL_SECONDS.set(0 if oldest is None else max(0.0, (now - oldest).total_seconds()))
    return len(due)


def call_carriers(*, now: datetime) -> int:
    """Make the calls that are due rather than ring for them; returns how many were made."""
    due = due_parcel_ids(now=now, limit=BATCH)
    for parcel_id in due:
        advance_parcel(parcel_id=parcel_id, now=now)
    # What a worker has in hand stays due.
    return len(due) - Parcel.objects.filter(id__in=due, due_at__lte=now).count() if due else 0


@atomic_retry
def _begin_call(parcel_id: str, *, now: datetime) -> Parcel | None:
    """Claim a due parcel: the next call is due only after a pause. None when there is nothing to do."""
    parcel = claim_due_parcel(parcel_id, now=now)
    if parcel is None or not has_address(parcel, now=now):
        return None
    parcel.attempts += 1
    parcel.due_at = now + pause_after(parcel.attempts)
    parcel.save(update_fields=["attempts", "due_at"])
    return parcel


def shipment_order(parcel: Parcel) -> ShipmentOrder:
    """What the carrier is asked for. Raises ValueError once its addresses are forgotten."""
    if parcel.sender is None or parcel.recipient is None:
        raise ValueError(f"parcel {parcel.id} has no addresses any more")
    point = None
    if parcel.pickup_point is not None:
        facts = json.loads(parcel.pickup_point.reveal())
        hours = tuple(OpeningHours(**stretch) for stretch in facts.pop("opening_hours"))
        point = PickupPoint(**facts, opening_hours=hours)
    return ShipmentOrder(
        reference=parcel.id,
        service=parcel.service,
        weight_g=BY_NAME[parcel.size].weight_max_g,
        sender=Address(**json.loads(parcel.sender.reveal())),
        recipient=Address(**json.loads(parcel.recipient.reveal())),
        pickup_point=point,
    )


def _void(carrier: Carrier, parcel: Parcel, *, now: datetime) -> bool:
    """Whether nothing is left to be carried. A call before may have made what we were never told of."""
    provider_id = parcel.provider_id
    if provider_id is None:
        found = _timed(parcel.provider, "find", lambda: carrier.find_shipment(parcel.id, now=now))
        if found is None:
            return True
        provider_id = found.provider_id
    known = provider_id
    return _timed(parcel.provider, "cancel", lambda: carrier.cancel_shipment(known, now=now))


def _timed(provider: str, call: str, ask: Callable[[], T]) -> T:
    started, outcome = time.monotonic(), "done"
    try:
        return ask()
    except OutcomeUnknown:
        outcome = "unknown"
        raise
    except ShipmentRefused:
        outcome = "refused"
        raise
    finally:
        metrics.CARRIER_CALLS.labels(provider, call, outcome).inc()
        metrics.CARRIER_CALL_SECONDS.labels(provider, call).observe(time.monotonic() - started)


def _store(parcel: Parcel, label: bytes) -> str:
    """Put the label away, sealed for its row. Two workers may: it is the same label under the same key."""
    name = f"labels/{parcel.id[-2:]}/{parcel.id}.pdf"
    storage = storages[DOCUMENTS]
    if parcel.label_key is None:
        raise ValueError(f"parcel {parcel.id} is forgotten")
    if storage.exists(name):
        storage.delete(name)
    return storage.save(name, ContentFile(seal_file(parcel.label_key, label)))


@atomic_retry
def _record_label(parcel_id: str, shipment: Shipment, *, label_name: str, now: datetime) -> None:
    parcel = lock_parcel(parcel_id)
    if parcel is None or parcel.provider_id is not None:
        return
    parcel.provider_id = shipment.provider_id
    parcel.tracking_number, parcel.tracking_url = shipment.tracking_number, shipment.tracking_url
    parcel.label_name, parcel.labelled_at = label_name, now
    if advance(parcel, ParcelCode.LABEL_CREATED, now=now):
        tell_order(parcel, ParcelCode.LABEL_CREATED.value, occurred_at=now, now=now)
        return
    # News was faster than the answer; or it was called off, perhaps before the carrier could know of it.
    if parcel.status == ParcelStatus.CANCELLED:
        parcel.due_at = now
        ring_for_parcel(parcel.id)
    parcel.save(force_update=True)


@atomic_retry
def _record_refusal(parcel_id: str, *, reason: str, now: datetime) -> None:
    parcel = lock_parcel(parcel_id)
    if parcel is None or not can_be(parcel, "refuse"):
        return
    parcel.reason = reason
    move(parcel, verb="refuse", now=now)
    tell_order(parcel, LABEL_REFUSED, occurred_at=now, now=now)


@atomic_retry
def _record_voided(parcel_id: str, *, is_voided: bool, now: datetime) -> None:
    parcel = lock_parcel(parcel_id)
    if parcel is None or parcel.status != ParcelStatus.CANCELLED:
        return
    parcel.due_at = None
    parcel.reason = "" if is_voided else "not_voided"
    parcel.save(update_fields=["due_at", "reason"])
    logger.info("label_voided" if is_voided else "label_not_voided", parcel_id=parcel_id)
