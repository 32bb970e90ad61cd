"""Orders, what is in them and what happened to them. `status` is written by orders.services.order_moves only.

An order lives with its listings, in the seller's shard; the buyer is a plain id there (docs/scaling.md).
"""

from __future__ import annotations

from functools import cached_property

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from foundation.compiled import Arg, CompiledQuery
from foundation.encryption.fields import EncryptedTextField
from foundation.ids import AsciiField, IdField
from orders.lifecycle import LISTING_TAKEN, OrderStatus

_S = OrderStatus
_STATUSES = [status.value for status in OrderStatus]
_TAKEN = [status.value for status in LISTING_TAKEN]
_PAID_FOR = [
    status.value for status in OrderStatus if status not in (_S.PENDING_PAYMENT, _S.EXPIRED, _S.FAILED)
]
# Statuses whose clock row has a moment; all others wait for somebody, or for nothing.
TIMED = (
    *(_S.PENDING_PAYMENT, _S.PAID, _S.CANCEL_REQUESTED, _S.SHIPPED, _S.IN_TRANSIT, _S.READY_FOR_PICKUP),
    *(_S.VERIFIED, _S.DELIVERED, _S.ISSUE_OPEN, _S.RETURN_PENDING, _S.RETURNING),
)
_TIMED = [status.value for status in TIMED]


def _minor(text: str = "") -> models.BigIntegerField[int, int]:
    return models.BigIntegerField(default=0, help_text=text)


