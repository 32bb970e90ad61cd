"""Personal details of orders that ended long ago are deleted. Amounts, events, receipts and the ledger stay.

A file goes before the row that names it: whatever is interrupted is found and done again.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

import structlog
from django.conf import settings
from django.core.files.storage import storages
from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet

from foundation.db import atomic_retry
from orders import metrics
from orders.lifecycle import UNDER_WAY, DisputeStatus
from orders.models import Case, Dispute, Issue, IssueEvidence, Order, Parcel, ParcelEvent

logger = structlog.get_logger(__name__)

DOCUMENTS = "documents"
BATCH, MOST = 100, 1000
_FORGOTTEN_OF_PARCELS = {
    "sender": None,
    "recipient": None,
    "pickup_point": None,
    "label_name": "",
    "label_key": None,
    "tracking_url": "",
}


def forget_details(*, now: datetime) -> int:
    """Delete addresses, labels, pick-up points, carriers' messages, and the words and photos of issues.

    Of orders that ended and to which nothing has happened for ORDER_DETAILS_KEEP_DAYS; not while support has
    an open case about one, or a bank an open dispute. At most MOST at a time; returns of how many.
    """
    until = now - timedelta(days=settings.ORDER_DETAILS_KEEP_DAYS)
    forgotten = 0
    for order_id in _old_ones(until):
        for name in _files_of(order_id):
            storages[DOCUMENTS].delete(name)
        forgotten += _forget(order_id, until)
        if forgotten == MOST:
            break
    return forgotten


def _old_ones(until: datetime) -> Iterator[str]:
    """Oldest first, by an index in which those that are done are not; ends at the first that is too young."""
    after = ""
    while True:
        rows = Order.objects.filter(has_details=True, id__gt=after).order_by("id")[:BATCH]
        found = list(rows.values_list("id", "created_at"))
        if not found:
            return
        ids = [order_id for order_id, created_at in found if created_at < until]
        yield from _to_forget(until).filter(id__in=ids).order_by("id").values_list("id", flat=True)
        after, youngest = found[-1]
        if youngest >= until:
            return


def _to_forget(until: datetime) -> QuerySet[Order]:
    open_cases = Case.objects.filter(order_id=OuterRef("id"), resolved_at__isnull=True)
    open_disputes = Dispute.objects.filter(payment__order_id=OuterRef("id"), status=DisputeStatus.OPEN)
    ended = Order.objects.filter(updated_at__lt=until).exclude(status__in=UNDER_WAY)
    return ended.filter(~Exists(open_cases), ~Exists(open_disputes))


def _files_of(order_id: str) -> list[str]:
    labels = Parcel.objects.filter(order_id=order_id).exclude(label_name="")
    evidence = IssueEvidence.objects.filter(issue__order_id=order_id)
    return [
        *labels.values_list("label_name", flat=True),
        *evidence.values_list("file_name", flat=True),
    ]


@atomic_retry
def _forget(order_id: str, until: datetime) -> bool:
    order = Order.objects.select_for_update().filter(id=order_id, updated_at__lt=until).first()
    if order is None:
        # Something has happened to it just now.
        return False
    Parcel.objects.filter(order_id=order_id).update(**_FORGOTTEN_OF_PARCELS)
    ParcelEvent.objects.filter(parcel__order_id=order_id).update(raw=None)
    IssueEvidence.objects.filter(issue__order_id=order_id).delete()
    Issue.objects.filter(order_id=order_id).update(text=None, return_tracking="")
    delivery = order.delivery | {"pickup_point": None} if order.delivery else order.delivery
    Order.objects.filter(id=order_id).update(address=None, delivery=delivery, has_details=None)
    transaction.on_commit(metrics.DETAILS_FORGOTTEN.inc)
    logger.info("order_details_forgotten", order_id=order_id)
    return True
