"""Parcels, what carriers told of them, and what shipping costs.

Statuses are assigned by orders.services.parcel_moves and nobody else. Addresses, labels and what carriers
send are personal data: encrypted, here and in the storage.
"""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q

from foundation.encryption import EncryptedBytesField, EncryptedTextField
from foundation.ids import AsciiField, IdField
from members.models import Market
from orders.lifecycle.parcels import OPEN, RANKS, Leg, ParcelStatus
from orders.parcel_sizes import SIZES

REASON_MAX_LENGTH = 60
_STATUSES = [status.value for status in ParcelStatus]
_LEGS = [leg.value for leg in Leg]
_SIZES = [size.name for size in SIZES]
_OPEN = [status.value for status in OPEN]
# Rows in which a worker may have to call the carrier: for a label, or to call it off.
_CALLED_FOR = [ParcelStatus.REQUESTED.value, ParcelStatus.CANCELLED.value]


class ShippingOption(models.Model):
    """What carrying a parcel costs, from a moment on. Data: orders/data/shipping_options.csv."""

    class Kind(models.TextChoices):
        HOME = "home", "To the door"
        PICKUP_POINT = "pickup_point", "To a pick-up point"

    id = IdField(primary_key=True)
    provider = AsciiField(max_length=20, help_text="Who is asked: as CARRIER_PROVIDER")
    code = AsciiField(max_length=40, help_text="By which buyers choose it")
    carrier = AsciiField(max_length=40, help_text="Who carries it, as the provider names them")
    service = AsciiField(max_length=100, help_text="What is bought from the provider")
    kind = AsciiField(max_length=12, choices=Kind.choices)
    market = models.ForeignKey(Market, on_delete=models.PROTECT, related_name="+", help_text="Of the sender")
    destination = AsciiField(max_length=8, help_text="domestic, a country, or a zone of shipping_zones")
    size = AsciiField(max_length=6, choices=[(size, size) for size in _SIZES])
    currency = AsciiField(max_length=3, help_text="ISO 4217; the sender's market's")
    price_minor = models.BigIntegerField(null=True, help_text="Empty: not offered from then on")
    days = models.PositiveSmallIntegerField(help_text="Working days on the way, as a rule")
    valid_from = models.DateTimeField(help_text="Inclusive")

    class Meta:
        ordering = ("market", "destination", "size", "code", "valid_from")
        constraints = [
            models.UniqueConstraint(
                name="shippingoption_once",
                fields=["market", "destination", "size", "provider", "code", "currency", "valid_from"],
            ),
            models.CheckConstraint(
                name="shippingoption_price_not_negative",
                condition=Q(price_minor__isnull=True) | Q(price_minor__gte=0),
            ),
            models.CheckConstraint(
                name="shippingoption_known_kind", condition=Q(kind__in=["home", "pickup_point"])
            ),
            models.CheckConstraint(name="shippingoption_known_size", condition=Q(size__in=_SIZES)),
        ]

    def __str__(self) -> str:
        return f"{self.market_id} to {self.destination}, {self.size}: {self.code}"


