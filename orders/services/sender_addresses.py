"""What needs the seller's address waits for it, and the seller is asked: labels, and buyers who send back.

A parcel waits as a row that comes due every hour, so that nothing is lost between an address and a parcel
that are written at the same moment; giving the address makes it due at once.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import datetime, timedelta

import structlog
from django.db import IntegrityError, transaction
from django.db.models import F

from foundation.db import atomic_retry
from foundation.ids import new_id
from members.queries import get_member_facts
from members.services.notices import NewNotice, notify_many
from orders import parcel_metrics as metrics
from orders.lifecycle import BUYER, OrderStatus
from orders.lifecycle.parcels import FROM_SELLER, ParcelStatus
from orders.models import Case, Issue, Order, OrderItem, Parcel, SenderAddress
from orders.parcel_errors import SenderAddressAbroad, SenderAddressStale
from orders.providers.carriers.contract import Address
from orders.queries.parcels import ADDRESS_AWAITED
from orders.queries.sender_addresses import SenderAddressFacts, get_sender_address, sender_address_for
from orders.services.cases import open_case, resolve_by_key
from orders.services.parcel_ringing import ring_for_parcel

logger = structlog.get_logger(__name__)

LOOK_AGAIN_AFTER = timedelta(hours=1)
_GIVEN = "the seller gave an address"


@atomic_retry
def set_sender_address(
    *, member_id: str, address: Address, expected_version: int, now: datetime
) -> SenderAddressFacts:
    """Say where one sends from; parcels that wait for it go on.

    Raises SenderAddressAbroad, SenderAddressStale.
    """
    country = get_member_facts(member_id).country
    if address.country != country:
        raise SenderAddressAbroad(f"It has to be in {country}.")
    row = SenderAddress.objects.select_for_update().filter(member_id=member_id).first()
    if (0 if row is None else row.version) != expected_version:
        raise SenderAddressStale("Read it again, apply your change to what it is now, and retry.")
    if row is None:
        row = SenderAddress(id=new_id(), member_id=member_id, version=0)
    row.address = json.dumps(asdict(address))
    row.version, row.changed_at = row.version + 1, now
    try:
        with transaction.atomic():
            row.save(force_insert=expected_version == 0, force_update=expected_version > 0)
    except IntegrityError:
        # There was no row to lock for the first address, and another request has given one meanwhile.
        raise SenderAddressStale("Read it again, apply your change to what it is now, and retry.") from None
    parcels = _wake_parcels(member_id, now=now)
    _tell_buyers(member_id, now=now)
    logger.info("sender_address_set", member_id=member_id, parcels=parcels)
    return get_sender_address(member_id)


def _wake_parcels(member_id: str, *, now: datetime) -> int:
    waiting = Parcel.objects.filter(
        order__seller_id=member_id, reason=ADDRESS_AWAITED, status=ParcelStatus.REQUESTED
    )
    parcel_ids = list(waiting.values_list("id", flat=True))
    Parcel.objects.filter(id__in=parcel_ids, reason=ADDRESS_AWAITED, due_at__isnull=False).update(due_at=now)
    for parcel_id in parcel_ids:
        ring_for_parcel(parcel_id)
    return len(parcel_ids)


def _tell_buyers(member_id: str, *, now: datetime) -> None:
    """Those who are to send something back without a label of ours see the address with the issue."""
    returns = Issue.objects.filter(
        order__seller_id=member_id, order__status=OrderStatus.RETURN_PENDING, postage_by=BUYER
    )
    order_ids = list(returns.values_list("order_id", flat=True))
    Issue.objects.filter(order_id__in=order_ids).update(version=F("version") + 1)
    for order_id in order_ids:
        resolve_by_key(key=_return_key(order_id), staff_id=None, resolution=_GIVEN, now=now)


def await_address(parcel: Parcel, *, now: datetime) -> None:
    """Have a new parcel wait, and ask its seller; support too about a return, on which the buyer waits."""
    parcel.reason, parcel.due_at = ADDRESS_AWAITED, now + LOOK_AGAIN_AFTER
    seller_id = Order.objects.values_list("seller_id", flat=True).get(id=parcel.order_id)
    _ask(seller_id, parcel.order_id, "order.address_needed", _key(parcel), now=now)
    if parcel.leg not in FROM_SELLER:
        note = f"parcel {parcel.id}, {parcel.leg}: {ADDRESS_AWAITED}"
        open_case(kind=Case.Kind.LABEL_FAILED, key=_key(parcel), order_id=parcel.order_id, note=note, now=now)
    logger.info("sender_address_awaited", parcel_id=parcel.id, order_id=parcel.order_id, leg=parcel.leg)
    transaction.on_commit(metrics.ADDRESSES_AWAITED.labels("asked").inc)


def ask_for_return_address(order: Order, *, now: datetime) -> None:
    """The buyer sends it back himself: seller and support are asked where to, unless it is known."""
    if sender_address_for(order.seller_id, order.seller_country, in_full=True).is_full:
        return
    key = f"{_return_key(order.id)}:{order.version}"
    _ask(order.seller_id, order.id, "order.return_address_needed", key, now=now)
    open_case(
        kind=Case.Kind.LABEL_FAILED,
        key=_return_key(order.id),
        order_id=order.id,
        note=f"return by the buyer: {ADDRESS_AWAITED}",
        now=now,
    )
    logger.info("return_address_awaited", order_id=order.id)


def _ask(seller_id: str, order_id: str, kind: str, key: str, *, now: datetime) -> None:
    titles = OrderItem.objects.filter(order_id=order_id).order_by("position")
    notice = NewNotice(
        member_id=seller_id,
        kind=kind,
        params={"order_id": order_id, "title": titles.values_list("title", flat=True)[0]},
        subject=f"order:{order_id}",
        key=key,
    )
    notify_many([notice], now=now)


def has_address(parcel: Parcel, *, now: datetime) -> bool:
    """Whether a locked parcel need not wait: the address that has come is put on it. Else it is due later."""
    if parcel.reason != ADDRESS_AWAITED or parcel.status != ParcelStatus.REQUESTED:
        return True
    order = Order.objects.only("seller_id", "seller_country").get(id=parcel.order_id)
    address = sender_address_for(order.seller_id, order.seller_country, in_full=True)
    if not address.is_full:
        parcel.due_at = now + LOOK_AGAIN_AFTER
        parcel.save(update_fields=["due_at"])
        return False
    side = "sender" if parcel.leg in FROM_SELLER else "recipient"
    setattr(parcel, side, json.dumps(asdict(address)))
    parcel.reason = ""
    parcel.save(update_fields=[side, "reason"])
    resolve_by_key(key=_key(parcel), staff_id=None, resolution=_GIVEN, now=now)
    transaction.on_commit(metrics.ADDRESSES_AWAITED.labels("given").inc)
    return True


def _key(parcel: Parcel) -> str:
    return f"address:{parcel.id}"


def _return_key(order_id: str) -> str:
    return f"return_address:{order_id}"
