"""Reading parcels: for their members, and what workers have to do."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.core.files.storage import storages
from django.db.models import Count, Min

from foundation.encryption import open_file
from orders.lifecycle.parcels import FROM_SELLER, Leg, ParcelStatus
from orders.models import Order, Parcel, ParcelEvent
from orders.parcel_errors import LabelNotFound, LabelNotReady

MOST_EVENTS = 200
ADDRESS_AWAITED = "seller_address_missing"
"""The `reason` of a parcel for which the carrier is not asked before its seller has given an address."""
_OF_BUYER = (Leg.RETURN.value,)


@dataclass(frozen=True, slots=True)
class ParcelNews:
    """One piece of news of a parcel."""

    code: str
    occurred_at: datetime


@dataclass(frozen=True, slots=True)
class ParcelFacts:
    """A parcel, as the members of its order may know it.

    `reason` is why the carrier refused it, or ADDRESS_AWAITED.
    """

    id: str
    leg: str
    carrier: str
    status: str
    reason: str
    tracking_number: str
    tracking_url: str
    requested_at: datetime
    last_event_at: datetime | None
    events: tuple[ParcelNews, ...]

    @property
    def waits_for_address(self) -> bool:
        """Whether its seller has to say first where it is sent from."""
        return self.reason == ADDRESS_AWAITED and self.status == ParcelStatus.REQUESTED


def parcels_of(order_id: str) -> tuple[ParcelFacts, ...]:
    """All parcels of an order with their news by when it happened, the first parcel first."""
    parcels = list(Parcel.objects.filter(order_id=order_id).order_by("id"))
    news: dict[str, list[ParcelNews]] = {parcel.id: [] for parcel in parcels}
    rows = ParcelEvent.objects.filter(parcel_id__in=news).order_by("occurred_at", "id")
    for row in rows.values("parcel_id", "code", "occurred_at")[:MOST_EVENTS]:
        news[row["parcel_id"]].append(ParcelNews(row["code"], row["occurred_at"]))
    return tuple(
        ParcelFacts(
            id=parcel.id,
            leg=parcel.leg,
            carrier=parcel.carrier,
            status=parcel.status,
            reason=parcel.reason,
            tracking_number=parcel.tracking_number,
            tracking_url=parcel.tracking_url,
            requested_at=parcel.requested_at,
            last_event_at=parcel.last_event_at,
            events=tuple(news[parcel.id]),
        )
        for parcel in parcels
    )


@dataclass(frozen=True, slots=True)
class Label:
    """A label to print."""

    parcel_id: str
    pdf: bytes


def get_label(*, member_id: str, order_id: str) -> Label:
    """The label of the latest parcel that this member has to send. Raises LabelNotFound or LabelNotReady."""
    order = Order.objects.filter(id=order_id).values("seller_id", "buyer_id").first()
    legs: tuple[str, ...] = ()
    if order is not None:
        legs = FROM_SELLER if order["seller_id"] == member_id else ()
        legs = _OF_BUYER if order["buyer_id"] == member_id else legs
    parcel = Parcel.objects.filter(order_id=order_id, leg__in=legs).order_by("-id").first()
    if parcel is None:
        raise LabelNotFound
    # A label that was called off is not to be used, though it is there.
    is_off = parcel.status in (ParcelStatus.CANCELLED, ParcelStatus.REFUSED)
    if is_off or not parcel.label_name or parcel.label_key is None:
        raise LabelNotReady(extra={"parcel_status": parcel.status, "reason": parcel.reason})
    with storages["documents"].open(parcel.label_name) as file:
        return Label(parcel.id, open_file(parcel.label_key, file.read()))


def due_parcel_ids(*, now: datetime, limit: int) -> list[str]:
    """Those for which a carrier is to be called, the longest overdue first."""
    due = Parcel.objects.filter(due_at__lte=now).order_by("due_at", "id")
    return list(due.values_list("id", flat=True)[:limit])


def measure_due_parcels() -> tuple[dict[str, int], datetime | None]:
    """How many wait for a call, by status, and when the oldest label was asked for that is not there."""
    waiting = Parcel.objects.filter(due_at__isnull=False).exclude(reason=ADDRESS_AWAITED)
    counts = {ParcelStatus.REQUESTED.value: 0, ParcelStatus.CANCELLED.value: 0}
    counts |= dict(waiting.order_by().values_list("status").annotate(number=Count("id")))
    requested = waiting.filter(status=ParcelStatus.REQUESTED.value)
    oldest: datetime | None = requested.aggregate(oldest=Min("requested_at"))["oldest"]
    return counts, oldest