class Order(models.Model):
    """One parcel's worth of a seller's listings, from the checkout on. Amounts are of `currency`, whole."""

    id = IdField(primary_key=True)
    seller = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    buyer_id = IdField()
    status = AsciiField(max_length=20, choices=[(status, status) for status in _STATUSES])
    version = models.PositiveIntegerField(default=1, help_text="Grows with every change; the ETag")
    quote_version = models.PositiveIntegerField(default=1, help_text="Grows with every change of the amounts")
    offer_id = IdField(null=True, help_text="Whose agreed price it has")
    # Copied when the checkout began: what a market changes later holds for later orders.
    seller_country = AsciiField(max_length=2)
    buyer_country = AsciiField(max_length=2)
    currency = AsciiField(max_length=3, help_text="The listings', ISO 4217")
    terms = models.JSONField(help_text="The numbers of the market's terms that this order goes by")
    # The quote
    listed_minor = _minor("Of the items before the discount")
    item_minor = _minor("Of the items after the discount")
    fee_minor = _minor("Buyer protection, VAT inside")
    fee_vat_minor = _minor()
    shipping_minor = _minor("Postage to the buyer")
    verification_minor = _minor("For looking at the item, VAT inside; 0: not asked for")
    verification_vat_minor = _minor()
    wallet_minor = _minor("Paid out of the buyer's balance")
    card_minor = _minor("Paid through the payment provider")
    use_wallet = models.BooleanField(default=True, help_text="What the buyer chose; wallet first")
    is_verified = models.BooleanField(default=False, help_text="Goes to the hub first, to be looked at")
    # What has gone back
    refunded_item_minor = _minor()
    refunded_fee_minor = _minor()
    refunded_shipping_minor = _minor()
    refunded_verification_minor = _minor()
    refunded_wallet_minor = _minor()
    refunded_card_minor = _minor("Through the provider")
    charged_back_minor = _minor("Taken back from us by the buyer's bank, in all its disputes")
    charged_back_seller_minor = models.BigIntegerField(
        default=0, db_default=0, help_text="Of that: what the seller answers for"
    )
    # Delivery
    parcel_size = AsciiField(max_length=6)
    shipping_option = AsciiField(max_length=40, blank=True, default="", help_text="Code; empty: not chosen")
    delivery = models.JSONField(
        default=dict, help_text="The option and the pick-up point as they were chosen"
    )
    address = EncryptedTextField(null=True, max_length=2000, help_text="Of the buyer, JSON")
    # Payment
    provider = AsciiField(max_length=20, blank=True, default="", help_text="Of the card's part")
    payment_id = IdField(null=True, help_text="The attempt that paid")
    refusals = models.PositiveSmallIntegerField(default=0, help_text="Attempts that were refused")
    # Time
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()
    paid_at = models.DateTimeField(null=True)
    ship_by_at = models.DateTimeField(null=True, help_text="End of day there")
    handed_over_at = models.DateTimeField(null=True, help_text="When the seller said so")
    shipped_at = models.DateTimeField(null=True, help_text="First scan")
    delivered_at = models.DateTimeField(null=True, help_text="T0: the notice, once")
    completed_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    due_at = models.DateTimeField(null=True, help_text="When the clock's verb of the status is due")
    remind_at = models.DateTimeField(null=True, help_text="When somebody is next reminded of it")
    # True until orders.services.forgetting has been here, and NULL afterwards.
    has_details = models.BooleanField(
        null=True, default=True, db_default=True, editable=False, help_text="Addresses, labels, evidence"
    )

    class Meta:
        ordering = ("-id",)
        indexes = [
            models.Index(fields=["buyer_id", "id"], name="order_buyer"),
            models.Index(fields=["seller", "id"], name="order_seller"),
            # The clock: what is due. NULLs are not asked for.
            models.Index(fields=["due_at", "id"], name="order_due"),
            models.Index(fields=["remind_at", "id"], name="order_remind"),
            models.Index(fields=["status", "id"], name="order_status"),
            models.Index(fields=["has_details", "id"], name="order_details"),
        ]
        constraints = [
            models.CheckConstraint(name="order_known_status", condition=Q(status__in=_STATUSES)),
            models.CheckConstraint(name="order_of_two_members", condition=~Q(buyer_id=F("seller"))),
            models.CheckConstraint(
                name="order_amounts_not_negative",
                condition=Q(
                    item_minor__gt=0,
                    listed_minor__gte=F("item_minor"),
                    fee_minor__gte=F("fee_vat_minor"),
                    fee_vat_minor__gte=0,
                    shipping_minor__gte=0,
                    verification_minor__gte=F("verification_vat_minor"),
                    verification_vat_minor__gte=0,
                    wallet_minor__gte=0,
                    card_minor__gte=0,
                ),
            ),
            models.CheckConstraint(
                name="order_tenders_pay_the_total",
                condition=Q(
                    card_minor=F("item_minor")
                    + F("fee_minor")
                    + F("shipping_minor")
                    + F("verification_minor")
                    - F("wallet_minor")
                ),
            ),
            models.CheckConstraint(
                name="order_refunds_within_parts",
                condition=Q(
                    refunded_item_minor__gte=0,
                    refunded_item_minor__lte=F("item_minor"),
                    refunded_fee_minor__gte=0,
                    refunded_fee_minor__lte=F("fee_minor"),
                    refunded_shipping_minor__gte=0,
                    refunded_shipping_minor__lte=F("shipping_minor"),
                    refunded_verification_minor__gte=0,
                    refunded_verification_minor__lte=F("verification_minor"),
                ),
            ),
            models.CheckConstraint(
                name="order_refunds_within_tenders",
                condition=Q(
                    refunded_wallet_minor__gte=0,
                    refunded_wallet_minor__lte=F("wallet_minor"),
                    refunded_card_minor__gte=0,
                    charged_back_minor__gte=0,
                    refunded_card_minor__lte=F("card_minor") - F("charged_back_minor"),
                ),
            ),
            models.CheckConstraint(
                name="order_seller_bears_item_at_most",
                condition=Q(
                    charged_back_seller_minor__gte=0,
                    charged_back_seller_minor__lte=F("charged_back_minor"),
                    refunded_item_minor__lte=F("item_minor") - F("charged_back_seller_minor"),
                ),
            ),
            models.CheckConstraint(
                name="order_refunds_add_up",
                # What the bank took back need not go back again.
                condition=Q(
                    refunded_card_minor__gte=F("refunded_item_minor")
                    + F("refunded_fee_minor")
                    + F("refunded_shipping_minor")
                    + F("refunded_verification_minor")
                    - F("refunded_wallet_minor")
                    - F("charged_back_minor"),
                    refunded_card_minor__lte=F("refunded_item_minor")
                    + F("refunded_fee_minor")
                    + F("refunded_shipping_minor")
                    + F("refunded_verification_minor")
                    - F("refunded_wallet_minor"),
                ),
            ),
            models.CheckConstraint(
                name="order_paid_says_when",
                condition=Q(status__in=_PAID_FOR, paid_at__isnull=False, ship_by_at__isnull=False)
                & ~Q(shipping_option="")
                | ~Q(status__in=_PAID_FOR) & Q(paid_at__isnull=True),
            ),
            models.CheckConstraint(
                name="order_due_while_timed",
                condition=Q(status__in=_TIMED, due_at__isnull=False)
                | ~Q(status__in=_TIMED) & Q(due_at__isnull=True, remind_at__isnull=True),
            ),
            models.CheckConstraint(
                name="order_completed_after_notice",
                condition=~Q(status=_S.COMPLETED.value)
                | Q(delivered_at__isnull=False, completed_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return str(self.id)

    @cached_property
    def titles(self) -> dict[str, str]:
        """What was bought, by the listing's id, in the order of the parcel. It never changes."""
        return dict(_TITLES.all(order_id=self.id))


_TITLES = CompiledQuery(
    lambda: (
        OrderItem.objects.filter(order_id=Arg("order_id"))
        .order_by("position")
        .values_list("listing_id", "title")
    )
)


class OrderItem(models.Model):
    """A listing in an order, as it was bought."""

    order = models.ForeignKey(Order, on_delete=models.PROTECT, related_name="+")
    listing_id = IdField()
    position = models.PositiveSmallIntegerField()
    title = models.CharField(max_length=400, help_text="Of the listing then")
    listing_version = models.PositiveIntegerField(help_text="Of the listing then")
    listed_minor = models.BigIntegerField()
    price_minor = models.BigIntegerField(help_text="After the discount")
    # True while the order holds the listing and NULL afterwards: MySQL has no partial unique index.
    is_live = models.BooleanField(null=True, default=True, editable=False)

    class Meta:
        ordering = ("order", "position")
        constraints = [
            models.UniqueConstraint(name="order_listing_in_one_live", fields=["listing_id", "is_live"]),
            models.UniqueConstraint(name="order_item_position_once", fields=["order", "position"]),
            models.CheckConstraint(
                name="order_item_price_in_range",
                condition=Q(price_minor__gt=0, price_minor__lte=F("listed_minor")),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.order_id} {self.listing_id}"


class OrderEvent(models.Model):
    """What happened to an order: who did what. Never changed, never deleted."""

    id = IdField(primary_key=True)
    order = models.ForeignKey(Order, on_delete=models.PROTECT, related_name="+")
    number = models.PositiveIntegerField(help_text="The order's version that it made")
    verb = AsciiField(max_length=24)
    source = AsciiField(max_length=20, blank=True, default="", help_text="Status before; empty at first")
    target = AsciiField(max_length=20, help_text="Status after")
    actor = AsciiField(max_length=10, help_text="buyer, seller, carrier, provider, support or clock")
    actor_id = AsciiField(max_length=40, blank=True, default="", help_text="Member, if a person did it")
    reason = models.CharField(
        max_length=500, blank=True, default="", help_text="Of support, for its own eyes"
    )
    amount_minor = models.BigIntegerField(null=True, help_text="Moved by it, if an amount was named")
    happened_at = models.DateTimeField()

    class Meta:
        ordering = ("order", "number")
        constraints = [
            models.UniqueConstraint(name="order_event_number_once", fields=["order", "number"]),
            models.CheckConstraint(name="order_event_known_target", condition=Q(target__in=_STATUSES)),
        ]

    def __str__(self) -> str:
        return f"{self.order_id} {self.verb}"


class Strike(models.Model):
    """A promise that a seller broke; several within a time stop selling for a while."""

    id = IdField(primary_key=True)
    member = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    order = models.ForeignKey(Order, on_delete=models.PROTECT, related_name="+")
    reason = AsciiField(max_length=20, choices=[("not_sent", "not sent"), ("counterfeit", "counterfeit")])
    given_at = models.DateTimeField()

    class Meta:
        ordering = ("-given_at", "-id")
        indexes = [models.Index(fields=["member", "given_at"], name="strike_member")]
        constraints = [
            models.UniqueConstraint(name="strike_once_per_order", fields=["order", "reason"]),
            models.CheckConstraint(
                name="strike_known_reason", condition=Q(reason__in=["not_sent", "counterfeit"])
            ),
        ]

    def __str__(self) -> str:
        return f"{self.member_id} {self.reason}"


class Case(models.Model):
    """Something that a person has to decide or look after, by when. Support's queue."""

    class Kind(models.TextChoices):
        ISSUE = "issue", "issue under review"
        VERIFICATION = "verification", "item at the hub"
        PAYMENT_MISMATCH = "payment_mismatch", "captured amount is not the quote's"
        REFUND_FAILED = "refund_failed", "refund refused by the provider"
        CHARGEBACK = "chargeback", "chargeback"
        LABEL_FAILED = "label_failed", "label refused by the carrier"
        PARCEL_LOST = "parcel_lost", "parcel lost"

    id = IdField(primary_key=True)
    key = AsciiField(max_length=100, unique=True, help_text="What it is about; opened once")
    kind = AsciiField(max_length=20, choices=Kind.choices)
    order = models.ForeignKey(Order, on_delete=models.PROTECT, related_name="+")
    note = AsciiField(max_length=300, blank=True, default="", help_text="Ids and codes, no personal data")
    opened_at = models.DateTimeField()
    due_at = models.DateTimeField(help_text="By when a person should have acted")
    resolved_at = models.DateTimeField(null=True, blank=True)
    resolved_by = IdField(null=True, blank=True)
    resolution = models.CharField(max_length=500, blank=True, default="")

    class Meta:
        ordering = ("due_at", "id")
        indexes = [
            models.Index(fields=["resolved_at", "due_at", "id"], name="case_queue"),
        ]
        constraints = [
            models.CheckConstraint(
                name="case_known_kind",
                condition=Q(
                    kind__in=[
                        "issue",
                        "verification",
                        "payment_mismatch",
                        "refund_failed",
                        "chargeback",
                        "label_failed",
                        "parcel_lost",
                    ]
                ),
            ),
            models.CheckConstraint(
                name="case_resolved_says_how",
                condition=Q(resolved_at__isnull=True, resolution="")
                | Q(resolved_at__isnull=False) & ~Q(resolution=""),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.order_id}"
