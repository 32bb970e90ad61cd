"""The tables of batches, and of what members use up in a day. Imported by ai_suggestions.models."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q

from ai_suggestions.lifecycle import BATCH_LIVE, BatchStatus
from foundation.ids import AsciiField, IdField

_LIVE = sorted(status.value for status in BATCH_LIVE)


class SuggestionBatch(models.Model):
    """Many listings of one professional seller, looked at one by one behind everybody else's runs."""

    id = IdField(primary_key=True)
    member = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    status = AsciiField(
        max_length=9,
        choices=[(status.value, status.value) for status in BatchStatus],
        default=BatchStatus.QUEUED.value,
    )
    department = AsciiField(max_length=60, blank=True, default="")
    requested_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)
    ring_at = models.DateTimeField(null=True, help_text="When the sweeper rings (again)")
    turn_until = models.DateTimeField(null=True, help_text="A worker has the batch in hand until then")
    served_at = models.DateTimeField(null=True, help_text="When a listing was last begun")

    class Meta:
        ordering = ("-id",)
        verbose_name_plural = "suggestion batches"
        indexes = [
            # A seller's batches, newest first; and the one whose turn it is.
            models.Index(fields=["member", "id"], name="batch_member"),
            models.Index(fields=["status", "ring_at"], name="batch_ring"),
        ]
        constraints = [
            models.CheckConstraint(
                name="batch_known_status", condition=Q(status__in=[s.value for s in BatchStatus])
            ),
            models.CheckConstraint(
                name="batch_live_is_swept",
                condition=Q(status__in=_LIVE, ring_at__isnull=False, finished_at__isnull=True)
                | ~Q(status__in=_LIVE)
                & Q(ring_at__isnull=True, turn_until__isnull=True, finished_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.id} {self.status}"


class SuggestionBatchItem(models.Model):
    """One listing of a batch: it waits, or has its run, or was refused with a code."""

    id = IdField(primary_key=True)
    batch = models.ForeignKey(SuggestionBatch, on_delete=models.CASCADE, related_name="+")
    position = models.PositiveSmallIntegerField()
    # As the seller sent it: it may name nothing, or somebody else's.
    listing_id = AsciiField(max_length=26)
    run = models.ForeignKey(
        "ai_suggestions.SuggestionRun", on_delete=models.PROTECT, null=True, related_name="+"
    )
    problem_code = AsciiField(max_length=40, blank=True, default="")

    class Meta:
        ordering = ("batch", "position")
        constraints = [
            models.UniqueConstraint(fields=["batch", "position"], name="batch_item_position_once"),
            models.UniqueConstraint(fields=["batch", "listing_id"], name="batch_item_listing_once"),
            models.CheckConstraint(
                name="batch_item_run_or_problem", condition=Q(problem_code="") | Q(run__isnull=True)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.batch_id} {self.listing_id}"


class MemberUsage(models.Model):
    """What a member has used on a day (UTC) of what their plan allows; cached answers are not counted."""

    id = IdField(primary_key=True)
    member = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    day = models.DateField(db_index=True)
    runs = models.PositiveIntegerField(default=0)
    llm_calls = models.PositiveIntegerField(default=0, help_text="Made, or under way, or perhaps billed")

    class Meta:
        ordering = ("-day", "id")
        verbose_name_plural = "member usage"
        constraints = [models.UniqueConstraint(fields=["member", "day"], name="usage_once_per_day")]

    def __str__(self) -> str:
        return f"{self.member_id} on {self.day}"
