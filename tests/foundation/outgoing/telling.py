"""What tests of outgoing events do: append some, deliver all that is due."""

from __future__ import annotations

from datetime import UTC, datetime

from django.db import transaction
from django.utils import timezone

from foundation.outgoing.appending import append_event
from foundation.outgoing.delivering import deliver_next, due_heads, fan_out

# When the run began: what a subscriber's library is to accept is delivered by the clock instead.
NOW = timezone.now().replace(microsecond=0).astimezone(UTC)


def tell(kind: str = "order.paid", subject: str = "order:1", *, now: datetime = NOW) -> str:
    with transaction.atomic():
        return append_event(kind=kind, subject=subject, payload={"amount": 2470}, now=now)


def deliver(now: datetime = NOW) -> int:
    """What a sweep does; how many were delivered."""
    done = 0
    for endpoint_id, subject in dict.fromkeys([*fan_out(now=now), *due_heads(now=now)]):
        while deliver_next(endpoint_id=endpoint_id, subject=subject, now=now):
            done += 1
    return done
