from __future__ import annotations

from datetime import timedelta

from django.db import models

from foundation.encryption import EncryptedBytesField, EncryptedTextField
from foundation.ids import AsciiField, IdField, new_id
from foundation.incoming.lifecycle import EventStatus
from foundation.outgoing.lifecycle import DeliveryStatus


class IdempotencyRecord(models.Model):
    """The first answer to a POST with an Idempotency-Key, per member and endpoint.

    `running` rows are fenced by (owner, lease_until); the answer is written in the transaction of
    the effect, so a row is `done` exactly when the effect is committed.
    """

    RUNNING, DONE = "running", "done"

    id = IdField(primary_key=True)
    member_id = IdField()
    # SHA-256 of method, path and key: a fence of fixed length whatever the client sends.
    fence = AsciiField(max_length=64)
    fingerprint = AsciiField(max_length=64)
    status = AsciiField(max_length=8, choices=[(RUNNING, "running"), (DONE, "done")], default=RUNNING)
    owner = IdField()
    lease_until = models.DateTimeField()
    response_status = models.PositiveSmallIntegerField(null=True)
    response_headers = models.JSONField(default=dict)
    response_body = models.TextField(default="")
    created_at = models.DateTimeField(db_index=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["member_id", "fence"], name="idempotency_one_per_member_and_key"),
            models.CheckConstraint(
                condition=models.Q(status="running", response_status__isnull=True)
                | models.Q(status="done", response_status__isnull=False),
                name="idempotency_done_has_answer",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.fence[:12]} {self.status}"


ID_OF_PROVIDER_LENGTH = 200


class IncomingEvent(models.Model):
    """A provider's callback, stored before anything is done about it (foundation.incoming).

    `due_at`: when the next attempt may begin; while one runs, when its lease ends. The events of one
    subject are handled in the order of (occurred_at, id).
    """

    id = IdField(primary_key=True)
    source = AsciiField(max_length=61)
    event_id = AsciiField(max_length=ID_OF_PROVIDER_LENGTH)
    subject_id = AsciiField(max_length=ID_OF_PROVIDER_LENGTH)
    occurred_at = models.DateTimeField()
    received_at = models.DateTimeField(db_index=True)
    # Personal data; null once it was kept long enough.
    body = EncryptedBytesField(null=True)
    status = AsciiField(
        max_length=9, choices=[(s.value, s.value) for s in EventStatus], default=EventStatus.WAITING
    )
    attempts = models.PositiveSmallIntegerField(default=0)
    due_at = models.DateTimeField(null=True, db_index=True)
    processed_at = models.DateTimeField(null=True)
    # The name of what the last failed attempt raised.
    last_error = AsciiField(max_length=64, default="")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["source", "event_id"], name="incoming_event_stored_once"),
            models.CheckConstraint(
                condition=models.Q(status="waiting", due_at__isnull=False, body__isnull=False)
                | (models.Q(due_at__isnull=True) & ~models.Q(status="waiting")),
                name="incoming_event_waiting_is_due",
            ),
            models.CheckConstraint(
                condition=models.Q(status="processed", processed_at__isnull=False)
                | (models.Q(processed_at__isnull=True) & ~models.Q(status="processed")),
                name="incoming_event_processed_has_time",
            ),
        ]
        indexes = [
            models.Index(
                fields=["source", "subject_id", "status", "occurred_at"], name="incoming_event_by_subject"
            )
        ]

    def __str__(self) -> str:
        return f"{self.source} {self.id} {self.status}"


class OutgoingEvent(models.Model):
    """Something that happened, to be told to subscribers (foundation.outgoing).

    `sequence` orders the events of a subject, which are appended under its lock; `id` is what subscribers
    see. `fan_out_at`: set until each subscriber has its delivery.
    """

    sequence = models.BigAutoField(primary_key=True)
    id = IdField(default=new_id, unique=True, editable=False)
    kind = AsciiField(max_length=60)
    subject = AsciiField(max_length=60)
    # The very text that is signed and sent. Ids, states and amounts only.
    body = models.TextField()
    occurred_at = models.DateTimeField(db_index=True)
    fan_out_at = models.DateTimeField(null=True, db_index=True)

    class Meta:
        indexes = [models.Index(fields=["subject", "sequence"], name="outgoing_event_by_subject")]

    def __str__(self) -> str:
        return f"{self.kind} {self.subject}"


