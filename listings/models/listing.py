"""A listing, what belongs to it, and what happened to it."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from foundation.ids import AsciiField, IdField
from listings.lifecycle import PUBLIC, RULINGS, PhotoStatus, Status
from listings.models.catalogue import Brand, Category, Colour, Condition, Material, Size

TITLE_MAX_LENGTH = 400  # code points; the rule counts up to 100 graphemes
DESCRIPTION_MAX_LENGTH = 8000  # code points; the rule counts up to 2,000 graphemes
MAX_PHOTOS = 20
PARCEL_SIZES = ("small", "medium", "large", "custom")


def _choices(values: type[Status] | type[PhotoStatus]) -> list[tuple[str, str]]:
    return [(value.value, value.value.replace("_", " ")) for value in values]


class Listing(models.Model):
    """One thing that somebody sells. A draft may lack everything; an active one breaks no rule."""

    id = IdField(primary_key=True)
    seller = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    status = AsciiField(max_length=10, choices=_choices(Status), default=Status.DRAFT.value)
    version = models.PositiveIntegerField(default=1, help_text="Grows with every change; the ETag")
    # Of the seller's market when the draft was made: moving house does not change an offer's currency.
    country = AsciiField(max_length=2, help_text="ISO 3166-1 alpha-2")
    currency = AsciiField(max_length=3, help_text="ISO 4217")
    category = models.ForeignKey(Category, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    brand = models.ForeignKey(Brand, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    size = models.ForeignKey(Size, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    condition = models.ForeignKey(
        Condition, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    title = models.CharField(max_length=TITLE_MAX_LENGTH, blank=True, default="")
    description = models.TextField(max_length=DESCRIPTION_MAX_LENGTH, blank=True, default="")
    price_minor = models.BigIntegerField(null=True, blank=True)
    parcel_size = AsciiField(
        max_length=6, blank=True, default="", choices=[(size, size) for size in PARCEL_SIZES]
    )
    hidden_by = AsciiField(
        max_length=10, blank=True, default="", help_text="seller, moderation or trade, while hidden"
    )
    moderation_reason = AsciiField(max_length=40, blank=True, default="", help_text="Code told to the seller")
    due_at = models.DateTimeField(
        null=True, blank=True, help_text="When the clock's verb of the status is due"
    )
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()
    published_at = models.DateTimeField(null=True, blank=True, help_text="First publication; sorts browse")

    class Meta:
        ordering = ("-id",)
        indexes = [
            # Browse, newest first, without a filter or with a weak one (colour, country, department).
            models.Index(fields=["status", "published_at", "id"], name="listing_newest"),
            # Browse by one category, and comparables of it.
            models.Index(fields=["status", "category", "published_at", "id"], name="listing_category"),
            # Browse by one brand.
            models.Index(fields=["status", "brand", "published_at", "id"], name="listing_brand"),
            # Browse by price, or within a price range; prices compare within a currency only.
            models.Index(fields=["status", "currency", "price_minor", "id"], name="listing_price"),
            # A seller's own list, and a shop window.
            models.Index(fields=["seller", "status", "id"], name="listing_seller"),
            # The clock: what is due.
            models.Index(fields=["due_at", "id"], name="listing_due"),
        ]
        constraints = [
            models.CheckConstraint(
                name="listing_known_status", condition=Q(status__in=[s.value for s in Status])
            ),
            models.CheckConstraint(
                name="listing_price_positive", condition=Q(price_minor__isnull=True) | Q(price_minor__gt=0)
            ),
            models.CheckConstraint(
                name="listing_parcel_size_known", condition=Q(parcel_size__in=["", *PARCEL_SIZES])
            ),
            models.CheckConstraint(
                name="listing_public_is_complete",
                condition=~Q(status__in=sorted(PUBLIC))
                | Q(
                    category__isnull=False,
                    condition__isnull=False,
                    price_minor__isnull=False,
                    published_at__isnull=False,
                )
                & ~Q(title="")
                & ~Q(parcel_size=""),
            ),
            models.CheckConstraint(
                name="listing_hidden_by_somebody",
                condition=Q(status=Status.HIDDEN.value, hidden_by__in=["seller", "moderation", "trade"])
                | ~Q(status=Status.HIDDEN.value) & Q(hidden_by=""),
            ),
            models.CheckConstraint(
                name="listing_reserved_is_due",
                condition=~Q(status=Status.RESERVED.value) | Q(due_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return str(self.id)


class ListingColour(models.Model):
    """The first is the main colour."""

    listing = models.ForeignKey(Listing, on_delete=models.PROTECT, related_name="+")
    colour = models.ForeignKey(Colour, on_delete=models.PROTECT, related_name="+")
    position = models.PositiveSmallIntegerField()

    class Meta:
        ordering = ("listing", "position")
        constraints = [
            models.UniqueConstraint(name="listing_colour_once", fields=["listing", "colour"]),
            models.UniqueConstraint(name="listing_colour_position_once", fields=["listing", "position"]),
            models.CheckConstraint(name="listing_colours_at_most_two", condition=Q(position__lt=2)),
        ]

    def __str__(self) -> str:
        return f"{self.listing_id} {self.colour_id}"


class ListingMaterial(models.Model):
    """The first is the main material."""

    listing = models.ForeignKey(Listing, on_delete=models.PROTECT, related_name="+")
    material = models.ForeignKey(Material, on_delete=models.PROTECT, related_name="+")
    position = models.PositiveSmallIntegerField()

    class Meta:
        ordering = ("listing", "position")
        constraints = [
            models.UniqueConstraint(name="listing_material_once", fields=["listing", "material"]),
            models.UniqueConstraint(name="listing_material_position_once", fields=["listing", "position"]),
            models.CheckConstraint(name="listing_materials_at_most_three", condition=Q(position__lt=3)),
        ]

    def __str__(self) -> str:
        return f"{self.listing_id} {self.material_id}"


class ListingPhoto(models.Model):
    """A photo and the work still to be done on it. The bytes that were sent live until they are re-encoded.

    `position` is NULL only within a transaction that reorders: the unique constraint together with the
    range states that there are at most 20.
    """

    id = IdField(primary_key=True)
    listing = models.ForeignKey(Listing, on_delete=models.PROTECT, related_name="+")
    position = models.PositiveSmallIntegerField(null=True)
    status = AsciiField(max_length=10, choices=_choices(PhotoStatus), default=PhotoStatus.PROCESSING.value)
    failure_code = AsciiField(max_length=40, blank=True, default="")
    version = models.PositiveIntegerField(default=1, help_text="Grows with every change; the ETag")
    original_name = AsciiField(max_length=120, blank=True, default="", help_text="In the private storage")
    original_sha256 = AsciiField(max_length=64)
    original_bytes = models.PositiveIntegerField()
    media_type = AsciiField(max_length=20, help_text="As found in the bytes")
    # Random part of the public names: they cannot be guessed and are never reused.
    stem = AsciiField(max_length=80, blank=True, default="")
    master_sha256 = AsciiField(max_length=64, blank=True, default="")
    master_width = models.PositiveIntegerField(null=True)
    master_height = models.PositiveIntegerField(null=True)
    uploaded_at = models.DateTimeField()
    ring_at = models.DateTimeField(
        null=True, help_text="When the sweeper rings (again); NULL once it is done"
    )
    lease_owner = AsciiField(max_length=26, blank=True, default="", help_text="The worker run that holds it")
    attempts = models.PositiveSmallIntegerField(default=0)
    processed_at = models.DateTimeField(null=True)
    withdraw_at = models.DateTimeField(null=True, help_text="When the public files go; NULL once gone")
    # A check asked for a person's look: why, how sure it was, and what the person said.
    flag = AsciiField(max_length=40, blank=True, default="", help_text="Code told to the seller")
    flag_score = models.FloatField(null=True, help_text="Of the check that asked, 0-1")
    flagged_at = models.DateTimeField(null=True)
    ruling = AsciiField(
        max_length=8, blank=True, default="", choices=[("", "open"), *((r, r) for r in RULINGS)]
    )

    class Meta:
        ordering = ("listing", "position")
        indexes = [
            # The sweeper: what nobody has finished.
            models.Index(fields=["ring_at", "id"], name="photo_ring"),
            # The sweeper: public files of listings that were removed or deleted.
            models.Index(fields=["withdraw_at", "id"], name="photo_withdraw"),
            # The moderator's list of failures.
            models.Index(fields=["status", "processed_at"], name="photo_status"),
            # The moderators' queue.
            models.Index(fields=["flag", "ruling", "flagged_at"], name="photo_review"),
        ]
        constraints = [
            models.UniqueConstraint(name="photo_position_once", fields=["listing", "position"]),
            models.CheckConstraint(
                name="photo_at_most_twenty", condition=Q(position__isnull=True) | Q(position__lt=MAX_PHOTOS)
            ),
            models.CheckConstraint(
                name="photo_known_status", condition=Q(status__in=[s.value for s in PhotoStatus])
            ),
            models.CheckConstraint(
                name="photo_ready_has_master",
                condition=~Q(status=PhotoStatus.READY.value)
                | Q(master_width__isnull=False, master_height__isnull=False, processed_at__isnull=False)
                & ~Q(master_sha256="")
                & ~Q(stem=""),
            ),
            models.CheckConstraint(
                name="photo_failed_has_reason",
                condition=Q(status=PhotoStatus.FAILED.value) & ~Q(failure_code="")
                | ~Q(status=PhotoStatus.FAILED.value) & Q(failure_code=""),
            ),
            models.CheckConstraint(
                name="photo_processing_is_swept",
                condition=Q(status=PhotoStatus.PROCESSING.value, ring_at__isnull=False) & ~Q(original_name="")
                | ~Q(status=PhotoStatus.PROCESSING.value) & Q(ring_at__isnull=True),
            ),
            models.CheckConstraint(
                name="photo_flagged_has_time",
                condition=Q(flag="", flagged_at__isnull=True, ruling="")
                | ~Q(flag="") & Q(flagged_at__isnull=False, ruling__in=["", *RULINGS]),
            ),
        ]

    def __str__(self) -> str:
        return str(self.id)


class ListingEvent(models.Model):
    """What happened to a listing: every change of status, with who and why. Never changed, never deleted."""

    id = IdField(primary_key=True)
    listing = models.ForeignKey(Listing, on_delete=models.PROTECT, related_name="+")
    verb = AsciiField(max_length=20)
    source = AsciiField(max_length=10, help_text="Status before")
    target = AsciiField(max_length=10, help_text="Status after")
    actor = AsciiField(max_length=10, help_text="seller, moderator, check, trade or clock")
    actor_id = AsciiField(max_length=26, blank=True, default="")
    reason = AsciiField(max_length=40, blank=True, default="", help_text="Code told to the seller")
    note = models.CharField(max_length=500, blank=True, default="", help_text="For moderators only")
    happened_at = models.DateTimeField()

    class Meta:
        ordering = ("listing", "id")
        indexes = [models.Index(fields=["listing", "happened_at"], name="listing_event_time")]
        constraints = [
            models.CheckConstraint(
                name="listing_event_moderator_has_reason", condition=~Q(actor="moderator") | ~Q(reason="")
            ),
            models.CheckConstraint(name="listing_event_changes_something", condition=~Q(source=F("target"))),
        ]

    def __str__(self) -> str:
        return f"{self.listing_id} {self.verb}"
