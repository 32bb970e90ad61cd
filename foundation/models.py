from __future__ import annotations

from django.db import models

from foundation.encryption import EncryptedBytesField
from foundation.ids import AsciiField, IdField
from foundation.incoming.lifecycle import EventStatus


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
