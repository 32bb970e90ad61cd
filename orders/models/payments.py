"""Attempts to pay with a card, what goes back to it, and what its bank takes back.

Statuses are written by orders.services.payment_moves, .refunding and .disputing, and by nothing else.
"""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from foundation.ids import AsciiField, IdField
from orders.lifecycle import (
    PAYMENT_OPEN,
    PAYMENT_UNDER_WAY,
    REFUND_OPEN,
    DisputeStatus,
    PaymentStatus,
    RefundStatus,
)
from orders.models.orders import Order

CODE_MAX_LENGTH = 60
METHOD_MAX_LENGTH = 100
RETURN_URL_MAX_LENGTH = 500
ACTION_URL_MAX_LENGTH = 2000
_OPEN = [status.value for status in PAYMENT_OPEN]
_UNDER_WAY = [status.value for status in PAYMENT_UNDER_WAY]
_REFUND_OPEN = [status.value for status in REFUND_OPEN]


def _choices(
    statuses: type[PaymentStatus] | type[RefundStatus] | type[DisputeStatus],
) -> list[tuple[str, str]]:
    return [(status.value, status.value) for status in statuses]


def _code(text: str) -> AsciiField:
    return AsciiField(max_length=CODE_MAX_LENGTH, blank=True, default="", help_text=text)


class Payment(models.Model):
    """One attempt to charge the card's part of an order. Its id is our reference at the provider."""

    id = IdField(primary_key=True)
    order = models.ForeignKey(Order, on_delete=models.PROTECT, related_name="+")
    provider = AsciiField(max_length=20, help_text="Who charges the card")
    provider_id = AsciiField(
        max_length=100, null=True, blank=True, help_text="The provider's own id, once known"
    )
    status = AsciiField(max_length=15, choices=_choices(PaymentStatus))
    # True while it may still pay the order and NULL afterwards: NULLs never collide in a unique constraint.
    is_open = models.BooleanField(null=True, default=True, editable=False)
    amount_minor = models.BigIntegerField(help_text="Asked for")
    currency = AsciiField(max_length=3, help_text="ISO 4217")
    captured_minor = models.BigIntegerField(
        default=0, help_text="Taken; may be another amount than asked for"
    )
    refunded_minor = models.BigIntegerField(default=0, help_text="Gone back or going back; failed ones not")
    method = AsciiField(
        max_length=METHOD_MAX_LENGTH,
        blank=True,
        default="",
        help_text="The provider's token for the card; forgotten once it was used",
    )
    return_url = models.CharField(max_length=RETURN_URL_MAX_LENGTH, blank=True, default="")
    action_url = models.CharField(
        max_length=ACTION_URL_MAX_LENGTH, blank=True, default="", help_text="Where the buyer confirms it"
    )
    failure_code = _code("Why it failed or was cancelled")
    calls = models.PositiveIntegerField(default=0, help_text="Begun in this status; also the fence of a call")
    due_at = models.DateTimeField(null=True, help_text="When a worker is due to call or to ask")
    created_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True)
    captured_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True, help_text="Captured, cancelled or failed")

    class Meta:
        ordering = ("-id",)
        indexes = [
            models.Index(fields=["due_at", "id"], name="payment_due"),
            models.Index(fields=["status", "sent_at"], name="payment_status"),
        ]
        constraints = [
            models.UniqueConstraint(name="payment_one_open_per_order", fields=["order", "is_open"]),
            models.UniqueConstraint(name="payment_provider_id_once", fields=["provider", "provider_id"]),
            models.CheckConstraint(
                name="payment_known_status",
                condition=Q(status__in=[status.value for status in PaymentStatus]),
            ),
            models.CheckConstraint(name="payment_amount_positive", condition=Q(amount_minor__gt=0)),
            models.CheckConstraint(
                name="payment_open_until_decided",
                # IS NOT NULL besides "= true": a CHECK passes what is neither true nor false.
                condition=Q(status__in=_OPEN, is_open__isnull=False, is_open=True)
                | ~Q(status__in=_OPEN) & Q(is_open__isnull=True),
            ),
            models.CheckConstraint(
                name="payment_due_while_under_way",
                condition=Q(status__in=_UNDER_WAY, due_at__isnull=False, ended_at__isnull=True)
                | ~Q(status__in=_UNDER_WAY) & Q(due_at__isnull=True, ended_at__isnull=False),
            ),
            models.CheckConstraint(
                name="payment_captured_says_how_much",
                condition=Q(status="captured", captured_minor__gt=0, captured_at__isnull=False)
                | ~Q(status="captured") & Q(captured_minor=0, captured_at__isnull=True),
            ),
            models.CheckConstraint(
                name="payment_refunds_within_capture",
                condition=Q(refunded_minor__gte=0, refunded_minor__lte=F("captured_minor")),
            ),
        ]

    def __str__(self) -> str:
        return str(self.id)


