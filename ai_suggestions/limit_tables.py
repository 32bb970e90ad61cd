"""The tables of limits: what the LLM may cost and when it is left alone, and what a plan may use in a day.

Each change is another row (``services.limits``); the newest decides. Where there is none, or where it is
switched off, the settings count. Read by Django through ``ai_suggestions.models``.
"""

from __future__ import annotations

from decimal import Decimal

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q

from foundation.ids import ID_LENGTH, AsciiField, IdField

LONGEST_S = 3600
"""The circuit forgets after a day; within an hour an endpoint that came back should be noticed."""
MOST_A_DAY = 1_000_000


def _price(help_text: str) -> models.DecimalField[Decimal, Decimal]:
    return models.DecimalField(
        max_digits=9, decimal_places=4, validators=[MinValueValidator(0)], help_text=help_text
    )


def _whole(
    least: int, most: int, help_text: str, *, name: str | None = None
) -> models.PositiveIntegerField[int, int]:
    validators = [MinValueValidator(least), MaxValueValidator(most)]
    return models.PositiveIntegerField(name, validators=validators, help_text=help_text)


class LimitVersion(models.Model):
    """Who set a limit, when and why. Rows are added and never changed, so they are the history too."""

    id = IdField(primary_key=True)
    version = models.PositiveIntegerField()
    is_active = models.BooleanField(default=True, help_text="Off: the settings count again")
    note = models.CharField(max_length=300, help_text="Why; for those who come after you")
    changed_at = models.DateTimeField()
    changed_by = AsciiField(max_length=ID_LENGTH, help_text="Member of staff")

    class Meta:
        abstract = True


class LlmPolicy(LimitVersion):
    """What the LLM may cost, what it costs, and when its circuit opens."""

    daily_budget = models.DecimalField(
        max_digits=9,
        decimal_places=2,
        validators=[MinValueValidator(0)],
        help_text="What a day (UTC) may cost, in the currency of the prices; 0 stops all calls that cost",
    )
    input_price = _price("Per million tokens")
    cached_price = _price(
        "Per million tokens that the endpoint had in its cache; without a discount: as above"
    )
    output_price = _price("Per million tokens")
    failures = _whole(1, 100, "So many failures of the endpoint …")
    within_s = _whole(1, LONGEST_S, "… within so many seconds open the circuit …", name="within (seconds)")
    pause_s = _whole(
        1, LONGEST_S, "… for so many seconds, doubled with each probe that fails …", name="pause (seconds)"
    )
    longest_pause_s = _whole(1, LONGEST_S, "… up to so many", name="longest pause (seconds)")
    probe_s = _whole(
        1,
        LONGEST_S,
        "A probe that has not ended by then is given up; longer than any call",
        name="probe (seconds)",
    )

    class Meta:
        verbose_name = "LLM policy"
        verbose_name_plural = "LLM policies"
        ordering = ("-version",)
        constraints = [
            models.UniqueConstraint(fields=["version"], name="llm_policy_version_once"),
            models.CheckConstraint(
                name="llm_policy_amounts_not_negative",
                condition=Q(
                    daily_budget__gte=0, input_price__gte=0, cached_price__gte=0, output_price__gte=0
                ),
            ),
            models.CheckConstraint(
                name="llm_policy_circuit_in_range",
                condition=Q(failures__gte=1, within_s__gte=1, pause_s__gte=1, probe_s__gte=1)
                & Q(longest_pause_s__gte=F("pause_s"), longest_pause_s__lte=LONGEST_S),
                violation_error_message=f"The longest pause: the first one or more, {LONGEST_S} s at most.",
            ),
        ]

    def __str__(self) -> str:
        return f"version {self.version}: {self.daily_budget} a day"


class PlanQuota(LimitVersion):
    """What a member of a plan may use in a day (UTC)."""

    plan = AsciiField(max_length=20)
    runs_per_day = _whole(0, MOST_A_DAY, "Runs beyond it are refused until midnight UTC")
    llm_calls_per_day = _whole(
        0, MOST_A_DAY, "Beyond it runs do without the LLM; 0: never ask it", name="LLM calls per day"
    )

    class Meta:
        ordering = ("plan", "-version")
        constraints = [
            models.UniqueConstraint(fields=["plan", "version"], name="plan_quota_version_once"),
            models.CheckConstraint(
                name="plan_quota_in_range",
                condition=Q(runs_per_day__lte=MOST_A_DAY, llm_calls_per_day__lte=MOST_A_DAY) & ~Q(plan=""),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.plan}, version {self.version}"
