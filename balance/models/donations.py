"""Donations: charities, what members give them, and the monthly payments.

Statuses are assigned by balance.services.donations and balance.services.donation_payouts, nobody else.
"""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from balance.lifecycle import (
    CHARITY_ACCOUNT,
    DONATION,
    DONATION_SETTLEMENT,
    CharityAccountStatus,
    DonationStatus,
    SettlementStatus,
)
from balance.models.banking import HOLDER_MAX_LENGTH, REASON_MAX_LENGTH
from foundation.encryption import EncryptedTextField
from foundation.ids import AsciiField, IdField
from foundation.money import EXPONENTS


class Charity(models.Model):
    """Whom members may give to, in one currency. Opened and closed by staff, never deleted."""

    id = IdField(primary_key=True)
    name = models.CharField(max_length=120)
    country = AsciiField(max_length=2, help_text="Of registration, ISO 3166-1 alpha-2")
    registration_number = AsciiField(max_length=60, help_text="In the register of that country")
    currency = AsciiField(max_length=3, choices=[(code, code) for code in sorted(EXPONENTS)])
    added_at = models.DateTimeField(editable=False)
    opened_at = models.DateTimeField(null=True, editable=False, help_text="Empty: a draft, for staff only")
    closed_at = models.DateTimeField(null=True, editable=False, help_text="No donations since")

    class Meta:
        ordering = ("name", "id")
        verbose_name_plural = "charities"
        constraints = [
            models.UniqueConstraint(name="charity_once", fields=["country", "registration_number"]),
            models.CheckConstraint(
                name="charity_closed_after_opened",
                condition=Q(closed_at__isnull=True)
                | Q(opened_at__isnull=False, closed_at__gte=F("opened_at")),
            ),
        ]

    def __str__(self) -> str:
        return str(self.name)


class CharityText(models.Model):
    """What a charity does, in one language."""

    id = IdField(primary_key=True)
    charity = models.ForeignKey(Charity, on_delete=models.CASCADE, related_name="texts")
    language = AsciiField(max_length=2, help_text="ISO 639-1")
    description = models.CharField(max_length=1000)

    class Meta:
        ordering = ("language",)
        constraints = [models.UniqueConstraint(name="charitytext_once", fields=["charity", "language"])]

    def __str__(self) -> str:
        return str(self.language)


class CharityMarket(models.Model):
    """A market whose members may choose the charity."""

    id = IdField(primary_key=True)
    charity = models.ForeignKey(Charity, on_delete=models.CASCADE, related_name="markets")
    market = models.ForeignKey("members.Market", on_delete=models.PROTECT, related_name="+")

    class Meta:
        ordering = ("market_id",)
        constraints = [models.UniqueConstraint(name="charitymarket_once", fields=["charity", "market"])]

    def __str__(self) -> str:
        return str(self.market_id)


class CharityAccount(models.Model):
    """Where a charity is paid, once a second person agreed. Never changed: another one replaces it."""

    id = IdField(primary_key=True)
    charity = models.ForeignKey(Charity, on_delete=models.PROTECT, related_name="+")
    iban = EncryptedTextField(max_length=34)
    last_four = AsciiField(max_length=4, help_text="To tell accounts apart without opening them")
    holder_name = EncryptedTextField(max_length=HOLDER_MAX_LENGTH)
    country = AsciiField(max_length=2, help_text="ISO 3166-1 alpha-2")
    status = AsciiField(max_length=10, choices=[(s.value, s.value) for s in CharityAccountStatus])
    set_at = models.DateTimeField(help_text="When it was proposed")
    set_by = AsciiField(max_length=60, help_text="staff:…, or system for invented charities")
    decided_at = models.DateTimeField(null=True)
    decided_by = AsciiField(max_length=60, blank=True, default="", help_text="Who approved or rejected it")
    replaced_at = models.DateTimeField(null=True)
    # True while it stands, else NULL: NULLs never collide in a unique constraint.
    is_standing = models.BooleanField(null=True, default=None, editable=False)

    class Meta:
        ordering = ("-id",)
        constraints = [
            models.UniqueConstraint(name="charityaccount_one_standing", fields=["charity", "is_standing"]),
            models.CheckConstraint(
                name="charityaccount_known_status", condition=Q(status__in=list(CHARITY_ACCOUNT.statuses))
            ),
            models.CheckConstraint(
                name="charityaccount_standing_until_replaced",
                condition=Q(
                    status="standing", is_standing__isnull=False, is_standing=True, replaced_at__isnull=True
                )
                | Q(status="replaced", is_standing__isnull=True, replaced_at__isnull=False)
                | Q(status__in=["proposed", "rejected"], is_standing__isnull=True, replaced_at__isnull=True),
            ),
            # Four eyes, also for whoever writes to the table by hand.
            models.CheckConstraint(
                name="charityaccount_approved_by_another",
                condition=Q(status="proposed", decided_by="", decided_at__isnull=True)
                | (Q(status="rejected", decided_at__isnull=False) & ~Q(decided_by=""))
                | (
                    Q(status__in=["standing", "replaced"], decided_at__isnull=False)
                    & ~Q(decided_by="")
                    & (~Q(decided_by=F("set_by")) | Q(set_by="system"))
                ),
            ),
        ]

    def __str__(self) -> str:
        return str(self.id)


