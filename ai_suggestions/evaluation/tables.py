"""The tables of evaluation: what sellers did day by day, what certainties are worth, what was exported.

Read by Django through ``ai_suggestions.models``.
"""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from foundation.ids import ID_LENGTH, AsciiField, IdField

NO_CONFIDENCE = -1
"""The bin of suggestions without a probability."""

ACCEPTANCE = "acceptance"
"""The roll-up that makes AcceptanceDay."""


class AcceptanceDay(models.Model):
    """Suggestions of the runs requested on a day (UTC), counted by what sellers did with them until now.

    ``bin`` is the confidence's: of ``figures.BINS`` equal ones, or NO_CONFIDENCE. A day is counted anew when
    somebody decides later, so the rows of a day change together.
    """

    id = IdField(primary_key=True)
    day = models.DateField()
    field = AsciiField(max_length=12)
    step = AsciiField(max_length=30)
    step_version = AsciiField(max_length=80)
    country = AsciiField(max_length=2, blank=True, default="")
    bin = models.SmallIntegerField()
    offered = models.PositiveIntegerField()
    accepted = models.PositiveIntegerField()
    edited = models.PositiveIntegerField()
    rejected = models.PositiveIntegerField()
    kept = models.PositiveIntegerField(help_text="Of the accepted: what was filled in, or one of a choice")
    decided_confidence = models.FloatField(help_text="Sum over those that were decided")
    edit_distance = models.PositiveBigIntegerField(help_text="Sum over those that have one")
    measured = models.PositiveIntegerField(help_text="How many have an edit distance")

    class Meta:
        verbose_name, verbose_name_plural = "acceptance of a day", "acceptance"
        ordering = ("-day", "field", "step_version", "country", "bin")
        indexes = [models.Index(fields=["field", "day"], name="acceptance_field_day")]
        constraints = [
            models.UniqueConstraint(
                fields=["day", "field", "step", "step_version", "country", "bin"], name="acceptance_day_once"
            ),
            models.CheckConstraint(
                name="acceptance_decided_is_part",
                condition=Q(offered__gte=F("accepted") + F("edited") + F("rejected"))
                & Q(accepted__gte=F("kept")),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.day} {self.field} {self.step_version}"


class RollUp(models.Model):
    """How far a roll-up has come; its row is the lock of whoever rolls up."""

    name = AsciiField(max_length=20, primary_key=True)
    done_until = models.DateTimeField(null=True, help_text="Everything that happened before is counted")

    class Meta:
        ordering = ("name",)

    def __str__(self) -> str:
        return f"{self.name} until {self.done_until}"


class CalibrationFigure(models.Model):
    """How often a model was right when it used a word for its certainty about a field.

    A provider uses the figures that staff approved. ``is_approved`` is NULL before and after that: MySQL has
    no partial unique index, but NULLs never collide.
    """

    id = IdField(primary_key=True)
    provider = AsciiField(max_length=30)
    step_version = AsciiField(max_length=80, help_text="Prompt and model, as stored with suggestions")
    prompt_version = AsciiField(max_length=40)
    model = models.CharField(max_length=255)
    field = AsciiField(max_length=12)
    certainty = AsciiField(max_length=10)
    hits = models.PositiveIntegerField(help_text="How often it was right")
    n = models.PositiveIntegerField(help_text="Of how many")
    probability = models.FloatField(help_text="Share that was right")
    at_least = models.FloatField(help_text="Lower end of Wilson's 95 % interval")
    source = models.CharField(max_length=200, help_text="Decisions of a period, or a labelled folder")
    measured_at = models.DateTimeField()
    is_approved = models.BooleanField(null=True, default=None, editable=False)
    approved_at = models.DateTimeField(null=True)
    approved_by = AsciiField(max_length=ID_LENGTH, blank=True, default="")
    withdrawn_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ("-id",)
        constraints = [
            models.UniqueConstraint(
                fields=["provider", "step_version", "field", "certainty", "is_approved"],
                name="calibration_approved_once",
            ),
            models.CheckConstraint(
                name="calibration_is_share",
                condition=Q(n__gte=1, hits__lte=F("n"), probability__gte=0, probability__lte=1)
                & Q(at_least__gte=0, at_least__lte=F("probability")),
            ),
            models.CheckConstraint(
                name="calibration_approved_has_time",
                # IS NOT NULL besides "= true": a CHECK passes what is neither true nor false.
                condition=Q(is_approved__isnull=True)
                | Q(is_approved__isnull=False, is_approved=True, approved_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.field} {self.certainty}: {self.probability:.3f}"


class TrainingExport(models.Model):
    """One run of ``export_training_data``: what left, and when."""

    id = IdField(primary_key=True)
    made_at = models.DateTimeField()
    folder = models.CharField(max_length=255, help_text="Its name, without the path")
    since_at = models.DateTimeField()
    until_at = models.DateTimeField(help_text="Exclusive")
    decisions = models.PositiveIntegerField()
    withheld = models.PositiveIntegerField()

    class Meta:
        ordering = ("-id",)

    def __str__(self) -> str:
        return f"{self.folder} of {self.made_at:%Y-%m-%d}"


class ExportedRun(models.Model):
    """A run whose texts and photos left with a member's consent; the base of removal lists."""

    id = IdField(primary_key=True)
    export = models.ForeignKey(TrainingExport, on_delete=models.PROTECT, related_name="+")
    number = models.PositiveIntegerField(help_text="`run` in the export's tables")
    listing_id = AsciiField(max_length=ID_LENGTH, db_index=True)
    member_id = AsciiField(max_length=ID_LENGTH, db_index=True)
    consent_version = AsciiField(max_length=20, help_text="Of the text that the member agreed to")
    photos = models.JSONField(default=list, help_text="SHA-256 of each; the file is photos/<sha256>.jpg")

    class Meta:
        ordering = ("export", "number")
        constraints = [
            models.UniqueConstraint(fields=["export", "number"], name="exported_run_once"),
        ]

    def __str__(self) -> str:
        return f"{self.number} of {self.export_id}"
