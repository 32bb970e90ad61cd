"""The numbers of a market. Loaded from orders/data/terms.csv; history is added to, never rewritten."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from foundation.ids import AsciiField, IdField
from members.models import Market


class Terms(models.Model):
    """What holds in a market from a moment on; the latest row that has begun. Rates are basis points."""

    id = IdField(primary_key=True)
    market = models.ForeignKey(Market, on_delete=models.PROTECT, related_name="+")
    valid_from = models.DateTimeField(help_text="Inclusive")
    currency = AsciiField(max_length=3, help_text="ISO 4217; the market's")
    fee_fixed_minor = models.BigIntegerField(help_text="Of the buyer protection fee, once per parcel")
    fee_rate_bp = models.PositiveIntegerField(help_text="Of the items' price after discount")
    vat_rate_bp = models.PositiveIntegerField(help_text="Inside the fee, by the buyer's market")
    offer_floor_bp = models.PositiveIntegerField(help_text="The least that may be offered, of the price")
    offer_open_hours = models.PositiveIntegerField(help_text="To answer an offer or a counter-offer")
    agreed_price_hours = models.PositiveIntegerField(help_text="That an agreed price is kept for")
    offers_per_listing = models.PositiveIntegerField(help_text="By one buyer")
    offers_per_day = models.PositiveIntegerField(help_text="By one buyer, on all listings")
    bundle_items_max = models.PositiveIntegerField(help_text="Listings in one bundle")
    ship_by_working_days = models.PositiveIntegerField(help_text="To hand the parcel over, from payment")

    class Meta:
        ordering = ("market", "valid_from")
        verbose_name_plural = "terms"
        constraints = [
            models.UniqueConstraint(name="terms_once", fields=["market", "valid_from"]),
            models.CheckConstraint(
                name="terms_rates_in_range",
                condition=Q(fee_fixed_minor__gte=0)
                & Q(fee_rate_bp__lt=10_000)
                & Q(vat_rate_bp__lt=10_000)
                & Q(offer_floor_bp__gt=0, offer_floor_bp__lt=10_000),
            ),
            models.CheckConstraint(
                name="terms_counts_positive",
                condition=Q(
                    offer_open_hours__gt=0,
                    agreed_price_hours__gt=0,
                    offers_per_listing__gt=0,
                    offers_per_day__gt=0,
                    bundle_items_max__gt=1,
                    ship_by_working_days__gt=0,
                ),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.market_id} from {self.valid_from:%Y-%m-%d}"