class DonationSetting(models.Model):
    """What a member gives of each sale, from a moment on. The latest version counts; none is ever changed."""

    id = IdField(primary_key=True)
    member = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    version = models.PositiveIntegerField(help_text="1, 2, …; the ETag")
    percent = models.PositiveSmallIntegerField(help_text="Of the item price that the seller gets")
    charity = models.ForeignKey(Charity, on_delete=models.PROTECT, null=True, related_name="+")
    set_at = models.DateTimeField()

    class Meta:
        ordering = ("-id",)
        constraints = [
            models.UniqueConstraint(name="donationsetting_version_once", fields=["member", "version"]),
            models.CheckConstraint(name="donationsetting_percent", condition=Q(percent__lte=100)),
            models.CheckConstraint(
                name="donationsetting_names_charity", condition=Q(percent=0) | Q(charity__isnull=False)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.percent} % from {self.set_at:%Y-%m-%d}"


class DonationSettlement(models.Model):
    """One month's payment to one charity. `reference` is what the bank is told, once for each attempt."""

    id = IdField(primary_key=True)
    charity = models.ForeignKey(Charity, on_delete=models.PROTECT, related_name="+")
    currency = AsciiField(max_length=3)
    month = AsciiField(max_length=7, help_text="2026-03, UTC; earlier donations that came late are in it too")
    status = AsciiField(max_length=12, choices=[(status.value, status.value) for status in SettlementStatus])
    amount_minor = models.BigIntegerField(default=0, help_text="The sum of its donations")
    donations = models.PositiveIntegerField(default=0, help_text="How many")
    reason = AsciiField(
        max_length=REASON_MAX_LENGTH, blank=True, default="", help_text="Why it failed or came back"
    )
    bank_account = models.ForeignKey(CharityAccount, on_delete=models.PROTECT, null=True, related_name="+")
    provider = AsciiField(max_length=20, help_text="Who pays out")
    provider_id = AsciiField(max_length=100, null=True, help_text="The provider's own id, once it answered")
    round = models.PositiveSmallIntegerField(default=0, help_text="1, and one more after each failure")
    reference = AsciiField(max_length=35, unique=True, null=True, help_text="Of this round; for the bank")
    attempts = models.PositiveIntegerField(default=0, help_text="Calls begun in this round")
    next_call_at = models.DateTimeField(null=True, help_text="When a worker is due to call or to ask")
    opened_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True, help_text="Of this round")
    ended_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ("-id",)
        indexes = [models.Index(fields=["next_call_at"], name="donationsettlement_due")]
        constraints = [
            models.UniqueConstraint(name="donationsettlement_once", fields=["charity", "currency", "month"]),
            models.UniqueConstraint(
                name="donationsettlement_provider_id_once", fields=["provider", "provider_id"]
            ),
            models.CheckConstraint(
                name="donationsettlement_known_status",
                condition=Q(status__in=list(DONATION_SETTLEMENT.statuses)),
            ),
            models.CheckConstraint(name="donationsettlement_not_negative", condition=Q(amount_minor__gte=0)),
            models.CheckConstraint(
                name="donationsettlement_due_while_open",
                condition=Q(next_call_at__isnull=True) | Q(status__in=["collecting", "sent"]),
            ),
            models.CheckConstraint(
                name="donationsettlement_sent_whole",
                condition=Q(status="collecting")
                | Q(
                    amount_minor__gt=0,
                    bank_account__isnull=False,
                    reference__isnull=False,
                    sent_at__isnull=False,
                ),
            ),
            models.CheckConstraint(
                name="donationsettlement_ended_has_end",
                condition=Q(status__in=["collecting", "sent"], ended_at__isnull=True)
                | (~Q(status__in=["collecting", "sent"]) & Q(ended_at__isnull=False)),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.charity_id} {self.month}"


class Donation(models.Model):
    """Money that a member gave to a charity: at once, or as a share of a sale."""

    class Kind(models.TextChoices):
        ONE_OFF = "one_off", "One-off"
        SALE = "sale", "Share of a sale"

    id = IdField(primary_key=True)
    member = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    charity = models.ForeignKey(Charity, on_delete=models.PROTECT, related_name="+")
    kind = AsciiField(max_length=8, choices=Kind.choices)
    amount_minor = models.BigIntegerField()
    currency = AsciiField(max_length=3)
    status = AsciiField(max_length=8, choices=[(status.value, status.value) for status in DonationStatus])
    sale = AsciiField(max_length=80, unique=True, null=True, help_text="Reference of the sale: order:…")
    settlement = models.ForeignKey(DonationSettlement, on_delete=models.PROTECT, null=True, related_name="+")
    given_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, help_text="Settled or undone")

    class Meta:
        ordering = ("-id",)
        indexes = [
            models.Index(fields=["member", "id"], name="donation_of_member"),
            models.Index(fields=["status", "charity", "given_at"], name="donation_to_settle"),
        ]
        constraints = [
            models.CheckConstraint(name="donation_amount_positive", condition=Q(amount_minor__gt=0)),
            models.CheckConstraint(name="donation_known_kind", condition=Q(kind__in=["one_off", "sale"])),
            models.CheckConstraint(
                name="donation_known_status", condition=Q(status__in=list(DONATION.statuses))
            ),
            models.CheckConstraint(
                name="donation_of_sale_names_it",
                condition=Q(kind="sale", sale__isnull=False) | (~Q(kind="sale") & Q(sale__isnull=True)),
            ),
            models.CheckConstraint(
                name="donation_settled_in_settlement",
                condition=Q(status="settled", settlement__isnull=False)
                | (~Q(status="settled") & Q(settlement__isnull=True)),
            ),
            models.CheckConstraint(
                name="donation_ended_has_end",
                condition=Q(status="given", ended_at__isnull=True)
                | (~Q(status="given") & Q(ended_at__isnull=False)),
            ),
        ]

    def __str__(self) -> str:
        return str(self.id)


