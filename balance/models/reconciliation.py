"""Settlement files of payment providers, line by line, and how each line compares with the ledger."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from balance.lifecycle import SettlementCaseStatus
from balance.models.ledger import Posting
from foundation.ids import AsciiField, IdField

PROVIDER_LENGTH = 30
REFERENCE_LENGTH = 100


class SettlementType(models.TextChoices):
    """What a line of a settlement file tells of."""

    PAYMENT = "payment", "a buyer's card was charged"
    REFUND = "refund", "a buyer's card got money back"
    CHARGEBACK = "chargeback", "a buyer's bank took money back, its fee included"
    CHARGEBACK_WON = "chargeback_won", "a buyer's bank gave money back"
    PAYOUT = "payout", "what the provider paid to our bank for the lines of this file"
    TRANSFER = "transfer", "money left our bank for a member or a charity"
    TRANSFER_RETURNED = "transfer_returned", "such money came back"
    BANK_FEE = "bank_fee", "our bank took a fee that belongs to no transfer"
    PAYOUT_RECEIVED = "payout_received", "what a provider of cards paid out reached our bank"


class SettlementFile(models.Model):
    """A file that was imported, once."""

    id = IdField(primary_key=True)
    provider = AsciiField(max_length=PROVIDER_LENGTH)
    sha256 = AsciiField(max_length=64, help_text="Of the whole file; the fence against importing it twice")
    name = models.CharField(max_length=200)
    currency = AsciiField(max_length=3)
    lines = models.PositiveIntegerField(help_text="Without the payout")
    paid_out_minor = models.BigIntegerField(help_text="What reached our bank, or left it by transfers")
    fees_minor = models.BigIntegerField(help_text="Posted with a payout, those of transfers line by line")
    first_at = models.DateTimeField(help_text="Of the earliest line")
    last_at = models.DateTimeField(help_text="Of the latest line")
    imported_by = AsciiField(max_length=60)
    imported_at = models.DateTimeField()
    posting = models.OneToOneField(
        Posting, on_delete=models.PROTECT, null=True, related_name="+", help_text="psp_settled, of cards"
    )

    class Meta:
        ordering = ("-id",)
        constraints = [
            models.UniqueConstraint(fields=["provider", "sha256"], name="settlementfile_once"),
            models.CheckConstraint(
                name="settlementfile_not_negative", condition=Q(paid_out_minor__gte=0, fees_minor__gte=0)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.provider} {self.name}"

    @property
    def posted_as(self) -> str:
        """The reference of what its import posted."""
        return f"settlement:{self.provider}:{self.id}"


class SettlementLine(models.Model):
    """A line as the provider wrote it. `amount_minor` is signed: what raised our money there."""

    id = IdField(primary_key=True)
    file = models.ForeignKey(SettlementFile, on_delete=models.PROTECT, related_name="+")
    number = models.PositiveIntegerField(help_text="In the file, the header being 1")
    type = AsciiField(max_length=20, choices=SettlementType.choices)
    provider = AsciiField(max_length=PROVIDER_LENGTH)
    provider_id = AsciiField(max_length=REFERENCE_LENGTH, help_text="The provider's own id of the movement")
    reference = AsciiField(
        max_length=REFERENCE_LENGTH, blank=True, help_text="Ours, as we gave it to the provider"
    )
    currency = AsciiField(max_length=3)
    amount_minor = models.BigIntegerField()
    fee_minor = models.BigIntegerField()
    occurred_at = models.DateTimeField()

    class Meta:
        ordering = ("file", "number")
        constraints = [
            models.UniqueConstraint(fields=["provider", "provider_id"], name="settlementline_once"),
            models.CheckConstraint(
                name="settlementline_known_type", condition=Q(type__in=SettlementType.values)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.provider} {self.provider_id}"


class SettlementCase(models.Model):
    """A line, a posting, or both: whether they agree.

    A posting without a line is missing in the file, a line without a posting is missing in the ledger.
    """

    id = IdField(primary_key=True)
    status = AsciiField(max_length=20, choices=[(s.value, s.value) for s in SettlementCaseStatus])
    file = models.ForeignKey(
        SettlementFile, on_delete=models.PROTECT, related_name="+", help_text="Whose import opened it"
    )
    provider = AsciiField(max_length=PROVIDER_LENGTH)
    currency = AsciiField(max_length=3)
    line = models.OneToOneField(SettlementLine, on_delete=models.PROTECT, null=True, related_name="+")
    posting = models.OneToOneField(Posting, on_delete=models.PROTECT, null=True, related_name="+")
    line_minor = models.BigIntegerField(null=True)
    posting_minor = models.BigIntegerField(null=True)
    opened_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    resolved_by = AsciiField(max_length=60, blank=True, default="", help_text="staff:…; empty: by itself")
    note = models.CharField(max_length=500, blank=True, default="")

    class Meta:
        ordering = ("-id",)
        indexes = [
            models.Index(fields=["provider", "status"], name="settlementcase_open"),
        ]
        constraints = [
            models.CheckConstraint(
                name="settlementcase_known_status",
                condition=Q(status__in=[status.value for status in SettlementCaseStatus]),
            ),
            models.CheckConstraint(
                name="settlementcase_has_its_sides",
                condition=Q(
                    status="matched",
                    line__isnull=False,
                    posting__isnull=False,
                    line_minor=models.F("posting_minor"),
                    line_minor__isnull=False,
                )
                | Q(status="amount_mismatch", line__isnull=False, posting__isnull=False)
                | Q(status="missing_in_ledger", line__isnull=False, posting__isnull=True)
                | Q(status="missing_in_file", line__isnull=True, posting__isnull=False)
                | (Q(status="resolved") & ~Q(note="") & ~Q(resolved_by="")),
            ),
            models.CheckConstraint(
                name="settlementcase_open_or_ended",
                condition=Q(status__in=["matched", "resolved"], ended_at__isnull=False)
                | Q(
                    status__in=["amount_mismatch", "missing_in_ledger", "missing_in_file"],
                    ended_at__isnull=True,
                ),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.status} {self.line_id or self.posting_id}"
