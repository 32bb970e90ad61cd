"""Money that is set aside. Written by balance.services.holds and nobody else."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from balance.lifecycle import HoldStatus
from foundation.ids import AsciiField, IdField


class Hold(models.Model):
    """An amount of a member's available money that waits in the held account for one purpose."""

    id = IdField(primary_key=True)
    member = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    key = AsciiField(max_length=120, unique=True, help_text="The caller's: a fence against doing it twice")
    currency = AsciiField(max_length=3)
    amount_minor = models.BigIntegerField()
    reference = AsciiField(max_length=80, help_text="What it is for, opaque to the balance: order:…")
    status = AsciiField(max_length=10, choices=[(status.value, status.value) for status in HoldStatus])
    placed_at = models.DateTimeField()
    expires_at = models.DateTimeField(help_text="When it was to end at the latest")
    # What the sweeper looks for; empty once the hold has ended, so that the index holds open ones only.
    due_at = models.DateTimeField(null=True, db_index=True)
    ended_at = models.DateTimeField(null=True)
    captured_minor = models.BigIntegerField(default=0, help_text="What of it was used")
    ended_by = AsciiField(max_length=160, default="", help_text="Key of the posting that ended it")

    class Meta:
        ordering = ("-id",)
        constraints = [
            models.CheckConstraint(
                name="hold_known_status", condition=Q(status__in=[status.value for status in HoldStatus])
            ),
            models.CheckConstraint(name="hold_has_key", condition=~Q(key="")),
            models.CheckConstraint(
                name="hold_captures_part_of_it",
                condition=Q(amount_minor__gt=0, captured_minor__gte=0, captured_minor__lte=F("amount_minor")),
            ),
            models.CheckConstraint(name="hold_ends_after_start", condition=Q(expires_at__gt=F("placed_at"))),
            models.CheckConstraint(
                name="hold_due_while_active",
                condition=Q(
                    status=HoldStatus.ACTIVE.value,
                    due_at__isnull=False,
                    ended_at__isnull=True,
                    ended_by="",
                    captured_minor=0,
                )
                | (
                    ~Q(status=HoldStatus.ACTIVE.value)
                    & Q(due_at__isnull=True, ended_at__isnull=False)
                    & ~Q(ended_by="")
                ),
            ),
            models.CheckConstraint(
                name="hold_captured_uses_some",
                condition=Q(status=HoldStatus.CAPTURED.value, captured_minor__gt=0)
                | (~Q(status=HoldStatus.CAPTURED.value) & Q(captured_minor=0)),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.key}"