class DonationSettlementCase(models.Model):
    """A person has to look at a payment to a charity."""

    class Kind(models.TextChoices):
        FAILED = "failed", "The bank refused it or gave it back"
        UNANSWERED = "unanswered", "No answer for days: only the bank's statement can tell"
        FAILED_AFTER_PAID = "failed_after_paid", "Failed, but it was paid before"
        PAID_AFTER_FAILED = "paid_after_failed", "Paid, but it had failed before"
        AMOUNT_MISMATCH = "amount_mismatch", "Another amount than was asked for"

    id = IdField(primary_key=True)
    settlement = models.ForeignKey(DonationSettlement, on_delete=models.PROTECT, related_name="+")
    reference = AsciiField(max_length=35, help_text="Of the round that it is about")
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
            models.UniqueConstraint(name="donationcase_once", fields=["reference", "kind"]),
            models.CheckConstraint(
                name="donationcase_known_kind",
                condition=Q(
                    kind__in=[
                        "failed",
                        "unanswered",
                        "failed_after_paid",
                        "paid_after_failed",
                        "amount_mismatch",
                    ]
                ),
            ),
            models.CheckConstraint(
                name="donationcase_closed_by_somebody",
                condition=Q(closed_at__isnull=True, closed_by="")
                | (Q(closed_at__isnull=False) & ~Q(closed_by="")),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.settlement_id}"
