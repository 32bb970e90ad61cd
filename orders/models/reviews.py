"""What the two say of each other once an order is completed."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from foundation.ids import AsciiField, IdField
from orders.lifecycle import BUYER, SELLER
from orders.models.orders import Order

TEXT_MAX = 1000
BEST = 5
_ROLES = (BUYER, SELLER)


class Review(models.Model):
    """By one of the two, about the other; never changed."""

    id = IdField(primary_key=True)
    order = models.ForeignKey(Order, on_delete=models.PROTECT, related_name="+")
    by = AsciiField(max_length=6, choices=[(role, role) for role in _ROLES])
    author_id = IdField()
    subject_id = IdField(help_text="Who it is about")
    rating = models.PositiveSmallIntegerField(help_text="1 to 5")
    text = models.CharField(max_length=TEXT_MAX, blank=True, default="")
    written_at = models.DateTimeField()

    class Meta:
        ordering = ("-id",)
        indexes = [models.Index(fields=["subject_id", "id"], name="review_subject")]
        constraints = [
            models.UniqueConstraint(name="review_once_per_side", fields=["order", "by"]),
            models.CheckConstraint(name="review_rating_in_range", condition=Q(rating__range=(1, BEST))),
            models.CheckConstraint(name="review_by_a_member", condition=Q(by__in=_ROLES)),
        ]

    def __str__(self) -> str:
        return str(self.id)
