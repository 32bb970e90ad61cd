"""What is known of a seller for taxes: the profile, its numbers, evidence, checks, and who looked at it.

Whatever tells who somebody is is encrypted; what stays in the clear (states, statuses, moments) is what
queries need. Statuses are assigned by dac7.services and nobody else.
"""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from dac7.dossiers import EntityType, Exclusion, Level
from dac7.lifecycle.profiles import CHECK, DOCUMENT, CheckStatus, DocumentStatus
from foundation.encryption import BlindIndexField, EncryptedBytesField, EncryptedTextField
from foundation.ids import AsciiField, IdField

# What the schemas' StringMin1Max200 holds (OECD DPI XML schema v1.0 and its national forms).
TEXT_MAX_LENGTH = 200


class TaxProfile(models.Model):
    """A seller as the law wants them reported. Saved whole or not at all."""

    id = IdField(primary_key=True)
    member = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    entity_type = AsciiField(max_length=10, choices=[(kind.value, kind.value) for kind in EntityType])
    exclusion = AsciiField(
        max_length=20,
        blank=True,
        default="",
        choices=[(why.value, why.value) for why in Exclusion if why],
        help_text="Why an entity is never reported; set by staff, with evidence",
    )
    first_name = EncryptedTextField(max_length=TEXT_MAX_LENGTH, null=True)
    last_name = EncryptedTextField(max_length=TEXT_MAX_LENGTH, null=True)
    birth_date = EncryptedTextField(max_length=10, null=True)
    birth_city = EncryptedTextField(max_length=TEXT_MAX_LENGTH, null=True)
    birth_country = AsciiField(max_length=2, blank=True, default="", help_text="ISO 3166-1 alpha-2")
    legal_name = EncryptedTextField(max_length=TEXT_MAX_LENGTH, null=True)
    registration_number = EncryptedTextField(max_length=TEXT_MAX_LENGTH, null=True)
    registered_in = AsciiField(
        max_length=2,
        blank=True,
        default="",
        help_text="State of the business register, if not of the address",
    )
    establishments = AsciiField(
        max_length=90, blank=True, default="", help_text="States of permanent establishments, by blanks"
    )
    street = EncryptedTextField(max_length=TEXT_MAX_LENGTH)
    building = EncryptedTextField(max_length=TEXT_MAX_LENGTH, null=True)
    postal_code = EncryptedTextField(max_length=TEXT_MAX_LENGTH)
    city = EncryptedTextField(max_length=TEXT_MAX_LENGTH)
    country = AsciiField(max_length=2, help_text="Of the primary address, ISO 3166-1 alpha-2")
    vat_number = EncryptedTextField(max_length=14, null=True)
    has_no_tin = models.BooleanField(default=False, help_text="Says to have none: the message writes NOTIN")
    version = models.PositiveIntegerField(default=1, help_text="Grows with every change; the ETag")
    given_at = models.DateTimeField()
    changed_at = models.DateTimeField()
    kept_for_year = models.PositiveSmallIntegerField(
        help_text="The last calendar year that it may be needed to explain; retention counts from its end"
    )
    erasure_asked_at = models.DateTimeField(null=True, help_text="Done once the law no longer needs it")

    class Meta:
        ordering = ("-id",)
        permissions = [("reveal_taxprofile", "Can reveal dossiers and documents, with a reason")]
        indexes = [models.Index(fields=["kept_for_year", "id"], name="taxprofile_retention")]
        constraints = [
            models.CheckConstraint(
                name="taxprofile_changed_after_given", condition=Q(changed_at__gte=F("given_at"))
            ),
            models.CheckConstraint(
                name="taxprofile_whole_person_or_entity",
                condition=Q(
                    entity_type="individual",
                    first_name__isnull=False,
                    last_name__isnull=False,
                    birth_date__isnull=False,
                    legal_name__isnull=True,
                    registration_number__isnull=True,
                    registered_in="",
                    establishments="",
                    exclusion="",
                )
                | Q(
                    entity_type="entity",
                    legal_name__isnull=False,
                    registration_number__isnull=False,
                    first_name__isnull=True,
                    last_name__isnull=True,
                    birth_date__isnull=True,
                    birth_city__isnull=True,
                    birth_country="",
                ),
            ),
            models.CheckConstraint(
                name="taxprofile_no_tin_has_birthplace",
                condition=Q(has_no_tin=False)
                | Q(entity_type="entity")
                | (Q(birth_city__isnull=False) & ~Q(birth_country="")),
            ),
            models.CheckConstraint(
                name="taxprofile_known_exclusion", condition=Q(exclusion__in=[why.value for why in Exclusion])
            ),
        ]

    def __str__(self) -> str:
        return str(self.id)


