"""Ways out of the balance: bank accounts, identities, withdrawals, and the sandbox's own bank.

Statuses are assigned by balance.services.withdrawal_moves and nobody else.
"""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from balance.lifecycle import WITHDRAWAL, WithdrawalStatus
from foundation.encryption import BlindIndexField, EncryptedTextField
from foundation.ids import AsciiField, IdField

HOLDER_MAX_LENGTH = 70  # characters of a name in a SEPA credit transfer (EPC130-08, AT-P001)
REASON_MAX_LENGTH = 60


class Identity(models.Model):
    """Who a member is before the law, given once before the first withdrawal. All of it is encrypted."""

    id = IdField(primary_key=True)
    member = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    legal_name = EncryptedTextField(max_length=HOLDER_MAX_LENGTH)
    date_of_birth = EncryptedTextField(max_length=10)
    street = EncryptedTextField(max_length=100)
    postal_code = EncryptedTextField(max_length=12)
    city = EncryptedTextField(max_length=60)
    country = AsciiField(max_length=2, help_text="ISO 3166-1 alpha-2")
    version = models.PositiveIntegerField(default=1, help_text="Grows with every change; the ETag")
    given_at = models.DateTimeField()
    changed_at = models.DateTimeField()

    class Meta:
        verbose_name_plural = "identities"
        constraints = [
            models.CheckConstraint(
                name="identity_changed_after_given", condition=Q(changed_at__gte=F("given_at"))
            )
        ]

    def __str__(self) -> str:
        return str(self.id)


class BankAccount(models.Model):
    """Where a member's money may go. Never changed: another one is added and this one removed."""

    id = IdField(primary_key=True)
    member = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    iban = EncryptedTextField(max_length=34)
    # The same IBAN with several members is a sign that staff looks for.
    iban_index = BlindIndexField(of="iban", db_index=True)
    last_four = AsciiField(max_length=4, help_text="To tell accounts apart without opening them")
    holder_name = EncryptedTextField(max_length=HOLDER_MAX_LENGTH)
    country = AsciiField(max_length=2, help_text="ISO 3166-1 alpha-2")
    currency = AsciiField(max_length=3, help_text="ISO 4217")
    added_at = models.DateTimeField()
    usable_at = models.DateTimeField(help_text="End of the cool-down: no withdrawal before")
    removed_at = models.DateTimeField(null=True)
    # True while it stands and NULL once removed: NULLs never collide in a unique constraint.
    is_standing = models.BooleanField(null=True, default=True, editable=False)

    class Meta:
        ordering = ("-id",)
        constraints = [
            models.UniqueConstraint(
                name="bankaccount_once_per_member", fields=["member", "iban_index", "is_standing"]
            ),
            models.CheckConstraint(
                name="bankaccount_standing_until_removed",
                condition=Q(is_standing__isnull=False, is_standing=True, removed_at__isnull=True)
                | Q(is_standing__isnull=True, removed_at__isnull=False),
            ),
            models.CheckConstraint(
                name="bankaccount_usable_after_added", condition=Q(usable_at__gte=F("added_at"))
            ),
        ]

    def __str__(self) -> str:
        return str(self.id)


class WithdrawalLimit(models.Model):
    """The least and the most of one withdrawal in a market, from a moment on."""

    id = IdField(primary_key=True)
    country = AsciiField(max_length=2, help_text="Market, ISO 3166-1 alpha-2")
    valid_from = models.DateTimeField(help_text="The latest one that has begun counts")
    minimum_minor = models.BigIntegerField(help_text="Minor units of the market's currency")
    maximum_minor = models.BigIntegerField(help_text="Minor units of the market's currency")

    class Meta:
        ordering = ("country", "-valid_from")
        constraints = [
            models.UniqueConstraint(name="withdrawallimit_once", fields=["country", "valid_from"]),
            models.CheckConstraint(
                name="withdrawallimit_in_order",
                condition=Q(minimum_minor__gt=0) & Q(maximum_minor__gte=F("minimum_minor")),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.country} from {self.valid_from:%Y-%m-%d}"


class Withdrawal(models.Model):
    """Money on its way to a member's bank. Its id is the reference under which the bank is told, once."""

    id = IdField(primary_key=True)
    member = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    bank_account = models.ForeignKey(BankAccount, on_delete=models.PROTECT, related_name="+")
    amount_minor = models.BigIntegerField()
    currency = AsciiField(max_length=3)
    status = AsciiField(max_length=12, choices=[(s.value, s.value) for s in WithdrawalStatus])
    reason = AsciiField(
        max_length=REASON_MAX_LENGTH, blank=True, default="", help_text="Why it failed, came back or waits"
    )
    provider = AsciiField(max_length=20, help_text="Who pays out")
    provider_id = AsciiField(
        max_length=100, null=True, blank=True, help_text="The provider's own id, once it has answered"
    )
    attempts = models.PositiveIntegerField(default=0, help_text="Calls begun; also the fence of a call")
    next_call_at = models.DateTimeField(null=True, help_text="When a worker is due to call or to ask")
    requested_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True, help_text="Paid, failed, returned or cancelled")

    class Meta:
        ordering = ("-id",)
        indexes = [
            models.Index(fields=["next_call_at"], name="withdrawal_due"),
            models.Index(fields=["member", "id"], name="withdrawal_of_member"),
            models.Index(fields=["status", "sent_at"], name="withdrawal_status"),
        ]
        constraints = [
            models.UniqueConstraint(name="withdrawal_provider_id_once", fields=["provider", "provider_id"]),
            models.CheckConstraint(name="withdrawal_amount_positive", condition=Q(amount_minor__gt=0)),
            models.CheckConstraint(
                name="withdrawal_known_status", condition=Q(status__in=list(WITHDRAWAL.statuses))
            ),
            models.CheckConstraint(
                name="withdrawal_due_while_open",
                condition=Q(next_call_at__isnull=True) | Q(status__in=["requested", "sent"]),
            ),
            models.CheckConstraint(
                name="withdrawal_ended_has_end",
                condition=Q(status__in=["in_review", "requested", "sent"], ended_at__isnull=True)
                | (~Q(status__in=["in_review", "requested", "sent"]) & Q(ended_at__isnull=False)),
            ),
            models.CheckConstraint(
                name="withdrawal_sent_has_moment", condition=~Q(status="sent") | Q(sent_at__isnull=False)
            ),
        ]

    def __str__(self) -> str:
        return str(self.id)


