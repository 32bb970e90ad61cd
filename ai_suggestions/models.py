"""The tables of suggestions. Business effects are in ai_suggestions.services."""

from __future__ import annotations

from enum import StrEnum

from django.conf import settings
from django.db import models
from django.db.models import Case, F, Q, When

from ai_suggestions.contract import Field, Outcome, Standing
from ai_suggestions.lifecycle import LIVE, RunStatus
from foundation.ids import ID_LENGTH, AsciiField, IdField


class Decision(StrEnum):
    """What the seller did with a suggestion."""

    NONE = "none"
    ACCEPTED = "accepted"
    EDITED = "edited"
    REJECTED = "rejected"


def _choices(values: type[StrEnum]) -> list[tuple[str, str]]:
    return [(value.value, value.value.replace("_", " ")) for value in values]


class SuggestionRun(models.Model):
    """One look at a listing's photos: first a row, then work for whoever claims it."""

    id = IdField(primary_key=True)
    listing = models.ForeignKey("listings.Listing", on_delete=models.PROTECT, related_name="+")
    member = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    status = AsciiField(max_length=10, choices=_choices(RunStatus), default=RunStatus.QUEUED.value)
    version = models.PositiveIntegerField(default=1, help_text="Grows with every change; part of the ETag")
    provider = AsciiField(max_length=30)
    route_version = models.ForeignKey(
        "ai_suggestions.RouteVersion",
        on_delete=models.PROTECT,
        null=True,
        related_name="+",
        help_text="The route that chose the provider, as it was; none: the setting, or staff",
    )
    country = AsciiField(max_length=2, blank=True, default="", help_text="The listing's market")
    photo_set = AsciiField(max_length=64, help_text="SHA-256 over the listing's photos when it was requested")
    # What the seller said in the request; what stands on the draft is read when the work begins.
    department = AsciiField(max_length=60, blank=True, default="")
    language = AsciiField(max_length=8, help_text="Of the composed texts")
    inputs = models.JSONField(default=dict, help_text="Photos and facts as the last attempt saw them")
    attempts = models.PositiveSmallIntegerField(default=0)
    retries = models.PositiveSmallIntegerField(
        default=0, help_text="Times that a broken step was taken again"
    )
    batch = models.ForeignKey(
        "ai_suggestions.SuggestionBatch", on_delete=models.PROTECT, null=True, related_name="+"
    )
    owner = AsciiField(max_length=ID_LENGTH, blank=True, default="", help_text="The attempt that holds it")
    lease_until = models.DateTimeField(null=True)
    ring_at = models.DateTimeField(null=True, help_text="When the sweeper rings (again)")
    steps_done = models.PositiveSmallIntegerField(default=0)
    steps_total = models.PositiveSmallIntegerField(default=0)
    failure_code = AsciiField(max_length=40, blank=True, default="")
    requested_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    # A fence: the listing while the run is live, NULL otherwise. MySQL and MariaDB have no partial indexes.
    live_listing = models.GeneratedField(
        expression=Case(When(status__in=sorted(LIVE), then=F("listing_id"))),
        output_field=AsciiField(max_length=ID_LENGTH, null=True),
        db_persist=True,
    )

    class Meta:
        ordering = ("-id",)
        indexes = [
            # Runs of a listing, newest first.
            models.Index(fields=["listing", "id"], name="run_listing"),
            # The sweeper: rings due, and leases that ran out.
            models.Index(fields=["status", "ring_at"], name="run_ring"),
            models.Index(fields=["status", "lease_until"], name="run_lease"),
            # The roll-up: a day's runs, and the days of what ended since.
            models.Index(fields=["requested_at"], name="run_requested"),
            models.Index(fields=["finished_at"], name="run_finished"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["live_listing"], name="run_one_live_per_listing"),
            models.CheckConstraint(
                name="run_known_status", condition=Q(status__in=[s.value for s in RunStatus])
            ),
            models.CheckConstraint(
                name="run_running_is_leased",
                condition=Q(status=RunStatus.RUNNING.value, lease_until__isnull=False) & ~Q(owner="")
                | ~Q(status=RunStatus.RUNNING.value) & Q(lease_until__isnull=True, owner=""),
            ),
            models.CheckConstraint(
                name="run_queued_is_swept",
                condition=Q(status=RunStatus.QUEUED.value, ring_at__isnull=False)
                | ~Q(status=RunStatus.QUEUED.value) & Q(ring_at__isnull=True),
            ),
            models.CheckConstraint(
                name="run_failed_has_reason",
                condition=Q(status=RunStatus.FAILED.value) & ~Q(failure_code="")
                | ~Q(status=RunStatus.FAILED.value) & Q(failure_code=""),
            ),
            models.CheckConstraint(
                name="run_ended_has_time",
                condition=Q(status__in=sorted(LIVE), finished_at__isnull=True)
                | ~Q(status__in=sorted(LIVE)) & Q(finished_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.id} {self.status}"


class RunStep(models.Model):
    """A step that ended. A later attempt of the run writes it anew."""

    id = IdField(primary_key=True)
    run = models.ForeignKey(SuggestionRun, on_delete=models.CASCADE, related_name="+")
    position = models.PositiveSmallIntegerField()
    attempt = models.PositiveSmallIntegerField()
    name = AsciiField(max_length=30)
    step_version = AsciiField(max_length=80, help_text="Of the model or the rules")
    outcome = AsciiField(max_length=10, choices=_choices(Outcome))
    elapsed_ms = models.PositiveIntegerField()
    error_code = AsciiField(max_length=40, blank=True, default="")
    reused = models.PositiveSmallIntegerField(default=0, help_text="Photos whose reading was known already")
    usage = models.JSONField(default=dict, help_text="Tokens and the like")
    findings = models.JSONField(default=list, help_text="What it found about photos, beside fields")
    ended_at = models.DateTimeField()

    class Meta:
        ordering = ("run", "position")
        constraints = [
            models.UniqueConstraint(fields=["run", "position"], name="run_step_position_once"),
            models.CheckConstraint(
                name="run_step_broken_has_reason",
                condition=Q(outcome__in=[Outcome.FAILED.value, Outcome.TIMED_OUT.value]) & ~Q(error_code="")
                | Q(outcome__in=[Outcome.OK.value, Outcome.ABSTAINED.value], error_code=""),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} {self.outcome}"


class FieldSuggestion(models.Model):
    """What a run says about one field, and what the seller did with it."""

    id = IdField(primary_key=True)
    run = models.ForeignKey(SuggestionRun, on_delete=models.CASCADE, related_name="+")
    field = AsciiField(max_length=12, choices=_choices(Field))
    state = AsciiField(max_length=9, choices=_choices(Standing))
    value = models.JSONField(null=True)
    alternatives = models.JSONField(default=list)
    confidence = models.FloatField(null=True, help_text="Probability, 0-1")
    certainty = AsciiField(
        max_length=10, blank=True, default="", help_text="The provider's own word for how sure it is"
    )
    evidence = models.JSONField(default=list)
    note = AsciiField(max_length=40, blank=True, default="")
    within = AsciiField(max_length=60, blank=True, default="", help_text="Category: the parent that is sure")
    step = AsciiField(max_length=30)
    step_version = AsciiField(max_length=80)
    decision = AsciiField(max_length=8, choices=_choices(Decision), default=Decision.NONE.value)
    decided_value = models.JSONField(null=True)
    decided_at = models.DateTimeField(null=True)
    edit_distance = models.PositiveIntegerField(
        null=True, help_text="Characters (texts) or items changed from what was offered to what was decided"
    )
    updated_at = models.DateTimeField()

    class Meta:
        ordering = ("run", "id")
        indexes = [
            # The roll-up: decided since.
            models.Index(fields=["decided_at"], name="suggestion_decided"),
            # Certainties of a version that were decided on.
            models.Index(fields=["step_version", "decided_at"], name="suggestion_version_decided"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["run", "field"], name="suggestion_once_per_field"),
            models.CheckConstraint(
                name="suggestion_known_field", condition=Q(field__in=[f.value for f in Field])
            ),
            models.CheckConstraint(
                name="suggestion_proposed_has_value",
                condition=Q(state=Standing.PROPOSED.value, value__isnull=False)
                | Q(state__in=[Standing.CHOICE.value, Standing.ABSTAINED.value], value__isnull=True),
            ),
            models.CheckConstraint(
                name="suggestion_confidence_is_share",
                condition=Q(confidence__isnull=True) | Q(confidence__gte=0.0, confidence__lte=1.0),
            ),
            models.CheckConstraint(
                name="suggestion_decided_has_time",
                condition=Q(decision=Decision.NONE.value, decided_at__isnull=True)
                | Q(
                    decision__in=[d.value for d in Decision if d is not Decision.NONE],
                    decided_at__isnull=False,
                ),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.field} {self.state}"


class PhotoReading(models.Model):
    """What a model version read from a photo's content, so that the same photo is not read twice."""

    id = IdField(primary_key=True)
    sha256 = AsciiField(max_length=64)
    step = AsciiField(max_length=30)
    step_version = AsciiField(max_length=80)
    reading = models.JSONField()
    read_at = models.DateTimeField(db_index=True)

    class Meta:
        ordering = ("id",)
        constraints = [
            models.UniqueConstraint(
                fields=["sha256", "step", "step_version"], name="reading_once_per_version"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.step} of {self.sha256[:12]}"


# Tables that have modules of their own: batches, photo checks, routes, … Django looks for models here.
from ai_suggestions import batch_tables, limit_tables, photo_tables, routing_tables  # noqa: E402, F401
from ai_suggestions.evaluation import tables as evaluation_tables  # noqa: E402, F401
from ai_suggestions.llm import tables as llm_tables  # noqa: E402, F401
