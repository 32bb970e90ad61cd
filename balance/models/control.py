"""How the ledger is watched: sealed days with their totals, and what audits found."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from balance.models.ledger import ACCOUNT_ID_LENGTH
from foundation.ids import AsciiField, IdField


class LedgerDay(models.Model):
    """A day (UTC, by the recorded time) that is over, with the hash of all that was posted on it.

    Each hash covers the one before, so that whoever changes a posting of the past has to change every day
    since; the hashes also go to the log, where the database's owner cannot reach them.
    """

    day = models.DateField(primary_key=True)
    previous_hash = AsciiField(
        max_length=64, blank=True, help_text="Of the sealed day before; empty for the first"
    )
    hash = AsciiField(max_length=64, unique=True, help_text="SHA-256, balance.chain says of what")
    postings = models.PositiveBigIntegerField()
    transfers = models.PositiveBigIntegerField()
    sealed_at = models.DateTimeField()

    class Meta:
        ordering = ("-day",)
        constraints = [models.CheckConstraint(name="ledger_day_has_hash", condition=~Q(hash=""))]

    def __str__(self) -> str:
        return f"{self.day} {self.hash[:12]}"


class LedgerDayTotal(models.Model):
    """What a sealed day debited and credited to an account of the platform or of a charity, or to all
    members' accounts of a kind and currency together: the checkpoints of what carries no balance.
    """

    id = IdField(primary_key=True)
    day = models.ForeignKey(LedgerDay, on_delete=models.CASCADE, related_name="+")
    account = AsciiField(max_length=ACCOUNT_ID_LENGTH, help_text="Account id, or members:kind:currency")
    debits_minor = models.BigIntegerField()
    credits_minor = models.BigIntegerField()

    class Meta:
        ordering = ("account", "day")
        constraints = [
            models.UniqueConstraint(fields=["account", "day"], name="day_total_once"),
            models.CheckConstraint(
                name="day_total_not_negative", condition=Q(debits_minor__gte=0, credits_minor__gte=0)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.day_id} {self.account}"


class AuditRun(models.Model):
    """One recomputation of the whole ledger."""

    id = IdField(primary_key=True)
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField()
    accounts = models.PositiveBigIntegerField(help_text="Accounts that were recomputed")
    transfers = models.PositiveBigIntegerField(help_text="Transfers that were added up")
    findings = models.PositiveIntegerField()

    class Meta:
        ordering = ("-id",)

    def __str__(self) -> str:
        return f"{self.started_at:%Y-%m-%d %H:%M} {self.findings} findings"


class FindingKind(models.TextChoices):
    """What an audit may find."""

    BALANCE_DRIFT = "balance_drift", "the cached balance is not the sum of the transfers"
    HISTORY_DRIFT = "history_drift", "the balance after the latest entry is not the cached one"
    SET_ASIDE_DRIFT = "set_aside_drift", "holds or withdrawals add up to something else than their account"
    EMPTY_POSTING = "empty_posting", "a posting moved nothing"
    CHAIN_BROKEN = "chain_broken", "a sealed day is not what it was when it was sealed"
    TOTAL_DRIFT = "total_drift", "the totals of a sealed day are not those of its transfers"


class AuditFinding(models.Model):
    """Something that must not be."""

    id = IdField(primary_key=True)
    run = models.ForeignKey(AuditRun, on_delete=models.CASCADE, related_name="+")
    kind = AsciiField(max_length=20, choices=FindingKind.choices)
    subject = AsciiField(max_length=ACCOUNT_ID_LENGTH, help_text="Account id, posting id or day")
    expected = models.CharField(max_length=80)
    found = models.CharField(max_length=80)

    class Meta:
        ordering = ("run", "id")
        constraints = [
            models.UniqueConstraint(fields=["run", "kind", "subject"], name="finding_once"),
            models.CheckConstraint(name="finding_known_kind", condition=Q(kind__in=FindingKind.values)),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.subject}"
