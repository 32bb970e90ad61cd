"""What an order does with labels, in its own transaction: ask for one, call a parcel off.

A worker gets the label (orders.services.carrier_calls). A parcel that is called off is cancelled at once; the
carrier is told by a worker, as far as it may know of it.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import datetime
from typing import Protocol

import structlog

from foundation.compiled import insert_rows
from foundation.db import atomic_retry
from foundation.encryption import new_file_key
from foundation.ids import new_id
from orders.lifecycle.parcels import RANKS, Leg, ParcelStatus
from orders.models import Parcel
from orders.providers.carriers import carrier_named
from orders.providers.carriers.contract import Address, PickupPoint
from orders.services.parcel_moves import can_be, move
from orders.services.parcel_ringing import ring_for_parcel
from orders.services.sender_addresses import await_address

logger = structlog.get_logger(__name__)


class ChosenOption(Protocol):
    """How it is to be carried, as the order copied it when it was bought; a queries.shipping.Option fits."""

    @property
    def provider(self) -> str: ...
    @property
    def carrier(self) -> str: ...
    @property
    def service(self) -> str: ...
    @property
    def size(self) -> str: ...


@atomic_retry
def request_label(
    *,
    order_id: str,
    leg: str,
    option: ChosenOption,
    sender: Address,
    recipient: Address,
    pickup_point: PickupPoint | None = None,
    now: datetime,
) -> str:
    """Have a parcel labelled by a worker, once this is committed; returns its id.

    Where the carrier asks for more than is known of the seller, it waits for that (sender_addresses).

    In the order's transaction, the order locked. Raises IntegrityError while the leg has an open parcel.
    """
    parcel_id = new_id()
    parcel = Parcel(
        id=parcel_id,
        order_id=order_id,
        leg=Leg(leg).value,
        provider=option.provider,
        carrier=option.carrier,
        service=option.service,
        size=option.size,
        status=ParcelStatus.REQUESTED.value,
        rank=RANKS[ParcelStatus.REQUESTED],
        requested_at=now,
        due_at=now,
    )
    # After the id, for which they are sealed.
    parcel.label_key = new_file_key()
    parcel.sender, parcel.recipient = json.dumps(asdict(sender)), json.dumps(asdict(recipient))
    if pickup_point is not None:
        parcel.pickup_point = json.dumps(asdict(pickup_point))
    is_addressed = sender.is_full and recipient.is_full
    if is_addressed or not carrier_named(option.provider).needs_addresses:
        ring_for_parcel(parcel_id)
    else:
        await_address(parcel, now=now)
    insert_rows([parcel])
    logger.info("label_requested", parcel_id=parcel_id, order_id=order_id, leg=leg, provider=parcel.provider)
    return parcel_id


@atomic_retry
def cancel_label(*, order_id: str, leg: str, now: datetime) -> bool:
    """Call off the open parcel of a leg; True also when there is none. False: the carrier has it.

    In the order's transaction, the order locked.
    """
    parcel = Parcel.objects.select_for_update().filter(order_id=order_id, leg=leg, is_open=True).first()
    if parcel is None:
        return True
    if not can_be(parcel, "cancel"):
        return False
    # Before the first call the carrier cannot know of it.
    due_at = now if parcel.attempts else None
    parcel.attempts = 0
    move(parcel, verb="cancel", now=now, due_at=due_at)
    if due_at is not None:
        ring_for_parcel(parcel.id)
    return True
