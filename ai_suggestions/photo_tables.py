"""What checks found on single photos, whether or not anybody asked for suggestions.

A photo can be deleted, so nothing here has a foreign key to one: the rows name it, and a sweeper deletes them
once it is gone (docs/photo-checks.md).
"""

from __future__ import annotations

from enum import StrEnum

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from foundation.ids import ID_LENGTH, AsciiField, IdField


class Scope(StrEnum):
    """Whose the other photo is."""

    SAME_LISTING = "same_listing"
    SAME_SELLER = "same_seller"
    OTHER_SELLER = "other_seller"


class TwinRuling(StrEnum):
    """What a moderator made of two photos that look alike."""

    NONE = ""
    DISMISSED = "dismissed"
    UPHELD = "upheld"


class PhotoCheck(models.Model):
    """One photo: first a row with a due check, then its scores and its fingerprint."""

    id = IdField(primary_key=True)
    photo_id = AsciiField(max_length=ID_LENGTH, unique=True)
    listing = models.ForeignKey("listings.Listing", on_delete=models.PROTECT, related_name="+")
    seller = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    sha256 = AsciiField(max_length=64, help_text="Of the master that was or will be looked at")
    ready_at = models.DateTimeField(
        db_index=True, help_text="When the photo became ready; the sweeper's mark"
    )
    due_at = models.DateTimeField(
        null=True, db_index=True, help_text="When the sweeper rings (again); NULL once checked"
    )
    attempts = models.PositiveSmallIntegerField(default=0)
    failure_code = AsciiField(max_length=40, blank=True, default="")
    unsafe = models.FloatField(null=True, help_text="Score of the safety net, 0-1; not calibrated")
    safety_version = AsciiField(max_length=80, blank=True, default="")
    embedding = models.BinaryField(null=True, help_text="float16, little endian, unit length")
    phash = AsciiField(max_length=16, blank=True, default="", help_text="64 bits in hex")
    phash_mirrored = AsciiField(max_length=16, blank=True, default="")
    fingerprint_version = AsciiField(max_length=80, blank=True, default="")
    checked_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ("-id",)
        constraints = [
            models.CheckConstraint(
                name="photo_check_due_until_checked",
                condition=Q(due_at__isnull=False, checked_at__isnull=True)
                | Q(due_at__isnull=True, checked_at__isnull=False),
            ),
            models.CheckConstraint(
                name="photo_check_unsafe_is_share",
                condition=Q(unsafe__isnull=True) | Q(unsafe__gte=0.0, unsafe__lte=1.0),
            ),
        ]

    def __str__(self) -> str:
        return f"check of {self.photo_id}"


class PhotoKey(models.Model):
    """A bucket that a photo's fingerprint falls into: photos that look alike share some."""

    id = IdField(primary_key=True)
    check_of = models.ForeignKey(PhotoCheck, on_delete=models.CASCADE, related_name="+")
    key = models.BigIntegerField()

    class Meta:
        ordering = ("id",)
        constraints = [models.UniqueConstraint(fields=["key", "check_of"], name="photo_key_once")]

    def __str__(self) -> str:
        return f"{self.key}"


class PhotoTwin(models.Model):
    """Two photos that show the same picture; `photo_id` is the one that came later.

    A seller is told of twins among the seller's own listings. One of another seller is a moderator's to
    judge, and no member is ever told whose the other is.
    """

    id = IdField(primary_key=True)
    photo_id = AsciiField(max_length=ID_LENGTH)
    listing = models.ForeignKey("listings.Listing", on_delete=models.PROTECT, related_name="+")
    other_photo_id = AsciiField(max_length=ID_LENGTH, db_index=True)
    other_listing = models.ForeignKey("listings.Listing", on_delete=models.PROTECT, related_name="+")
    scope = AsciiField(max_length=12, choices=[(s.value, s.value.replace("_", " ")) for s in Scope])
    similarity = models.FloatField(help_text="Cosine of the embeddings")
    distance = models.PositiveSmallIntegerField(help_text="Bits in which the perceptual hashes differ, 0-64")
    found_at = models.DateTimeField()
    ruling = AsciiField(
        max_length=9, blank=True, default="", choices=[(r.value, r.value or "open") for r in TwinRuling]
    )
    ruled_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ("-id",)
        indexes = [
            # The moderators' queue.
            models.Index(fields=["scope", "ruling", "id"], name="photo_twin_queue"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["photo_id", "other_photo_id"], name="photo_twin_once"),
            models.CheckConstraint(name="photo_twin_is_another", condition=~Q(photo_id=F("other_photo_id"))),
            models.CheckConstraint(
                name="photo_twin_known_scope", condition=Q(scope__in=[s.value for s in Scope])
            ),
            models.CheckConstraint(
                name="photo_twin_ruled_has_time",
                condition=Q(ruling="", ruled_at__isnull=True)
                | Q(ruling__in=["dismissed", "upheld"], ruled_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.photo_id} looks like {self.other_photo_id}"
