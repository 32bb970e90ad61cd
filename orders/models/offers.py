"""Offers and what happened to them. Written by orders.services.offering, .answering and nobody else.

An offer lives with its listing, in the seller's shard; the buyer is a plain id there (docs/scaling.md).
"""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from foundation.ids import AsciiField, IdField
from listings.models import Listing
from orders.lifecycle import LIVE, OfferStatus

_STATUSES = [status.value for status in OfferStatus]
_LIVE = [status.value for status in LIVE]


class Offer(models.Model):
    """A buyer's price for a listing, and the seller's answer to it."""

    id = IdField(primary_key=True)
    listing = models.ForeignKey(Listing, on_delete=models.PROTECT, related_name="+")
    seller = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    buyer_id = IdField()
    number = models.PositiveSmallIntegerField(help_text="Of this buyer's offers on the listing, from 1")
    status = AsciiField(max_length=10, choices=[(status, status) for status in _STATUSES])
    # True while live and NULL afterwards: MySQL has no partial unique index, but NULLs never collide.
    is_live = models.BooleanField(null=True, default=True, editable=False)
    currency = AsciiField(max_length=3, help_text="The listing's, ISO 4217")
    offered_minor = models.BigIntegerField(help_text="What the buyer named")
    amount_minor = models.BigIntegerField(help_text="What is on the table: the offer, or what countered it")
    listed_minor = models.BigIntegerField(help_text="What the listing cost then")
    title = models.CharField(max_length=400, help_text="Of the listing then")
    proposed_at = models.DateTimeField()
    answered_at = models.DateTimeField(null=True, help_text="Of the latest answer")
    ended_at = models.DateTimeField(null=True)
    due_at = models.DateTimeField(null=True, help_text="When the clock's verb of the status is due")

    class Meta:
        ordering = ("-id",)
        indexes = [
            models.Index(fields=["buyer_id", "id"], name="offer_buyer"),
            models.Index(fields=["seller", "id"], name="offer_seller"),
            # The clock: what is due; ended offers are NULL.
            models.Index(fields=["due_at", "id"], name="offer_due"),
        ]
        constraints = [
            models.UniqueConstraint(name="offer_number_once", fields=["listing", "buyer_id", "number"]),
            models.UniqueConstraint(
                name="offer_one_live_per_buyer", fields=["listing", "buyer_id", "is_live"]
            ),
            models.CheckConstraint(name="offer_known_status", condition=Q(status__in=_STATUSES)),
            models.CheckConstraint(name="offer_of_another_member", condition=~Q(buyer_id=F("seller"))),
            models.CheckConstraint(
                name="offer_amounts_in_order",
                condition=Q(offered_minor__gt=0)
                & Q(amount_minor__gte=F("offered_minor"))
                & Q(listed_minor__gt=F("offered_minor")),
            ),
            models.CheckConstraint(
                name="offer_due_while_live",
                # IS NOT NULL besides "= true": a CHECK passes what is neither true nor false.
                condition=Q(
                    status__in=_LIVE,
                    is_live__isnull=False,
                    is_live=True,
                    due_at__isnull=False,
                    ended_at__isnull=True,
                )
                | ~Q(status__in=_LIVE) & Q(is_live__isnull=True, due_at__isnull=True, ended_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return str(self.id)


class OfferEvent(models.Model):
    """What happened to an offer: who did what, at which amount. Never changed, never deleted."""

    id = IdField(primary_key=True)
    offer = models.ForeignKey(Offer, on_delete=models.PROTECT, related_name="+")
    verb = AsciiField(max_length=10)
    source = AsciiField(max_length=10, blank=True, default="", help_text="Status before; empty at first")
    target = AsciiField(max_length=10, help_text="Status after")
    actor = AsciiField(max_length=10, help_text="buyer, seller or clock")
    amount_minor = models.BigIntegerField(help_text="On the table afterwards")
    happened_at = models.DateTimeField()

    class Meta:
        ordering = ("offer", "id")
        constraints = [
            models.UniqueConstraint(name="offer_event_status_once", fields=["offer", "target"]),
            models.CheckConstraint(name="offer_event_known_target", condition=Q(target__in=_STATUSES)),
        ]

    def __str__(self) -> str:
        return f"{self.offer_id} {self.verb}"


class OfferQuota(models.Model):
    """How many offers a buyer made on a day. Its lock puts a buyer's offers in a row: limits hold at once."""

    buyer = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, primary_key=True, related_name="+"
    )
    on_date = models.DateField(help_text="In the time zone of the buyer's market")
    used = models.PositiveIntegerField(default=0)

    class Meta:
        ordering = ("buyer",)

    def __str__(self) -> str:
        return f"{self.buyer_id} {self.on_date}"
