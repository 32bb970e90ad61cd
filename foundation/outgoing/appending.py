"""An event is a row of the transaction in which it happened: told if, and only if, that commits."""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from celery import Task, current_app
from django.db import connection, transaction

from foundation import doorbell
from foundation.api.rendering import dumps
from foundation.compiled import insert_rows
from foundation.models import OutgoingEvent
from foundation.outgoing import metrics

# By name: services stand below tasks and do not import them.
DELIVER = "foundation.tasks.deliver_outgoing_events"


@dataclass(frozen=True, slots=True)
class Event:
    """`kind` ("order.paid") happened to `subject` ("order:01J…").

    The payload holds ids, states and amounts: no personal data, which subscribers ask for by id with
    their own rights.
    """

    kind: str
    subject: str
    payload: Mapping[str, Any]


def append_event(*, kind: str, subject: str, payload: Mapping[str, Any], now: datetime) -> str:
    """Tell subscribers of one event; see append_events(). Returns its id."""
    return append_events([Event(kind, subject, payload)], now=now)[0]


def append_events(events: Iterable[Event], *, now: datetime) -> list[str]:
    """Tell subscribers of what happened, in this order. Returns the events' ids.

    Call it inside the transaction of the change, else RuntimeError. Events of one subject are delivered in
    the order of their commits, so append under the subject's lock.
    """
    if not connection.in_atomic_block:
        raise RuntimeError("append_events() belongs into the transaction of what it tells")
    rows = [
        OutgoingEvent(
            kind=event.kind,
            subject=event.subject,
            body=dumps(
                {"type": event.kind, "timestamp": now, "data": {"subject": event.subject, **event.payload}}
            ).decode(),
            occurred_at=now,
            fan_out_at=now,
        )
        for event in events
    ]
    # One INSERT; the database numbers its rows in their order.
    insert_rows(rows)
    for kind, count in Counter(row.kind for row in rows).items():
        transaction.on_commit(functools.partial(metrics.APPENDED.labels(kind).inc, count))
    if rows:
        doorbell.ring_after_commit(cast("Task[Any, Any]", current_app.signature(DELIVER)), is_shared=True)
    return [str(row.id) for row in rows]
