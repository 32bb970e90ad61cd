"""Bundles and sellers' discounts. A bundle is the buyer's: seller and listings are plain ids there."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from foundation.ids import IdField

STEPS_MAX = 5
PERCENT_MAX = 50


class BundleLadder(models.Model):
    """A seller's discounts for several items bought together, as a whole: the version they are edited by."""

    seller = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, primary_key=True, related_name="+"
    )
    version = models.PositiveIntegerField(default=0, help_text="Grows with every change; the ETag")
    changed_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ("seller",)

    def __str__(self) -> str:
        return str(self.seller_id)


class BundleDiscount(models.Model):
    """One rung: from so many items on, so many per cent off all of them."""

    ladder = models.ForeignKey(BundleLadder, on_delete=models.CASCADE, related_name="+")
    items = models.PositiveSmallIntegerField(help_text="From so many on")
    percent = models.PositiveSmallIntegerField()

    class Meta:
        ordering = ("ladder", "items")
        constraints = [
            models.UniqueConstraint(name="bundle_discount_items_once", fields=["ladder", "items"]),
            models.UniqueConstraint(name="bundle_discount_percent_once", fields=["ladder", "percent"]),
            models.CheckConstraint(
                name="bundle_discount_in_range",
                condition=Q(items__gte=2, percent__gte=1, percent__lte=PERCENT_MAX),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.items} items: {self.percent} %"


class Bundle(models.Model):
    """A buyer's basket of listings of one seller."""

    id = IdField(primary_key=True)
    buyer = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    seller_id = IdField()
    version = models.PositiveIntegerField(default=1, help_text="Grows with every change; the ETag")
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()

    class Meta:
        ordering = ("-id",)
        indexes = [models.Index(fields=["buyer", "id"], name="bundle_buyer")]
        constraints = [
            models.UniqueConstraint(name="bundle_once_per_seller", fields=["buyer", "seller_id"]),
            models.CheckConstraint(name="bundle_of_another_member", condition=~Q(seller_id=F("buyer"))),
        ]

    def __str__(self) -> str:
        return str(self.id)


class BundleItem(models.Model):
    """A listing in a bundle."""

    bundle = models.ForeignKey(Bundle, on_delete=models.CASCADE, related_name="+")
    listing_id = IdField()
    title = models.CharField(max_length=400, help_text="Of the listing when it was put in")
    position = models.PositiveSmallIntegerField()

    class Meta:
        ordering = ("bundle", "position")
        constraints = [
            models.UniqueConstraint(name="bundle_listing_once", fields=["bundle", "listing_id"]),
            models.UniqueConstraint(name="bundle_position_once", fields=["bundle", "position"]),
        ]

    def __str__(self) -> str:
        return f"{self.bundle_id} {self.listing_id}"
