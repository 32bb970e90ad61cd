"""An event is a row of the transaction in which it happened: told if, and only if, that commits."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, cast

from celery import Task, current_app
from django.db import connection, transaction

from foundation import doorbell
from foundation.api.rendering import dumps
from foundation.models import OutgoingEvent
from foundation.outgoing import metrics

# By name: services stand below tasks and do not import them.
DELIVER = "foundation.tasks.deliver_outgoing_events"


def append_event(*, kind: str, subject: str, payload: Mapping[str, Any], now: datetime) -> str:
    """Tell subscribers that `kind` ("order.paid") happened to `subject` ("order:01J…"). Returns its id.

    Call it inside the transaction of the change, else RuntimeError. Events of one subject are delivered in
    the order of their commits, so append under the subject's lock. The payload holds ids, states and
    amounts: no personal data, which subscribers ask for by id with their own rights.
    """
    if not connection.in_atomic_block:
        raise RuntimeError("append_event() belongs into the transaction of what it tells")
    event = OutgoingEvent(kind=kind, subject=subject, occurred_at=now, fan_out_at=now)
    event.body = dumps({"type": kind, "timestamp": now, "data": {"subject": subject, **payload}}).decode()
    event.save(force_insert=True)
    transaction.on_commit(metrics.APPENDED.labels(kind).inc)
    doorbell.ring_after_commit(cast("Task[Any, Any]", current_app.signature(DELIVER)))
    return str(event.id)
