"""Exchange rates, and the figures of a filing as they were when it was compiled."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from dac7.figures.sellers import Decision
from foundation.ids import AsciiField, IdField


class ExchangeRate(models.Model):
    """A euro reference rate of the European Central Bank, as published; never changed."""

    id = IdField(primary_key=True)
    currency = AsciiField(max_length=3, help_text="ISO 4217")
    day = models.DateField()
    per_euro = models.DecimalField(max_digits=18, decimal_places=6, help_text="Units for one euro")
    loaded_at = models.DateTimeField()

    class Meta:
        ordering = ("-day", "currency")
        constraints = [
            models.UniqueConstraint(name="exchangerate_once", fields=["currency", "day"]),
            models.CheckConstraint(name="exchangerate_positive", condition=Q(per_euro__gt=0)),
        ]

    def __str__(self) -> str:
        return f"{self.currency} {self.day}"


class Compilation(models.Model):
    """The figures of one filing: of everybody with sales in the year, as the ledger knew them at ``as_of``.

    Its id is the filing's. It is complete once ``finished_at`` is set: then its sums were compared with
    those of the ledger.
    """

    id = IdField(primary_key=True, help_text="Of the filing")
    year = models.PositiveSmallIntegerField()
    state = AsciiField(max_length=2, help_text="Where the operator reports, ISO 3166-1 alpha-2")
    as_of = models.DateTimeField(help_text="What changed sales later is not in it")
    finished_at = models.DateTimeField(null=True)
    fingerprint = AsciiField(
        max_length=64, blank=True, default="", help_text="SHA-256 of all figures; the same data, the same one"
    )

    class Meta:
        ordering = ("-id",)
        indexes = [models.Index(fields=["year", "state"], name="compilation_of_year")]
        constraints = [
            models.CheckConstraint(
                name="compilation_finished_has_fingerprint",
                condition=Q(finished_at__isnull=True, fingerprint="")
                | (Q(finished_at__isnull=False) & ~Q(fingerprint="")),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.year} {self.state} {self.id}"


class FrozenSeller(models.Model):
    """One reported person of a compilation: the figures, and the lines that they are made of."""

    id = IdField(primary_key=True)
    compilation = models.ForeignKey(Compilation, on_delete=models.CASCADE, related_name="+")
    seller_key = IdField(help_text="The member that stands for the person: the lowest id")
    member_ids = models.JSONField(help_text="All accounts of the person")
    activities = models.PositiveIntegerField()
    euros = models.DecimalField(
        max_digits=20, decimal_places=6, help_text="For the test of the limits; rounded here only"
    )
    quarters = models.JSONField(help_text="Four of dac7.figures.sellers.QuarterFigures")
    warnings = AsciiField(max_length=80, blank=True, default="", help_text="Codes, by blanks")
    explanation = models.BinaryField(help_text="Lines as dac7.figures.explaining packs them")

    class Meta:
        ordering = ("compilation", "seller_key")
        constraints = [
            models.UniqueConstraint(name="frozenseller_once", fields=["compilation", "seller_key"]),
        ]

    def __str__(self) -> str:
        return str(self.seller_key)


class FrozenTotal(models.Model):
    """What a compilation adds up to, by decision and currency: also of those who are not reported."""

    id = IdField(primary_key=True)
    compilation = models.ForeignKey(Compilation, on_delete=models.CASCADE, related_name="+")
    decision = AsciiField(max_length=20, choices=[(one.value, one.value) for one in Decision])
    currency = AsciiField(max_length=3)
    sellers = models.PositiveIntegerField(help_text="With sales in this currency")
    activities = models.PositiveIntegerField()
    consideration_minor = models.BigIntegerField()
    fees_minor = models.BigIntegerField()

    class Meta:
        ordering = ("compilation", "decision", "currency")
        constraints = [
            models.UniqueConstraint(name="frozentotal_once", fields=["compilation", "decision", "currency"]),
            models.CheckConstraint(
                name="frozentotal_known_decision",
                condition=Q(decision__in=[one.value for one in Decision]),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.decision} {self.currency}"