class WithdrawalEvent(models.Model):
    """What happened to a withdrawal, in order."""

    id = IdField(primary_key=True)
    withdrawal = models.ForeignKey(Withdrawal, on_delete=models.PROTECT, related_name="+")
    verb = AsciiField(max_length=12)
    source = AsciiField(max_length=12, blank=True, default="")
    target = AsciiField(max_length=12)
    actor = AsciiField(max_length=10)
    actor_id = AsciiField(max_length=60, blank=True, default="")
    reason = AsciiField(max_length=REASON_MAX_LENGTH, blank=True, default="")
    note = models.CharField(max_length=500, blank=True, default="", help_text="For staff")
    happened_at = models.DateTimeField()

    class Meta:
        ordering = ("id",)

    def __str__(self) -> str:
        return f"{self.verb} {self.withdrawal_id}"


class WithdrawalCase(models.Model):
    """The bank said what cannot be: a person has to look. Nothing was posted because of it."""

    class Kind(models.TextChoices):
        FAILED_AFTER_PAID = "failed_after_paid", "Failed, but it was paid before"
        PAID_AFTER_FAILED = "paid_after_failed", "Paid, but it had failed before"
        AMOUNT_MISMATCH = "amount_mismatch", "Another amount than was asked for"

    id = IdField(primary_key=True)
    withdrawal = models.ForeignKey(Withdrawal, on_delete=models.PROTECT, related_name="+")
    kind = AsciiField(max_length=20, choices=Kind.choices)
    detail = models.CharField(max_length=200, blank=True, default="")
    opened_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)
    closed_by = AsciiField(max_length=60, blank=True, default="")
    note = models.CharField(max_length=500, blank=True, default="", help_text="What was found; for staff")

    class Meta:
        ordering = ("-id",)
        constraints = [
            # The bank repeats itself; the case does not.
            models.UniqueConstraint(name="withdrawalcase_once", fields=["withdrawal", "kind"]),
            models.CheckConstraint(
                name="withdrawalcase_known_kind",
                condition=Q(kind__in=["failed_after_paid", "paid_after_failed", "amount_mismatch"]),
            ),
            models.CheckConstraint(
                name="withdrawalcase_closed_by_somebody",
                condition=Q(closed_at__isnull=True, closed_by="")
                | (Q(closed_at__isnull=False) & ~Q(closed_by="")),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.withdrawal_id}"


class SandboxPayout(models.Model):
    """What the sandbox's bank knows of a payout: the memory of balance.providers.sandbox.

    A row without `provider_id` is a script: how the bank shall answer once it is asked for this reference.
    """

    class Answer(models.TextChoices):
        ACCEPT = "accept", "Accept it"
        REFUSE = "refuse", "Refuse it"
        TIME_OUT = "time_out", "Take it, but let the answer get lost"
        UNAVAILABLE = "unavailable", "Be down"

    id = IdField(primary_key=True)
    reference = AsciiField(max_length=60, unique=True, help_text="The withdrawal; the idempotency key")
    answer = AsciiField(max_length=12, choices=Answer.choices, default=Answer.ACCEPT)
    answers_left = models.PositiveIntegerField(
        default=0, help_text="How often the answer is still given before it accepts"
    )
    pays_after_s = models.PositiveIntegerField(
        null=True, help_text="Seconds after which it pays by itself; empty: only when told to"
    )
    provider_id = AsciiField(max_length=100, unique=True, null=True)
    outcome = AsciiField(max_length=10, default="pending")
    reason = AsciiField(max_length=REASON_MAX_LENGTH, blank=True, default="")
    amount_minor = models.BigIntegerField(null=True)
    currency = AsciiField(max_length=3, blank=True, default="")
    calls = models.PositiveIntegerField(default=0, help_text="How often it was asked to pay")
    taken_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ("-id",)
        constraints = [
            models.CheckConstraint(
                name="sandboxpayout_known_answer",
                condition=Q(answer__in=["accept", "refuse", "time_out", "unavailable"]),
            ),
            models.CheckConstraint(
                name="sandboxpayout_known_outcome",
                condition=Q(outcome__in=["pending", "paid", "failed", "returned"]),
            ),
        ]

    def __str__(self) -> str:
        return str(self.reference)
