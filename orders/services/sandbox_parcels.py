"""Playing carrier: what drives the sandbox's own, for tests and demos. Only while settings.SANDBOX is on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.db.models import Q

from foundation.incoming.processing import process_event
from foundation.incoming.receiving import receive
from orders.lifecycle.parcels import ParcelCode
from orders.models import Order, Parcel, SandboxParcel
from orders.parcel_errors import SandboxParcelNotFound
from orders.providers.carriers import sandbox
from orders.services.carrier_callbacks import KIND


@dataclass(frozen=True, slots=True)
class News:
    """What shall have happened to a parcel, and when; None: now."""

    code: ParcelCode
    occurred_at: datetime | None = None


def script_label(*, member_id: str, parcel_id: str, answer: str, times: int) -> None:
    """How the carrier answers the next requests for this label. Raises SandboxParcelNotFound."""
    _require_own(member_id, parcel_id)
    sandbox.script(parcel_id, answer=answer, times=times)


def tell_news(
    *, member_id: str, parcel_id: str, news: Sequence[News], times: int, now: datetime
) -> list[str]:
    """The carrier tells us these, in this order, each `times` times; at once rather than by a worker.

    Returns `new` or `repeated` for each callback. Raises SandboxParcelNotFound for what it never took.
    """
    _require_own(member_id, parcel_id)
    effects = []
    for one in news:
        for _ in range(times):
            try:
                body, headers = sandbox.callback(
                    parcel_id, one.code, occurred_at=one.occurred_at or now, now=now
                )
            except SandboxParcel.DoesNotExist:
                raise SandboxParcelNotFound("The carrier has made no label for it yet.") from None
            event_id, is_new = receive(kind=KIND, provider="sandbox", body=body, headers=headers, now=now)
            process_event(event_id=event_id, now=now)
            effects.append("new" if is_new else "repeated")
    return effects


def _require_own(member_id: str, parcel_id: str) -> None:
    parcel = Parcel.objects.filter(id=parcel_id, provider="sandbox").values("order_id").first()
    if not settings.SANDBOX or parcel is None:
        raise SandboxParcelNotFound
    party = Order.objects.filter(Q(buyer_id=member_id) | Q(seller_id=member_id), id=parcel["order_id"])
    if not party.exists():
        raise SandboxParcelNotFound
