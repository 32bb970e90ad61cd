"""What staff puts right in the ledger: asked for, and above a limit approved by somebody else."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from balance.lifecycle import CorrectionStatus
from balance.models.ledger import ACCOUNT_ID_LENGTH, Posting
from foundation.ids import AsciiField, IdField

ACTOR_LENGTH = 60


class CorrectionKind(models.TextChoices):
    """What is to be done."""

    REVERSAL = "reversal", "undo a posting"
    MANUAL = "manual", "move an amount between two accounts"


class CorrectionLimit(models.Model):
    """Up to how much one person alone may correct in 24 hours; the latest row that has begun counts.

    Without a row every correction in the currency needs a second person.
    """

    id = IdField(primary_key=True)
    currency = AsciiField(max_length=3)
    valid_from = models.DateTimeField()
    alone_minor = models.BigIntegerField(help_text="Minor units that one person may correct in 24 hours")
    set_by = AsciiField(
        max_length=ACTOR_LENGTH,
        blank=True,
        default="",
        editable=False,
        help_text="staff:…, who needs a second person whatever the limit",
    )

    class Meta:
        ordering = ("currency", "-valid_from")
        constraints = [
            models.UniqueConstraint(fields=["currency", "valid_from"], name="correctionlimit_once"),
            models.CheckConstraint(name="correctionlimit_not_negative", condition=Q(alone_minor__gte=0)),
        ]

    def __str__(self) -> str:
        return f"{self.currency} {self.valid_from:%Y-%m-%d}"


class Correction(models.Model):
    """A correction with who asked for it, who decided and why. `amount_minor` is what it moves in all."""

    id = IdField(primary_key=True)
    kind = AsciiField(max_length=10, choices=CorrectionKind.choices)
    status = AsciiField(max_length=10, choices=[(s.value, s.value) for s in CorrectionStatus])
    undoes = models.ForeignKey(Posting, on_delete=models.PROTECT, null=True, related_name="+")
    debit_account = AsciiField(
        max_length=ACCOUNT_ID_LENGTH, blank=True, default="", help_text="of a manual one"
    )
    credit_account = AsciiField(
        max_length=ACCOUNT_ID_LENGTH, blank=True, default="", help_text="of a manual one"
    )
    amount_minor = models.BigIntegerField()
    currency = AsciiField(max_length=3)
    reason = models.CharField(max_length=500)
    needs_second_person = models.BooleanField()
    requested_by = AsciiField(max_length=ACTOR_LENGTH, help_text="staff:…")
    requested_at = models.DateTimeField()
    decided_by = AsciiField(max_length=ACTOR_LENGTH, blank=True, default="", help_text="staff:…")
    decided_at = models.DateTimeField(null=True)
    note = models.CharField(max_length=500, blank=True, default="", help_text="Of who decided")
    posting = models.OneToOneField(Posting, on_delete=models.PROTECT, null=True, related_name="+")

    class Meta:
        ordering = ("-id",)
        indexes = [
            # What one person corrected alone in the last 24 hours.
            models.Index(fields=["requested_by", "requested_at"], name="correction_requested"),
        ]
        constraints = [
            models.CheckConstraint(
                name="correction_known_status",
                condition=Q(status__in=[status.value for status in CorrectionStatus]),
            ),
            models.CheckConstraint(
                name="correction_of_a_kind",
                condition=Q(kind="reversal", undoes__isnull=False, debit_account="", credit_account="")
                | (Q(kind="manual", undoes__isnull=True) & ~Q(debit_account="") & ~Q(credit_account="")),
            ),
            models.CheckConstraint(name="correction_moves_something", condition=Q(amount_minor__gt=0)),
            models.CheckConstraint(name="correction_has_reason", condition=~Q(reason="")),
            models.CheckConstraint(
                name="correction_decided_by_somebody",
                condition=Q(status="requested", decided_by="", decided_at__isnull=True, posting__isnull=True)
                | (Q(status="rejected", decided_at__isnull=False, posting__isnull=True) & ~Q(decided_by=""))
                | (Q(status="posted", decided_at__isnull=False, posting__isnull=False) & ~Q(decided_by="")),
            ),
            # Four eyes, also for whoever writes to the table by hand.
            models.CheckConstraint(
                name="correction_approved_by_another",
                condition=Q(needs_second_person=False)
                | ~Q(status="posted")
                | ~Q(decided_by=F("requested_by")),
            ),
        ]

    def __str__(self) -> str:
        return str(self.id)
