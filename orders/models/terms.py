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
    checkout_minutes = models.PositiveIntegerField(help_text="That a checkout holds the listings")
    cancel_alone_hours = models.PositiveIntegerField(help_text="That a buyer may cancel without asking")
    cancel_silence_hours = models.PositiveIntegerField(help_text="Of the seller; then it is consent")
    complete_after_hours = models.PositiveIntegerField(help_text="From the notice, without an issue")
    issue_review_days = models.PositiveIntegerField(help_text="For the two to agree; then support decides")
    ship_back_working_days = models.PositiveIntegerField(help_text="To send a return")
    silent_carrier_days = models.PositiveIntegerField(help_text="Then a parcel is presumed delivered")
    verification_from_minor = models.BigIntegerField(
        help_text="Price of items from which it can be asked for"
    )
    verification_fee_minor = models.BigIntegerField(help_text="For looking at the item, VAT inside")

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
            models.CheckConstraint(
                name="terms_timers_positive",
                condition=Q(
                    checkout_minutes__gt=0,
                    cancel_silence_hours__gt=0,
                    complete_after_hours__gt=0,
                    issue_review_days__gt=0,
                    ship_back_working_days__gt=0,
                    silent_carrier_days__gt=0,
                ),
            ),
            models.CheckConstraint(
                name="terms_verification_priced",
                condition=Q(verification_from_minor__gt=0, verification_fee_minor__gt=0),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.market_id} from {self.valid_from:%Y-%m-%d}"
