"""The web's part: verify, store, ring. Nothing is handled while a provider waits for its answer."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, cast

import structlog
from celery import Task, current_app
from django.db import IntegrityError, transaction
from django.utils.timezone import is_aware

from foundation import doorbell
from foundation.db import atomic_retry
from foundation.errors import DomainError, NotFound, TooLarge
from foundation.incoming import metrics
from foundation.incoming.errors import WebhookMalformed
from foundation.incoming.sources import ParsedEvent, Source, find_source
from foundation.models import ID_OF_PROVIDER_LENGTH, IncomingEvent

logger = structlog.get_logger(__name__)

# Events are a few kilobytes; whoever sends more means something else.
MAX_BODY_BYTES = 512_000
# By name: services stand below tasks and do not import them.
PROCESS = "foundation.tasks.process_incoming_event"


def receive(
    *,
    kind: str,
    provider: str,
    body: bytes,
    headers: Mapping[str, str],
    now: datetime,
    real_now: datetime | None = None,
) -> tuple[str, bool]:
    """Store a callback, once. Returns the row's id and whether it is new.

    Its signature has to be of `real_now`, where that is given: a provider knows nothing of a sandbox's clock.
    Raises NotFound, TooLarge, WebhookSignatureInvalid, WebhookTimestampStale or WebhookMalformed.
    """
    source = find_source(f"{kind}/{provider}")
    if source is None:
        metrics.REJECTED.labels("unknown", NotFound.code).inc()
        raise NotFound
    try:
        if len(body) > MAX_BODY_BYTES:
            raise TooLarge(f"At most {MAX_BODY_BYTES} bytes.")
        source.verifier.verify(body, headers, now=real_now or now)
        event = _parse(source, body)
    except DomainError as error:
        metrics.REJECTED.labels(source.name, error.code).inc()
        logger.warning("incoming_event_rejected", source=source.name, reason=error.code)
        raise
    row_id, new = _store(source, event, body, now)
    metrics.RECEIVED.labels(source.name, "new" if new else "duplicate").inc()
    logger.info("incoming_event_received", source=source.name, incoming_event_id=row_id, new=new)
    return row_id, new


def _parse(source: Source, body: bytes) -> ParsedEvent:
    try:
        event = source.parse(body)
    except (ValueError, LookupError, TypeError):
        # The error's text may quote the body.
        raise WebhookMalformed("The body is not an event of this provider.") from None
    for text in (event.event_id, event.subject_id):
        if not (1 <= len(text) <= ID_OF_PROVIDER_LENGTH and text.isascii() and text.isprintable()):
            raise WebhookMalformed("An id in it is not 1 to 200 visible ASCII characters.")
        if text != text.strip():
            raise WebhookMalformed("An id in it begins or ends with a blank.")
    if not is_aware(event.occurred_at):
        raise WebhookMalformed("Its time has no time zone.")
    return event


@atomic_retry
def _store(source: Source, event: ParsedEvent, body: bytes, now: datetime) -> tuple[str, bool]:
    same = IncomingEvent.objects.filter(source=source.name, event_id=event.event_id)
    known = same.values_list("id", flat=True).first()
    if known is not None:
        return known, False
    row = IncomingEvent(
        source=source.name,
        event_id=event.event_id,
        subject_id=event.subject_id,
        occurred_at=event.occurred_at,
        received_at=now,
        due_at=now,
        body=body,
    )
    try:
        with transaction.atomic():
            row.save(force_insert=True)
    except IntegrityError:
        # The same callback at the same moment: the other request's row is committed by now.
        known = same.values_list("id", flat=True).first()
        if known is None:
            raise
        return known, False
    doorbell.ring_after_commit(cast("Task[Any, Any]", current_app.signature(PROCESS)), row.id)
    return row.id, True