class TaxNumber(models.Model):
    """One TIN of a profile: at most one for each state that issued one."""

    id = IdField(primary_key=True)
    profile = models.ForeignKey(TaxProfile, on_delete=models.CASCADE, related_name="numbers")
    state = AsciiField(max_length=2, help_text="That issued it; ISO 3166-1 alpha-2, GR for Greece")
    number = EncryptedTextField(max_length=TEXT_MAX_LENGTH)
    # The same number with several members: one person with two accounts, or somebody else's number.
    number_index = BlindIndexField(of="number", db_index=True)
    ending = AsciiField(max_length=3, help_text="To tell numbers apart without opening them")
    level = AsciiField(max_length=10, choices=[(level.value, level.value) for level in Level])
    checked_at = models.DateTimeField()
    checked_by = AsciiField(max_length=60, help_text="Library and version, registry, or staff")

    class Meta:
        ordering = ("profile_id", "state")
        constraints = [
            models.UniqueConstraint(name="taxnumber_once_per_state", fields=["profile", "state"]),
            models.CheckConstraint(
                name="taxnumber_known_level", condition=Q(level__in=[level.value for level in Level])
            ),
        ]

    def __str__(self) -> str:
        return f"{self.state} {self.id}"


class TaxDocument(models.Model):
    """Evidence that a seller sent: the file is in the storage `documents`, sealed with a key of this row."""

    class Kind(models.TextChoices):
        TIN = "tin", "Shows the TIN"
        IDENTITY = "identity", "Shows who somebody is"
        RESIDENCE = "residence", "Shows where somebody lives"
        REGISTER = "register", "Extract of a business register"
        OTHER = "other", "Something else"

    id = IdField(primary_key=True)
    member = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    kind = AsciiField(max_length=10, choices=Kind.choices)
    media_type = AsciiField(max_length=20)
    size = models.PositiveIntegerField(help_text="Bytes as stored, before sealing")
    file_key = EncryptedBytesField()
    status = AsciiField(
        max_length=10,
        choices=[(status.value, status.value) for status in DocumentStatus],
        default=DocumentStatus.RECEIVED,
    )
    reason = models.CharField(max_length=500, blank=True, default="", help_text="Told to the seller")
    uploaded_at = models.DateTimeField()
    decided_at = models.DateTimeField(null=True)
    decided_by = AsciiField(max_length=60, blank=True, default="")

    class Meta:
        ordering = ("-id",)
        indexes = [models.Index(fields=["status", "id"], name="taxdocument_queue")]
        constraints = [
            models.CheckConstraint(
                name="taxdocument_known_status", condition=Q(status__in=list(DOCUMENT.statuses))
            ),
            models.CheckConstraint(
                name="taxdocument_decided_by_somebody",
                condition=Q(status="received", decided_at__isnull=True, decided_by="")
                | (~Q(status="received") & Q(decided_at__isnull=False) & ~Q(decided_by="")),
            ),
        ]

    def __str__(self) -> str:
        return str(self.id)

    @property
    def file_name(self) -> str:
        """Its name in the storage."""
        return f"tax/{self.id}"


