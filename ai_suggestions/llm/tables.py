"""The tables of the LLM provider: what may be spent, what was asked, what it cost.

Read by Django through ``ai_suggestions.models``; written by ``bookkeeping`` only. They hold no words of
members and no photos.
"""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from ai_suggestions.llm.modes import Mode
from foundation.ids import AsciiField, IdField


class LlmDay(models.Model):
    """What is committed on a day (UTC): settled costs, and what is set aside for calls under way.

    One row a day that every call updates twice, for a moment each: a call takes seconds, so it is not hot.
    """

    day = models.DateField(primary_key=True)
    committed_micro = models.BigIntegerField(default=0, help_text="Millionths of the price list's currency")
    shadow_micro = models.BigIntegerField(default=0, help_text="Part of it that shadow runs committed")

    class Meta:
        verbose_name = "LLM day"
        ordering = ("-day",)
        constraints = [
            models.CheckConstraint(name="llm_day_not_negative", condition=Q(committed_micro__gte=0)),
            models.CheckConstraint(
                name="llm_day_shadow_is_part",
                condition=Q(shadow_micro__gte=0, shadow_micro__lte=models.F("committed_micro")),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.day}: {self.committed_micro}"


class LlmReservation(models.Model):
    """A question that is being asked, or was asked and may have been billed. Unique: it is paid once."""

    id = IdField(primary_key=True)
    request = AsciiField(max_length=64, help_text="Fingerprint of the question")
    day = models.DateField()
    amount_micro = models.BigIntegerField(help_text="Set aside while open, the cost once settled")
    settled = models.BooleanField(default=False)

    class Meta:
        ordering = ("id",)
        indexes = [models.Index(fields=["day"], name="llm_reservation_day")]
        constraints = [
            models.UniqueConstraint(fields=["request", "day"], name="llm_reservation_once"),
            models.CheckConstraint(name="llm_reservation_not_negative", condition=Q(amount_micro__gte=0)),
        ]

    def __str__(self) -> str:
        return f"{self.request[:12]} on {self.day}"


class LlmCall(models.Model):
    """One request to an endpoint; the fields are those of ``calls.CallRecord``."""

    id = IdField(primary_key=True)
    called_at = models.DateTimeField(db_index=True)
    request = AsciiField(max_length=64, db_index=True)
    endpoint = models.CharField(max_length=255)
    model = models.CharField(max_length=255)
    served_model = models.CharField(max_length=255, blank=True, default="")
    prompt_version = AsciiField(max_length=40)
    mode = AsciiField(max_length=20, choices=[(mode.value, mode.value) for mode in Mode])
    outcome = AsciiField(max_length=40)
    status = models.PositiveSmallIntegerField(null=True, help_text="Of the HTTP answer, if there was one")
    photos = models.PositiveSmallIntegerField()
    photo_bytes = models.PositiveIntegerField()
    tokens_in = models.PositiveIntegerField()
    tokens_cached = models.PositiveIntegerField(help_text="Part of tokens_in")
    tokens_out = models.PositiveIntegerField()
    usage_reported = models.BooleanField(help_text="False: tokens are unknown, and counted as 0")
    cost_micro = models.BigIntegerField()
    latency_ms = models.PositiveIntegerField()
    retry_after_s = models.FloatField(null=True)

    class Meta:
        verbose_name = "LLM call"
        ordering = ("-id",)
        constraints = [
            models.CheckConstraint(name="llm_call_cost_not_negative", condition=Q(cost_micro__gte=0)),
            models.CheckConstraint(
                name="llm_call_cached_is_part",
                condition=Q(tokens_cached__lte=models.F("tokens_in")),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.model} {self.outcome}"