class WebhookEndpoint(models.Model):
    """A subscriber's address. `kinds` of events, none means all. Two secrets while one replaces the other."""

    id = IdField(primary_key=True)
    url = models.CharField(max_length=500)
    description = models.CharField(max_length=200, blank=True, default="")
    kinds = models.JSONField(default=list, blank=True)
    secret = EncryptedTextField()
    former_secret = EncryptedTextField(null=True)
    active = models.BooleanField(default=True)
    # Attempts in a row that were not answered, and until when no other is made because of them.
    failures = models.PositiveIntegerField(default=0)
    resting_until = models.DateTimeField(null=True)
    created_at = models.DateTimeField()

    def __str__(self) -> str:
        return str(self.id)


class WebhookDelivery(models.Model):
    """One event on its way to one subscriber. `due_at`: the next attempt, or the end of the lease of one."""

    id = IdField(primary_key=True)
    event = models.ForeignKey(OutgoingEvent, on_delete=models.CASCADE)
    endpoint = models.ForeignKey(WebhookEndpoint, on_delete=models.PROTECT)
    subject = AsciiField(max_length=60)
    status = AsciiField(
        max_length=9, choices=[(s.value, s.value) for s in DeliveryStatus], default=DeliveryStatus.WAITING
    )
    attempts = models.PositiveSmallIntegerField(default=0)
    due_at = models.DateTimeField(null=True, db_index=True)
    delivered_at = models.DateTimeField(null=True)
    last_status = models.PositiveSmallIntegerField(null=True)
    last_error = AsciiField(max_length=64, default="")

    class Meta:
        verbose_name_plural = "webhook deliveries"
        constraints = [
            models.UniqueConstraint(fields=["event", "endpoint"], name="webhook_delivery_once"),
            models.CheckConstraint(
                condition=models.Q(status="waiting", due_at__isnull=False)
                | (models.Q(due_at__isnull=True) & ~models.Q(status="waiting")),
                name="webhook_delivery_waiting_is_due",
            ),
            models.CheckConstraint(
                condition=models.Q(status="delivered", delivered_at__isnull=False)
                | (models.Q(delivered_at__isnull=True) & ~models.Q(status="delivered")),
                name="webhook_delivery_delivered_has_time",
            ),
        ]
        indexes = [
            models.Index(
                fields=["endpoint", "subject", "status", "event"], name="webhook_delivery_by_subject"
            )
        ]

    def __str__(self) -> str:
        return f"{self.id} {self.status}"


CLOCK_FURTHEST = timedelta(days=3660)


class SandboxClock(models.Model):
    """How far a sandbox's business time is ahead of real time (foundation.clock). No row: not at all.

    `target` is where `ahead` is being moved to, stop by stop; `owner` moves it until `lease_until`, in real
    time. Settled: it is there, and whatever was due has been done. `done` and `failed` tell, by the names of
    sweepers, what happened while it was last advanced.
    """

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    ahead = models.DurationField(default=timedelta)
    target = models.DurationField(default=timedelta)
    is_settled = models.BooleanField(default=True)
    owner = IdField(default="", blank=True)
    lease_until = models.DateTimeField(null=True)
    advanced_at = models.DateTimeField()
    done = models.JSONField(default=dict)
    failed = models.JSONField(default=list)

    class Meta:
        verbose_name_plural = "sandbox clock"
        constraints = [
            models.CheckConstraint(condition=models.Q(id=1), name="sandbox_clock_is_one"),
            models.CheckConstraint(
                condition=models.Q(ahead__gte=timedelta(0), target__gte=models.F("ahead")),
                name="sandbox_clock_goes_forward",
            ),
            models.CheckConstraint(
                condition=models.Q(target__lte=CLOCK_FURTHEST), name="sandbox_clock_stays_near"
            ),
            models.CheckConstraint(
                condition=models.Q(is_settled=False) | models.Q(target=models.F("ahead")),
                name="sandbox_clock_settled_at_target",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.ahead} ahead"
