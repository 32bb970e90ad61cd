from __future__ import annotations

from django.db import models

from foundation.ids import AsciiField, IdField


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
