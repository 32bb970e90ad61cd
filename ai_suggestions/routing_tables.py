"""The tables of routing: who answers for which listings, every version of that, and the shadows' answers.

Read by Django through ``ai_suggestions.models``.
"""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from foundation.ids import ID_LENGTH, AsciiField, IdField


class RouteFacts(models.Model):
    """What a route says. A route holds what counts now, its versions what counted before."""

    position = models.PositiveSmallIntegerField(help_text="The first route that fits decides")
    country = AsciiField(
        max_length=2,
        blank=True,
        default="",
        help_text="ISO 3166-1 alpha-2 of the listing; empty: every market",
    )
    plan = AsciiField(max_length=20, blank=True, default="", help_text="Of the seller; empty: every plan")
    share = models.PositiveSmallIntegerField(default=100, help_text="Percent of the listings, 1-100")
    provider = AsciiField(max_length=30)
    llm_fields = models.JSONField(
        default=dict,
        blank=True,
        help_text="Cascade: fields that the LLM may answer, each with the confidence below which it is asked",
    )
    shadow_provider = AsciiField(max_length=30, blank=True, default="", help_text="Looks too, unseen")
    shadow_share = models.PositiveSmallIntegerField(default=0, help_text="Percent of the route's listings")
    shadow_daily_cap = models.DecimalField(
        max_digits=9,
        decimal_places=2,
        null=True,
        blank=True,
        help_text="What all shadows together may cost on a day (UTC) for this route to start one, in the "
        "currency of LLM_PRICES",
    )
    is_active = models.BooleanField(default=True)
    note = models.CharField(max_length=300, help_text="Why; for those who come after you")
    version = models.PositiveIntegerField(default=1)
    changed_at = models.DateTimeField()

    class Meta:
        abstract = True


class ProviderRoute(RouteFacts):
    """Which provider new runs get, by market, plan and share of listings (ai_suggestions.routing)."""

    id = IdField(primary_key=True)

    class Meta:
        ordering = ("position",)
        constraints = [
            models.UniqueConstraint(fields=["position"], name="route_position_once"),
            models.CheckConstraint(name="route_share_is_percent", condition=Q(share__gte=1, share__lte=100)),
            models.CheckConstraint(name="route_has_provider", condition=~Q(provider="")),
            models.CheckConstraint(
                name="route_shadow_has_share",
                condition=Q(shadow_provider="", shadow_share=0)
                | ~Q(shadow_provider="") & Q(shadow_share__gte=1, shadow_share__lte=100),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.position}: {self.share} % of {self.country or 'every market'} to {self.provider}"


class RouteVersion(RouteFacts):
    """A route as it was from ``changed_at`` on. Runs point to the version that they were made under."""

    id = IdField(primary_key=True)
    route = models.ForeignKey(ProviderRoute, on_delete=models.PROTECT, related_name="versions")
    changed_by = AsciiField(
        max_length=ID_LENGTH, blank=True, default="", help_text="Member of staff; empty: a migration"
    )

    class Meta:
        ordering = ("route", "-version")
        constraints = [
            models.UniqueConstraint(fields=["route", "version"], name="route_version_once"),
        ]

    def __str__(self) -> str:
        return f"version {self.version}"


class ShadowRun(models.Model):
    """Another provider's look at what a run saw, after it had ended. The seller is never told.

    Open while ``due_at`` is set: whoever finds it due takes it and puts ``due_at`` off, so that a worker
    that dies leaves it due again.
    """

    id = IdField(primary_key=True)
    run = models.OneToOneField(
        "ai_suggestions.SuggestionRun", on_delete=models.CASCADE, related_name="shadow_run"
    )
    route_version = models.ForeignKey(RouteVersion, on_delete=models.PROTECT, related_name="+")
    provider = AsciiField(max_length=30)
    requested_at = models.DateTimeField()
    due_at = models.DateTimeField(null=True, db_index=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    ended_at = models.DateTimeField(null=True)
    error_code = AsciiField(max_length=40, blank=True, default="", help_text="Why there is no answer")
    steps = models.JSONField(default=list, help_text="Name, version, outcome, error_code, elapsed_ms, usage")
    cost_micro = models.BigIntegerField(default=0, help_text="Millionths of the price list's currency")

    class Meta:
        ordering = ("-id",)
        constraints = [
            models.CheckConstraint(
                name="shadow_open_or_ended",
                condition=Q(due_at__isnull=False, ended_at__isnull=True)
                | Q(due_at__isnull=True, ended_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.provider} on {self.run_id}"


class ShadowField(models.Model):
    """What a shadow says about one field, and whether it and the run were right by the seller's decision."""

    id = IdField(primary_key=True)
    shadow = models.ForeignKey(ShadowRun, on_delete=models.CASCADE, related_name="+")
    field = AsciiField(max_length=12)
    state = AsciiField(max_length=9)
    value = models.JSONField(null=True)
    alternatives = models.JSONField(default=list)
    confidence = models.FloatField(null=True)
    certainty = AsciiField(max_length=10, blank=True, default="")
    note = AsciiField(max_length=40, blank=True, default="")
    step = AsciiField(max_length=30)
    step_version = AsciiField(max_length=80)
    # NULL: not decided, or the decision does not tell (``evaluation.verdicts``).
    is_right = models.BooleanField(null=True)
    live_is_right = models.BooleanField(null=True, help_text="The same of what the seller was shown")
    live_version = AsciiField(max_length=80, blank=True, default="")

    class Meta:
        ordering = ("shadow", "id")
        constraints = [
            models.UniqueConstraint(fields=["shadow", "field"], name="shadow_once_per_field"),
        ]

    def __str__(self) -> str:
        return f"{self.field} {self.state}"
