"""What is filed: the filing, its messages (files), the frozen records in them, and what the authority said.

A record is kept encrypted, and the files are not kept at all: they are written again from the records, to the
byte, and compared with the checksum of what was validated.
"""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from dac7.lifecycle.filings import FILING, OPEN, RECORD, FilingStatus, RecordStatus
from dac7.message.statuses import DETAILS_LENGTH
from dac7.message.writer import MessageKind, RecordKind
from foundation.encryption import EncryptedTextField
from foundation.ids import AsciiField, IdField

ACTOR_LENGTH = 60
REF_LENGTH = 170
DETAIL_LENGTH = 300
NOTE_LENGTH = 500


class Filing(models.Model):
    """One report of a year to one authority; the first one, or one that corrects.

    `open_key` is the state and year while it is open: two workers cannot open two.
    """

    id = IdField(primary_key=True)
    state = AsciiField(max_length=2, help_text="Member state that is reported to")
    year = models.PositiveSmallIntegerField()
    number = models.PositiveSmallIntegerField(help_text="1 is the first of the year, later ones correct")
    dialect = AsciiField(max_length=20, help_text="Form of the message")
    status = AsciiField(
        max_length=20, default=FILING.initial, choices=[(s.value, s.value) for s in FilingStatus]
    )
    open_key = AsciiField(max_length=10, null=True, unique=True, editable=False)
    opened_at = models.DateTimeField(help_text="Also the Timestamp in its messages")
    opened_by = AsciiField(max_length=ACTOR_LENGTH, help_text="staff:… or clock")
    reason = models.CharField(max_length=NOTE_LENGTH)
    operator = models.TextField(blank=True, default="", help_text="Who reports, as frozen (JSON)")
    claim = IdField(null=True, help_text="The worker that compiles it")
    claimed_until = models.DateTimeField(null=True)
    compiled_at = models.DateTimeField(null=True)
    checked_at = models.DateTimeField(null=True, help_text="When the rules were last applied")
    reviewed_by = AsciiField(max_length=ACTOR_LENGTH, blank=True, default="")
    reviewed_at = models.DateTimeField(null=True)
    review_note = models.CharField(max_length=NOTE_LENGTH, blank=True, default="")
    approved_by = AsciiField(max_length=ACTOR_LENGTH, blank=True, default="")
    approved_at = models.DateTimeField(null=True)
    approval_note = models.CharField(max_length=NOTE_LENGTH, blank=True, default="")
    filed_by = AsciiField(max_length=ACTOR_LENGTH, blank=True, default="")
    filed_at = models.DateTimeField(null=True)
    filing_note = models.CharField(max_length=NOTE_LENGTH, blank=True, default="", help_text="The receipt")
    statements_sent_at = models.DateTimeField(null=True, help_text="When the last seller was told")
    exported_by = AsciiField(max_length=ACTOR_LENGTH, blank=True, default="", help_text="The last one")
    exported_at = models.DateTimeField(null=True)
    withdrawn_by = AsciiField(max_length=ACTOR_LENGTH, blank=True, default="")
    withdrawn_at = models.DateTimeField(null=True)
    withdrawal_note = models.CharField(max_length=NOTE_LENGTH, blank=True, default="")

    class Meta:
        ordering = ("-id",)
        indexes = [models.Index(fields=["status", "id"], name="filing_status")]
        constraints = [
            models.UniqueConstraint(fields=["state", "year", "number"], name="filing_number_once"),
            models.CheckConstraint(
                name="filing_known_status", condition=Q(status__in=[status.value for status in FilingStatus])
            ),
            models.CheckConstraint(
                name="filing_open_key_while_open",
                condition=Q(status__in=[s.value for s in OPEN], open_key__isnull=False)
                | (~Q(status__in=[s.value for s in OPEN]) & Q(open_key__isnull=True)),
            ),
            models.CheckConstraint(name="filing_has_reason", condition=~Q(reason="")),
            # Four eyes, also for whoever writes to the table by hand.
            models.CheckConstraint(
                name="filing_approved_by_another",
                condition=Q(approved_by="") | (~Q(reviewed_by="") & ~Q(approved_by=F("reviewed_by"))),
            ),
            models.CheckConstraint(
                name="filing_beyond_validated_is_approved",
                condition=Q(status__in=["collecting", "compiled", "unchanged", "validated"], approved_by="")
                | (
                    ~Q(status__in=["collecting", "compiled", "unchanged", "validated"])
                    & ~Q(approved_by="")
                    & Q(checked_at__isnull=False)
                ),
            ),
            # The ids of what left the house are used up: nothing else is ever compiled under them.
            models.CheckConstraint(
                name="filing_exported_stays_as_it_is",
                condition=Q(exported_at__isnull=True, exported_by="") & ~Q(status="exported")
                | (
                    Q(exported_at__isnull=False)
                    & ~Q(exported_by="")
                    & ~Q(status__in=["collecting", "compiled", "unchanged", "validated", "approved"])
                ),
            ),
            models.CheckConstraint(
                name="filing_withdrawn_by_another",
                condition=Q(withdrawn_by="", withdrawn_at__isnull=True) & ~Q(status="withdrawn")
                | (
                    Q(withdrawn_at__isnull=False)
                    & ~Q(withdrawn_by="")
                    & ~Q(withdrawn_by=F("exported_by"))
                    & ~Q(withdrawal_note="")
                ),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.state} {self.year} no. {self.number}"


class FilingMessage(models.Model):
    """One file of a filing. `status` is what the authority said of it."""

    id = IdField(primary_key=True)
    filing = models.ForeignKey(Filing, on_delete=models.PROTECT, related_name="messages")
    part = models.PositiveSmallIntegerField()
    indicator = AsciiField(max_length=6, choices=[(k.value, k.value) for k in MessageKind])
    message_ref = AsciiField(max_length=REF_LENGTH, unique=True)
    operator_ref = AsciiField(max_length=REF_LENGTH, help_text="DocRefId of the operator's record")
    operator_kind = AsciiField(max_length=6, choices=[(k.value, k.value) for k in RecordKind])
    file_name = AsciiField(max_length=200)
    seller_count = models.PositiveIntegerField()
    byte_count = models.PositiveBigIntegerField()
    sha256 = AsciiField(max_length=64)
    status = AsciiField(
        max_length=10, default=RECORD.initial, choices=[(s.value, s.value) for s in RecordStatus]
    )
    answered_at = models.DateTimeField(null=True)
    answered_by = AsciiField(max_length=ACTOR_LENGTH, blank=True, default="", help_text="Who imported it")
    answer_sha256 = AsciiField(max_length=64, blank=True, default="", help_text="Of the status file")
    answer_codes = AsciiField(max_length=200, blank=True, default="", help_text="Errors of the whole file")

    class Meta:
        ordering = ("filing", "part")
        constraints = [
            models.UniqueConstraint(fields=["filing", "part"], name="filingmessage_part_once"),
            models.CheckConstraint(
                name="filingmessage_known_status",
                condition=Q(status__in=[status.value for status in RecordStatus]),
            ),
            models.CheckConstraint(
                name="filingmessage_answered",
                condition=Q(status="pending", answered_at__isnull=True)
                | (~Q(status="pending") & Q(answered_at__isnull=False)),
            ),
        ]

    def __str__(self) -> str:
        return str(self.message_ref)


class FilingOmission(models.Model):
    """Who is left out of a filing for now, because they have not said who they are. Of this filing only."""

    id = IdField(primary_key=True)
    filing = models.ForeignKey(Filing, on_delete=models.CASCADE, related_name="omissions")
    seller_id = IdField(help_text="Lowest member id of the person")
    omitted_at = models.DateTimeField()
    omitted_by = AsciiField(max_length=ACTOR_LENGTH)
    reason = models.CharField(max_length=NOTE_LENGTH)

    class Meta:
        ordering = ("filing", "seller_id")
        constraints = [
            models.UniqueConstraint(fields=["filing", "seller_id"], name="filingomission_once"),
            models.CheckConstraint(name="filingomission_has_reason", condition=~Q(reason="")),
        ]

    def __str__(self) -> str:
        return str(self.seller_id)


class FilingExport(models.Model):
    """A file that was given out: to whom, when and why. A trigger refuses changes."""

    id = IdField(primary_key=True)
    message = models.ForeignKey(FilingMessage, on_delete=models.PROTECT, related_name="exports")
    exported_at = models.DateTimeField()
    exported_by = AsciiField(max_length=ACTOR_LENGTH)
    reason = models.CharField(max_length=NOTE_LENGTH)
    is_encrypted = models.BooleanField(help_text="For the recipients of DAC7_AGE_RECIPIENTS")

    class Meta:
        ordering = ("-id",)
        constraints = [models.CheckConstraint(name="filingexport_has_reason", condition=~Q(reason=""))]

    def __str__(self) -> str:
        return f"{self.message_id} to {self.exported_by}"


class FilingRecord(models.Model):
    """What one filing says of one seller, frozen. `standing_key` marks the record that the authority holds
    of a seller and a year: the last accepted one of the chain, unless it deleted.
    """

    id = IdField(primary_key=True)
    filing = models.ForeignKey(Filing, on_delete=models.PROTECT, related_name="records")
    message = models.ForeignKey(FilingMessage, on_delete=models.PROTECT, null=True, related_name="records")
    seller_id = IdField(help_text="Lowest member id of the person")
    kind = AsciiField(max_length=6, choices=[(k.value, k.value) for k in RecordKind])
    doc_ref = AsciiField(max_length=REF_LENGTH, unique=True)
    corrects_ref = AsciiField(max_length=REF_LENGTH, blank=True, default="")
    figures = EncryptedTextField(help_text="The record as it was frozen (JSON)")
    status = AsciiField(
        max_length=10, default=RECORD.initial, choices=[(s.value, s.value) for s in RecordStatus]
    )
    error_code = AsciiField(max_length=10, blank=True, default="")
    error_details = EncryptedTextField(
        null=True,
        max_length=DETAILS_LENGTH,
        help_text="The authority's words, which may tell what it is about",
    )
    standing_key = AsciiField(max_length=40, null=True, unique=True, editable=False)

    class Meta:
        ordering = ("filing", "seller_id")
        indexes = [models.Index(fields=["message", "status"], name="filingrecord_answer")]
        constraints = [
            models.UniqueConstraint(fields=["filing", "seller_id"], name="filingrecord_seller_once"),
            models.CheckConstraint(
                name="filingrecord_known_status",
                condition=Q(status__in=[status.value for status in RecordStatus]),
            ),
            models.CheckConstraint(
                name="filingrecord_corrects_what_it_says",
                condition=Q(kind="OECD1", corrects_ref="")
                | (Q(kind__in=["OECD2", "OECD3"]) & ~Q(corrects_ref="")),
            ),
            models.CheckConstraint(
                name="filingrecord_stands_once_accepted",
                condition=Q(standing_key__isnull=True) | (Q(status="accepted") & ~Q(kind="OECD3")),
            ),
            models.CheckConstraint(
                name="filingrecord_error_has_code",
                condition=Q(status="in_error") & ~Q(error_code="")
                | ~Q(status="in_error") & Q(error_code="", error_details__isnull=True),
            ),
        ]

    def __str__(self) -> str:
        return str(self.doc_ref)


class RecordedMember(models.Model):
    """Whose sales a record holds: a person's accounts are reported as one."""

    id = IdField(primary_key=True)
    record = models.ForeignKey(FilingRecord, on_delete=models.CASCADE, related_name="members")
    member_id = IdField()
    told_at = models.DateTimeField(null=True, help_text="When the statement was announced")

    class Meta:
        ordering = ("record", "member_id")
        indexes = [models.Index(fields=["member_id", "record"], name="recordedmember_member")]
        constraints = [
            models.UniqueConstraint(fields=["record", "member_id"], name="recordedmember_once"),
        ]

    def __str__(self) -> str:
        return str(self.member_id)


class FilingFinding(models.Model):
    """A rule that the filing breaks, from the last time it was checked; without personal data."""

    id = IdField(primary_key=True)
    filing = models.ForeignKey(Filing, on_delete=models.CASCADE, related_name="findings")
    message = models.ForeignKey(FilingMessage, on_delete=models.CASCADE, null=True, related_name="+")
    rule = AsciiField(max_length=40)
    is_warning = models.BooleanField()
    doc_ref = AsciiField(max_length=REF_LENGTH, blank=True, default="")
    detail = models.CharField(max_length=DETAIL_LENGTH)

    class Meta:
        ordering = ("id",)

    def __str__(self) -> str:
        return f"{self.rule} {self.doc_ref}".strip()