class Parcel(models.Model):
    """One parcel of an order. Its id is the reference under which the carrier is asked, once."""

    id = IdField(primary_key=True)
    order = models.ForeignKey("orders.Order", on_delete=models.PROTECT, related_name="+")
    leg = AsciiField(max_length=10, choices=[(leg, leg) for leg in _LEGS])
    provider = AsciiField(max_length=20, help_text="Who is asked")
    carrier = AsciiField(max_length=40, help_text="Who carries it, as the provider names them")
    service = AsciiField(max_length=100, help_text="What is bought from the provider")
    size = AsciiField(max_length=6, choices=[(size, size) for size in _SIZES])
    # NULL once they are forgotten (orders.services.forgetting), as the label's key and what carriers sent.
    sender = EncryptedTextField(null=True, max_length=1000)
    recipient = EncryptedTextField(null=True, max_length=1000)
    pickup_point = EncryptedTextField(null=True, max_length=4000)
    status = AsciiField(max_length=18, choices=[(status, status) for status in _STATUSES])
    rank = models.PositiveSmallIntegerField(help_text="How far it is: news of a lower rank moves nothing")
    # True while awaited and NULL afterwards: NULLs never collide in a unique constraint.
    is_open = models.BooleanField(null=True, default=True, editable=False)
    reason = AsciiField(
        max_length=REASON_MAX_LENGTH,
        blank=True,
        default="",
        help_text="Why it was refused, or what it waits for",
    )
    provider_id = AsciiField(max_length=100, null=True, blank=True, help_text="The provider's own id")
    tracking_number = AsciiField(max_length=60, blank=True, default="")
    tracking_url = AsciiField(max_length=500, blank=True, default="")
    label_name = AsciiField(max_length=100, blank=True, default="", help_text="In the documents storage")
    label_key = EncryptedBytesField(null=True, help_text="Opens the label's file")
    attempts = models.PositiveIntegerField(default=0, help_text="Calls begun; also the fence of a call")
    due_at = models.DateTimeField(null=True, help_text="When a worker is due to call the carrier")
    requested_at = models.DateTimeField()
    labelled_at = models.DateTimeField(null=True)
    last_event_at = models.DateTimeField(null=True, help_text="Of the latest news, by the carrier's clock")
    ended_at = models.DateTimeField(null=True, help_text="No longer open")

    class Meta:
        ordering = ("-id",)
        indexes = [
            models.Index(fields=["due_at", "id"], name="parcel_due"),
            models.Index(fields=["order", "leg"], name="parcel_of_order"),
            models.Index(fields=["tracking_number"], name="parcel_tracking_number"),
        ]
        constraints = [
            models.UniqueConstraint(name="parcel_one_open_per_leg", fields=["order", "leg", "is_open"]),
            models.UniqueConstraint(name="parcel_provider_id_once", fields=["provider", "provider_id"]),
            models.CheckConstraint(name="parcel_known_leg", condition=Q(leg__in=_LEGS)),
            models.CheckConstraint(
                name="parcel_rank_of_status",
                condition=Q.create(
                    [Q(status=status.value, rank=rank) for status, rank in RANKS.items()], connector=Q.OR
                ),
            ),
            models.CheckConstraint(
                name="parcel_open_until_ended",
                # IS NOT NULL besides "= true": a CHECK passes what is neither true nor false. Once ended it
                # stays ended, also when a carrier takes a parcel that was called off.
                condition=Q(status__in=_OPEN, is_open__isnull=False, is_open=True, ended_at__isnull=True)
                | Q(is_open__isnull=True, ended_at__isnull=False),
            ),
            models.CheckConstraint(
                name="parcel_due_while_called_for",
                condition=Q(due_at__isnull=True) | Q(status__in=_CALLED_FOR),
            ),
            models.CheckConstraint(
                name="parcel_labelled_has_label",
                condition=~Q(status=ParcelStatus.LABELLED.value)
                | Q(labelled_at__isnull=False, provider_id__isnull=False) & ~Q(tracking_number=""),
            ),
        ]

    def __str__(self) -> str:
        return str(self.id)


class SenderAddress(models.Model):
    """Where a seller sends from, for carriers that ask for it."""

    id = IdField(primary_key=True)
    member = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    address = EncryptedTextField(max_length=2000, help_text="JSON")
    version = models.PositiveIntegerField(default=1, help_text="Grows with every change; the ETag")
    changed_at = models.DateTimeField()

    class Meta:
        ordering = ("-id",)

    def __str__(self) -> str:
        return str(self.id)


class ParcelEvent(models.Model):
    """News of a parcel as the carrier sent it, whether or not it moved anything."""

    id = IdField(primary_key=True)
    parcel = models.ForeignKey(Parcel, on_delete=models.PROTECT, related_name="+")
    provider = AsciiField(max_length=20)
    event_id = AsciiField(max_length=200, help_text="The provider's own id of it")
    code = AsciiField(max_length=20)
    has_moved = models.BooleanField(help_text="Whether the parcel advanced with it")
    occurred_at = models.DateTimeField(help_text="By the carrier's clock")
    received_at = models.DateTimeField()
    raw = EncryptedTextField(null=True, help_text="What was sent")

    class Meta:
        ordering = ("parcel", "id")
        constraints = [
            # Carriers repeat themselves; the news does not.
            models.UniqueConstraint(name="parcelevent_once", fields=["provider", "event_id"]),
        ]

    def __str__(self) -> str:
        return f"{self.code} {self.parcel_id}"


class SandboxParcel(models.Model):
    """What the sandbox's carrier knows of a parcel: the memory of orders.providers.carriers.sandbox.

    A row without `provider_id` is a script: how the carrier shall answer once it is asked.
    """

    class Answer(models.TextChoices):
        ACCEPT = "accept", "Accept it"
        REFUSE = "refuse", "Refuse it"
        TIME_OUT = "time_out", "Take it, but let the answer get lost"
        UNAVAILABLE = "unavailable", "Be down"

    id = IdField(primary_key=True)
    reference = AsciiField(max_length=60, unique=True, help_text="The parcel; asked twice, carried once")
    answer = AsciiField(max_length=12, choices=Answer.choices, default=Answer.ACCEPT)
    answers_left = models.PositiveIntegerField(default=0, help_text="How often it is given before it accepts")
    calls = models.PositiveIntegerField(default=0, help_text="How often it was asked for a label")
    provider_id = AsciiField(max_length=100, unique=True, null=True)
    tracking_number = AsciiField(max_length=60, blank=True, default="")
    label = EncryptedBytesField(null=True)
    taken_at = models.DateTimeField(null=True)
    cancelled_at = models.DateTimeField(null=True)
    scanned_at = models.DateTimeField(null=True, help_text="Too late to cancel from then on")

    class Meta:
        ordering = ("-id",)
        constraints = [
            models.CheckConstraint(
                name="sandboxparcel_known_answer",
                condition=Q(answer__in=["accept", "refuse", "time_out", "unavailable"]),
            ),
        ]

    def __str__(self) -> str:
        return str(self.reference)