class ProfileCheck(models.Model):
    """One question about one fact of a profile: asked of a registry, or put to a person."""

    class Kind(models.TextChoices):
        VAT = "vat", "VAT number, by VIES"
        HOLDER = "holder", "Holder of the bank account is the seller"
        ADDRESS = "address", "Address is the one given for withdrawals"
        SHARED_TIN = "shared_tin", "TIN stands with somebody else"

    id = IdField(primary_key=True)
    profile = models.ForeignKey(TaxProfile, on_delete=models.CASCADE, related_name="checks")
    kind = AsciiField(max_length=12, choices=Kind.choices)
    about = AsciiField(max_length=2, blank=True, default="", help_text="State of the TIN it is about")
    status = AsciiField(max_length=10, choices=[(status.value, status.value) for status in CheckStatus])
    reason = AsciiField(max_length=40, blank=True, default="", help_text="What did not fit")
    note = models.CharField(max_length=500, blank=True, default="", help_text="Of the person who decided")
    checked_by = AsciiField(max_length=60, blank=True, default="")
    attempts = models.PositiveIntegerField(default=0, help_text="Calls of the registry without an answer")
    due_at = models.DateTimeField(null=True, help_text="When a registry is to be asked (again)")
    opened_at = models.DateTimeField()
    changed_at = models.DateTimeField()
    # True until it is replaced, then NULL: NULLs never collide in a unique constraint.
    is_standing = models.BooleanField(null=True, default=True, editable=False)

    class Meta:
        ordering = ("-id",)
        indexes = [
            models.Index(fields=["due_at"], name="profilecheck_due"),
            models.Index(fields=["status", "id"], name="profilecheck_queue"),
        ]
        constraints = [
            models.UniqueConstraint(
                name="profilecheck_once", fields=["profile", "kind", "about", "is_standing"]
            ),
            models.CheckConstraint(
                name="profilecheck_known_status", condition=Q(status__in=list(CHECK.statuses))
            ),
            models.CheckConstraint(
                name="profilecheck_standing_until_replaced",
                condition=Q(is_standing__isnull=False, is_standing=True) & ~Q(status="replaced")
                | Q(is_standing__isnull=True, status="replaced"),
            ),
            models.CheckConstraint(
                name="profilecheck_waiting_is_due", condition=~Q(status="waiting") | Q(due_at__isnull=False)
            ),
        ]

    def __str__(self) -> str:
        return str(self.id)


class CheckEvent(models.Model):
    """What happened to a check, in order; a trigger refuses changes."""

    id = IdField(primary_key=True)
    profile_check = models.ForeignKey(ProfileCheck, on_delete=models.CASCADE, related_name="events")
    verb = AsciiField(max_length=12)
    source = AsciiField(max_length=10, blank=True, default="")
    target = AsciiField(max_length=10)
    actor = AsciiField(max_length=10)
    actor_id = AsciiField(max_length=60, blank=True, default="")
    reason = AsciiField(max_length=40, blank=True, default="")
    note = models.CharField(max_length=500, blank=True, default="", help_text="For staff")
    happened_at = models.DateTimeField()

    class Meta:
        ordering = ("id",)

    def __str__(self) -> str:
        return f"{self.verb} {self.profile_check_id}"


class AccessLog(models.Model):
    """Which member of staff read what of whom, when and why. It outlives the dossier; a trigger refuses
    changes.
    """

    id = IdField(primary_key=True)
    member = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    staff_id = AsciiField(max_length=60)
    what = AsciiField(max_length=60, help_text="dossier, or document and its id")
    reason = models.CharField(max_length=500)
    happened_at = models.DateTimeField()

    class Meta:
        ordering = ("-id",)
        indexes = [models.Index(fields=["member", "id"], name="accesslog_of_member")]
        constraints = [models.CheckConstraint(name="accesslog_has_reason", condition=~Q(reason=""))]

    def __str__(self) -> str:
        return f"{self.staff_id} read {self.what} of {self.member_id}"
