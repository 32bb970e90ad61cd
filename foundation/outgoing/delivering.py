"""The worker's part: to every subscriber every event, those of one subject in their order, at least once.

An event is first given a delivery row for each subscriber; then the head of each (subscriber, subject) is
claimed with a lease, sent outside any transaction, and its outcome recorded if the claim still holds.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import httpcore2
import structlog
from django.conf import settings
from django.db.models import F, Q, QuerySet
from standardwebhooks import Webhook

from foundation import connections
from foundation.db import atomic_retry
from foundation.models import OutgoingEvent, WebhookDelivery, WebhookEndpoint
from foundation.outgoing import metrics, network
from foundation.outgoing.errors import DeliveryUnderWay, EndpointUrlRefused
from foundation.outgoing.lifecycle import DELIVERY, STAFF, WORKER, DeliveryStatus

logger = structlog.get_logger(__name__)

# Longer than a task may run.
LEASE = timedelta(seconds=180)
# As Standard Webhooks recommends; about three days.
BACKOFF = tuple(
    timedelta(seconds=s)
    for s in (5, 300, 1800, 2 * 3600, 5 * 3600, 10 * 3600, 14 * 3600, 20 * 3600, 24 * 3600)
)
MAX_ATTEMPTS = len(BACKOFF) + 1
# A subscriber that does not answer at all is left alone for a while, whatever else there is for it.
LONGEST_REST = timedelta(minutes=5)
BATCH = 200

Head = tuple[str, str]


@atomic_retry
def fan_out(*, now: datetime) -> list[Head]:
    """Make the deliveries of new events, BATCH at most. Returns their (endpoint id, subject), for ringing."""
    events = list(
        OutgoingEvent.objects.select_for_update(skip_locked=True)
        .filter(fan_out_at__lte=now)
        .order_by("sequence")[:BATCH]
    )
    if not events:
        return []
    endpoints = list(WebhookEndpoint.objects.order_by("id"))
    rows = [
        WebhookDelivery(event=event, endpoint=endpoint, subject=event.subject, due_at=now)
        for event in events
        for endpoint in endpoints
        if not endpoint.kinds or event.kind in endpoint.kinds
    ]
    WebhookDelivery.objects.bulk_create(rows)
    OutgoingEvent.objects.filter(sequence__in=[event.sequence for event in events]).update(fan_out_at=None)
    return list(dict.fromkeys((row.endpoint_id, row.subject) for row in rows))


def due_heads(*, now: datetime) -> list[Head]:
    """(endpoint id, subject) of what is due at subscribers that are on and not resting; of BATCH rows."""
    rows = (
        WebhookDelivery.objects.filter(due_at__lte=now, endpoint__active=True)
        .filter(Q(endpoint__resting_until__isnull=True) | Q(endpoint__resting_until__lte=now))
        .order_by("due_at")
    )
    return list(dict.fromkeys(rows.values_list("endpoint_id", "subject")[:BATCH]))


def deliver_next(*, endpoint_id: str, subject: str, now: datetime, real_now: datetime | None = None) -> bool:
    """Send the first waiting event of a subject to a subscriber. False when it failed, or nothing is due.

    It is signed as of `real_now`, where that is given: subscribers know nothing of a sandbox's clock.
    """
    delivery = _claim(endpoint_id=endpoint_id, subject=subject, now=now)
    if delivery is None:
        return False
    status, error = _send(delivery, real_now or now)
    delivered = status is not None and 200 <= status < 300
    outcome = "delivered" if delivered else error or f"status_{status}"
    metrics.DELIVERIES.labels("delivered" if delivered else error or f"status_{(status or 0) // 100}xx").inc()
    kept = _record(delivery, delivered=delivered, status=status, error=error, now=now)
    logger.info(
        "webhook_sent",
        delivery_id=delivery.id,
        endpoint_id=endpoint_id,
        event_id=delivery.event.id,
        attempts=delivery.attempts,
        outcome=outcome,
    )
    if kept and delivered:
        metrics.LAG_SECONDS.observe(max(0.0, (now - delivery.event.occurred_at).total_seconds()))
    return kept and delivered


@atomic_retry
def send_again(*, delivery_id: str, now: datetime) -> None:
    """Give it all attempts again, whatever came of the former ones. Raises DeliveryUnderWay when it waits."""
    delivery = WebhookDelivery.objects.select_for_update().get(id=delivery_id)
    if delivery.status == DeliveryStatus.WAITING:
        raise DeliveryUnderWay
    delivery.status = DELIVERY.row(delivery.status, "send_again", STAFF).target
    delivery.attempts, delivery.due_at, delivery.delivered_at = 0, now, None
    delivery.save(update_fields=["status", "attempts", "due_at", "delivered_at"])
    logger.info("webhook_sent_again", delivery_id=delivery_id)


def forget_events(*, now: datetime) -> int:
    """Delete events and their deliveries WEBHOOK_KEEP_DAYS after they happened, unless one still waits."""
    until = now - timedelta(days=settings.WEBHOOK_KEEP_DAYS)
    waiting = WebhookDelivery.objects.filter(due_at__isnull=False).values("event_id")
    forgotten = 0
    while True:
        old = list(
            OutgoingEvent.objects.filter(occurred_at__lt=until, fan_out_at__isnull=True)
            .exclude(sequence__in=waiting)
            .order_by("sequence")
            .values_list("sequence", flat=True)[:BATCH]
        )
        if not old:
            return forgotten
        WebhookDelivery.objects.filter(event_id__in=old).delete()
        forgotten += OutgoingEvent.objects.filter(sequence__in=old).delete()[0]


def _queue(endpoint_id: str, subject: str) -> QuerySet[WebhookDelivery]:
    return WebhookDelivery.objects.filter(
        endpoint_id=endpoint_id, subject=subject, status=DeliveryStatus.WAITING
    )


@atomic_retry
def _claim(*, endpoint_id: str, subject: str, now: datetime) -> WebhookDelivery | None:
    head = _queue(endpoint_id, subject).select_related("event", "endpoint").order_by("event_id").first()
    if head is None or head.due_at is None or not head.endpoint.active:
        return None
    if head.endpoint.resting_until is not None and head.endpoint.resting_until > now:
        return None
    same = WebhookDelivery.objects.filter(
        id=head.id, status=DeliveryStatus.WAITING, attempts=head.attempts, due_at=head.due_at
    )
    if head.due_at > now:
        # Those behind it need not be looked at before; under its lock, as it may be done at this moment.
        if same.select_for_update(skip_locked=True).first() is not None:
            _queue(endpoint_id, subject).filter(due_at__lte=now).update(due_at=head.due_at)
        return None
    if OutgoingEvent.objects.filter(
        subject=subject, sequence__lt=head.event_id, fan_out_at__isnull=False
    ).exists():
        return None  # an earlier one has no delivery yet
    head.attempts += 1
    return head if same.update(attempts=head.attempts, due_at=now + LEASE) else None


def _send(delivery: WebhookDelivery, now: datetime) -> tuple[int | None, str]:
    """The status answered and "", or None and what went wrong, by its name."""
    event, endpoint = delivery.event, delivery.endpoint
    secrets = [secret for secret in (endpoint.secret, endpoint.former_secret) if secret is not None]
    sent_at = now.astimezone(UTC)
    try:
        signatures = [
            Webhook(secret.reveal()).sign(msg_id=event.id, timestamp=sent_at, data=event.body)
            for secret in secrets
        ]
        status = network.post(
            endpoint.url,
            body=event.body.encode(),
            headers={
                "content-type": "application/json",
                "user-agent": "Preloved-Webhooks/1",
                "webhook-id": event.id,
                "webhook-timestamp": str(int(sent_at.timestamp())),
                "webhook-signature": " ".join(signatures),
            },
        )
    except (
        *(httpcore2.NetworkError, httpcore2.TimeoutException, httpcore2.ProtocolError, OSError),
        *(network.AddressRefused, connections.AnswerTooLarge, EndpointUrlRefused),
    ) as error:
        return None, type(error).__name__
    return status, ""


@atomic_retry
def _record(
    delivery: WebhookDelivery, *, delivered: bool, status: int | None, error: str, now: datetime
) -> bool:
    """Write the outcome down if the claim still holds; wake those behind. False when it was taken over."""
    mine = WebhookDelivery.objects.filter(
        id=delivery.id, status=DeliveryStatus.WAITING, attempts=delivery.attempts
    )
    dead = not delivered and delivery.attempts >= MAX_ATTEMPTS
    verb = "deliver" if delivered else "give_up"
    answered = {"last_status": status, "last_error": error[:64]}
    if delivered or dead:
        target = DELIVERY.row(delivery.status, verb, WORKER).target
        kept = mine.update(status=target, due_at=None, delivered_at=now if delivered else None, **answered)
        _queue(delivery.endpoint_id, delivery.subject).update(due_at=now)
    else:
        kept = mine.update(due_at=now + BACKOFF[delivery.attempts - 1], **answered)
    if kept and dead:
        metrics.DEAD.inc()
        logger.error("webhook_dead", delivery_id=delivery.id, endpoint_id=delivery.endpoint_id)
    _rest(delivery.endpoint_id, answers=status is not None and status < 500 and status != 429, now=now)
    return bool(kept)


def _rest(endpoint_id: str, *, answers: bool, now: datetime) -> None:
    endpoint = WebhookEndpoint.objects.filter(id=endpoint_id)
    if answers:
        endpoint.exclude(failures=0).update(failures=0, resting_until=None)
        return
    failures = endpoint.values_list("failures", flat=True).first() or 0
    rest = min(timedelta(seconds=2 ** min(failures, 10)), LONGEST_REST)
    endpoint.update(failures=F("failures") + 1, resting_until=now + rest)