class Refund(models.Model):
    """Money on its way back to a card. Its id is our reference at the provider, which pays it once."""

    id = IdField(primary_key=True)
    payment = models.ForeignKey(Payment, on_delete=models.PROTECT, related_name="+")
    key = AsciiField(max_length=100, unique=True, help_text="Of the caller: the same is refunded once")
    provider_id = AsciiField(
        max_length=100, null=True, blank=True, help_text="The provider's own id, once known"
    )
    status = AsciiField(max_length=10, choices=_choices(RefundStatus))
    amount_minor = models.BigIntegerField()
    currency = AsciiField(max_length=3, help_text="ISO 4217; the payment's")
    failure_code = _code("Why it failed")
    calls = models.PositiveIntegerField(default=0, help_text="Begun; also the fence of a call")
    due_at = models.DateTimeField(null=True, help_text="When a worker is due to call or to ask")
    requested_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True, help_text="Paid or failed")

    class Meta:
        ordering = ("-id",)
        indexes = [
            models.Index(fields=["due_at", "id"], name="refund_due"),
            models.Index(fields=["status", "sent_at"], name="refund_status"),
        ]
        constraints = [
            models.CheckConstraint(
                name="refund_known_status", condition=Q(status__in=[status.value for status in RefundStatus])
            ),
            models.CheckConstraint(name="refund_amount_positive", condition=Q(amount_minor__gt=0)),
            models.CheckConstraint(
                name="refund_due_while_open", condition=Q(due_at__isnull=True) | Q(status__in=_REFUND_OPEN)
            ),
            models.CheckConstraint(
                name="refund_ended_has_end",
                condition=Q(status__in=_REFUND_OPEN, ended_at__isnull=True)
                | ~Q(status__in=_REFUND_OPEN) & Q(ended_at__isnull=False),
            ),
            models.CheckConstraint(
                name="refund_sent_has_moment", condition=Q(status="requested") | Q(sent_at__isnull=False)
            ),
        ]

    def __str__(self) -> str:
        return str(self.id)


class Dispute(models.Model):
    """A chargeback: the card's bank took a payment back, or a part of it. A payment may have several."""

    id = IdField(primary_key=True)
    payment = models.ForeignKey(Payment, on_delete=models.PROTECT, related_name="+")
    provider = AsciiField(max_length=20)
    provider_id = AsciiField(max_length=100, help_text="The provider's own id")
    status = AsciiField(max_length=5, choices=_choices(DisputeStatus))
    amount_minor = models.BigIntegerField(help_text="Taken back")
    fee_minor = models.BigIntegerField(help_text="What the provider keeps for it, beside the amount")
    seller_minor = models.BigIntegerField(
        default=0, help_text="Of the amount: what was taken from the seller when it was opened"
    )
    after_completion = models.BooleanField(
        default=False, db_default=False, help_text="Opened when the seller had the money"
    )
    currency = AsciiField(max_length=3, help_text="ISO 4217")
    reason = _code("The bank's")
    opened_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ("-id",)
        indexes = [models.Index(fields=["status", "opened_at"], name="dispute_status")]
        constraints = [
            models.UniqueConstraint(name="dispute_provider_id_once", fields=["provider", "provider_id"]),
            models.CheckConstraint(
                name="dispute_known_status",
                condition=Q(status__in=[status.value for status in DisputeStatus]),
            ),
            models.CheckConstraint(
                name="dispute_amounts_in_range",
                condition=Q(
                    amount_minor__gt=0,
                    fee_minor__gte=0,
                    seller_minor__gte=0,
                    seller_minor__lte=F("amount_minor"),
                ),
            ),
            models.CheckConstraint(
                name="dispute_closed_says_when",
                condition=Q(status="open", closed_at__isnull=True)
                | ~Q(status="open") & Q(closed_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return str(self.id)


class SandboxPayment(models.Model):
    """What the sandbox's processor knows of a payment: the memory of orders.providers.payments.sandbox."""

    class Answer(models.TextChoices):
        TIME_OUT = "time_out", "Do it, but let the answer get lost"
        UNAVAILABLE = "unavailable", "Be down"

    id = IdField(primary_key=True)
    reference = AsciiField(max_length=60, unique=True, help_text="The payment; the idempotency key")
    provider_id = AsciiField(max_length=100, unique=True, null=True)
    method = AsciiField(max_length=METHOD_MAX_LENGTH)
    outcome = AsciiField(max_length=15, default="pending")
    code = _code("Of a decline")
    amount_minor = models.BigIntegerField()
    currency = AsciiField(max_length=3)
    captured_minor = models.BigIntegerField(default=0)
    captures = models.PositiveIntegerField(default=0, help_text="How often the card was charged")
    answer = AsciiField(
        max_length=12, blank=True, default="", help_text="What goes wrong with the next calls"
    )
    answers_left = models.PositiveIntegerField(default=0, help_text="How many of them")
    calls = models.PositiveIntegerField(default=0, help_text="How often it was called about it")

    class Meta:
        ordering = ("-id",)
        constraints = [
            models.CheckConstraint(
                name="sandboxpayment_known_answer", condition=Q(answer__in=["", "time_out", "unavailable"])
            ),
        ]

    def __str__(self) -> str:
        return str(self.reference)


class SandboxRefund(models.Model):
    """Likewise of a refund."""

    id = IdField(primary_key=True)
    reference = AsciiField(max_length=60, unique=True, help_text="The refund; the idempotency key")
    payment = models.ForeignKey(SandboxPayment, on_delete=models.PROTECT, related_name="+")
    provider_id = AsciiField(max_length=100, unique=True, null=True)
    outcome = AsciiField(max_length=10, default="pending")
    code = _code("Of a failure")
    amount_minor = models.BigIntegerField()
    answer = AsciiField(
        max_length=12, blank=True, default="", help_text="What goes wrong with the next calls"
    )
    answers_left = models.PositiveIntegerField(default=0, help_text="How many of them")
    calls = models.PositiveIntegerField(default=0, help_text="How often it was asked to pay")

    class Meta:
        ordering = ("-id",)
        constraints = [
            models.CheckConstraint(
                name="sandboxrefund_known_answer", condition=Q(answer__in=["", "time_out", "unavailable"])
            ),
        ]

    def __str__(self) -> str:
        return str(self.reference)
