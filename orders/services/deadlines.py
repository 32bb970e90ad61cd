"""What the clock does with offers: those without an answer expire, agreed prices lapse."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime, timedelta

from django.db import connection
from django.db.models import Q

from foundation.db import atomic_retry
from foundation.lifecycle import CLOCK
from members.queries import find_told
from orders.lifecycle import LIVE, OFFER, OfferStatus
from orders.models import Offer
from orders.services.offer_moves import record
from orders.services.offer_notices import remind, reminder_key

BATCH = 100
MOST_BATCHES = 50  # of one sweep; a worker's task is not to run for ever
REMIND_BEFORE = timedelta(hours=3)


def sweep_offers(*, now: datetime) -> int:
    """Act on what is due, in batches that several workers may do at once; returns how many."""
    moved = 0
    for _ in range(MOST_BATCHES):
        done = _end_due(now=now)
        moved += done
        if done < BATCH:
            break
    return moved


@atomic_retry
def _end_due(*, now: datetime) -> int:
    skips = connection.features.has_select_for_update_skip_locked
    # What another worker, or an answer, has in hand is left to it.
    due = Offer.objects.filter(due_at__lte=now).order_by("due_at", "id")
    offers = list(due.select_for_update(skip_locked=skips)[:BATCH])
    by_status = defaultdict[str, list[Offer]](list)
    for offer in offers:
        by_status[offer.status].append(offer)
    for status in LIVE:
        rows = by_status[status.value]
        row = OFFER.clock_row(status.value)
        if not rows or row is None:
            continue
        Offer.objects.filter(id__in=[offer.id for offer in rows]).update(
            status=row.target, is_live=None, due_at=None, ended_at=now
        )
        for offer in rows:
            offer.status, offer.due_at = row.target, None
        record(rows, row.verb, status.value, CLOCK, now=now)
    return len(offers)


def remind_of_offers(*, now: datetime) -> int:
    """Tell buyers whose agreed price ends within REMIND_BEFORE, once each; returns how many were told.

    One that was agreed less than REMIND_BEFORE ago needs no reminder.
    """
    told, after = 0, Q()
    ending = Offer.objects.filter(
        status=OfferStatus.ACCEPTED,
        due_at__gt=now,
        due_at__lte=now + REMIND_BEFORE,
        answered_at__lte=now - REMIND_BEFORE,
    ).order_by("due_at", "id")
    while offers := list(ending.filter(after)[:BATCH]):
        told += _remind(offers, now=now)
        last = offers[-1]
        after = Q(due_at__gt=last.due_at) | Q(due_at=last.due_at, id__gt=last.id)
    return told


@atomic_retry
def _remind(offers: list[Offer], *, now: datetime) -> int:
    known = find_told({offer.buyer_id for offer in offers}, keys=[reminder_key(offer) for offer in offers])
    new = [offer for offer in offers if reminder_key(offer) not in known]
    remind(new, now=now)
    return len(new)
