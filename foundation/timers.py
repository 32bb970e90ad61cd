"""What the clock brings about in the house itself: one more try to handle or deliver an event."""

from __future__ import annotations

from datetime import datetime

from foundation import clock
from foundation.incoming import processing
from foundation.models import IncomingEvent, WebhookDelivery
from foundation.outgoing import delivering
from foundation.sandbox import Sweeper, earliest, register


def process_incoming(*, now: datetime) -> int:
    """Handle the callbacks that are due; returns how many were."""
    handled = 0
    for source, subject_id in processing.due_subjects(now=now):
        while processing.process_next(source=source, subject_id=subject_id, now=now):
            handled += 1
    return handled


def deliver_outgoing(*, now: datetime) -> int:
    """Send the events that are due; returns how many were delivered."""
    delivered = 0
    for endpoint_id, subject in dict.fromkeys([*delivering.fan_out(now=now), *delivering.due_heads(now=now)]):
        while delivering.deliver_next(
            endpoint_id=endpoint_id, subject=subject, now=now, real_now=clock.real_now()
        ):
            delivered += 1
    return delivered


def register_sweepers() -> None:
    """Called once the apps are loaded."""
    register(
        Sweeper(
            "foundation.incoming_events",
            sweep=process_incoming,
            next_due=earliest(IncomingEvent.objects.all(), "due_at"),
        )
    )
    register(
        Sweeper(
            "foundation.outgoing_events",
            sweep=deliver_outgoing,
            next_due=earliest(WebhookDelivery.objects.filter(endpoint__active=True), "due_at"),
        )
    )
