"""The ledger: accounts, postings, transfers. Written by balance.services.posting and nobody else."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Right

from balance.chart import MEMBER_KINDS, AccountKind, Event
from foundation.ids import AsciiField, IdField

ACCOUNT_ID_LENGTH = 70


class LedgerAccount(models.Model):
    """One owner's money of one kind and currency (balance.chart).

    A member's account carries its balance, changed under its lock in the transaction of the transfer. An
    account of the platform or of a charity carries none: one row that every sale changes would cost most
    of the throughput; its balance is a sum, with checkpoints.
    """

    id = AsciiField(max_length=ACCOUNT_ID_LENGTH, primary_key=True, help_text="owner:kind:currency")
    member = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    kind = AsciiField(max_length=30, choices=[(kind.value, kind.value) for kind in AccountKind])
    currency = AsciiField(max_length=3)
    balance_minor = models.BigIntegerField(null=True, help_text="Minor units; NULL: the sum of its transfers")
    # The number of the latest entry (balance.moments): strictly increasing per account, and a time as well,
    # so that one index holds the order of entries and finds the balance at any moment.
    last_entry = models.BigIntegerField(default=0)
    opened_at = models.DateTimeField()
    frozen_at = models.DateTimeField(null=True, help_text="Set by the audit on drift: nothing leaves it")

    class Meta:
        ordering = ("id",)
        constraints = [
            models.CheckConstraint(
                name="account_known_kind", condition=Q(kind__in=[kind.value for kind in AccountKind])
            ),
            models.CheckConstraint(
                name="account_members_carry_a_balance",
                condition=Q(
                    kind__in=sorted(kind.value for kind in MEMBER_KINDS),
                    member__isnull=False,
                    balance_minor__isnull=False,
                )
                | (
                    ~Q(kind__in=sorted(kind.value for kind in MEMBER_KINDS))
                    & Q(member__isnull=True, balance_minor__isnull=True)
                ),
            ),
            # A debt is a fact about the available account; nothing else of a member is ever below zero.
            models.CheckConstraint(
                name="account_only_available_below_zero",
                condition=Q(kind=AccountKind.AVAILABLE.value)
                | Q(balance_minor__isnull=True)
                | Q(balance_minor__gte=0),
            ),
            models.CheckConstraint(name="account_id_ends_in_currency", condition=Q(currency=Right("id", 3))),
        ]

    def __str__(self) -> str:
        return str(self.id)


class Posting(models.Model):
    """One business fact, recorded once: its key is unique. Never changed; corrected by another posting."""

    id = IdField(primary_key=True)
    key = AsciiField(
        max_length=160, unique=True, help_text="Of the business fact; the fence against doing it twice"
    )
    event = AsciiField(max_length=30, choices=[(event.value, event.value) for event in Event])
    reference = AsciiField(max_length=80, help_text="What it is about, opaque to the ledger: order:…")
    fingerprint = AsciiField(max_length=64, help_text="SHA-256 of the content, to tell a repeat from a clash")
    reverses = models.OneToOneField("self", on_delete=models.PROTECT, null=True, related_name="+")
    actor = AsciiField(max_length=60, help_text="member:…, staff:…, provider:… or system")
    reason = models.CharField(max_length=500, blank=True, default="", help_text="For staff")
    effective_at = models.DateTimeField(help_text="When it happened")
    recorded_at = models.DateTimeField(help_text="When the ledger learned of it")

    class Meta:
        ordering = ("-id",)
        indexes = [
            models.Index(fields=["reference"], name="posting_reference"),
            # A day's postings, for sums, checkpoints, the hash chain and the reports.
            models.Index(fields=["recorded_at"], name="posting_recorded"),
            # What is rare among many sales: refunds, chargebacks and corrections of a time.
            models.Index(fields=["event", "recorded_at"], name="posting_event_recorded"),
        ]
        constraints = [
            models.CheckConstraint(
                name="posting_known_event", condition=Q(event__in=[event.value for event in Event])
            ),
            models.CheckConstraint(name="posting_has_key", condition=~Q(key="")),
            models.CheckConstraint(
                name="posting_not_before_it_happened", condition=Q(effective_at__lte=models.F("recorded_at"))
            ),
        ]

    def __str__(self) -> str:
        return f"{self.key}"


class Transfer(models.Model):
    """One amount from one account (debited) to another (credited): it cannot be unbalanced.

    `…_entry` and `…_balance_minor` are the entry's number and the balance after it, on the account's
    normal side, where the account carries a balance; they make any past balance one index lookup.
    """

    id = AsciiField(max_length=32, primary_key=True, help_text="posting-position")
    posting = models.ForeignKey(Posting, on_delete=models.PROTECT, related_name="+")
    position = models.PositiveSmallIntegerField()
    debit_account = models.ForeignKey(
        LedgerAccount, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    credit_account = models.ForeignKey(
        LedgerAccount, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    currency = AsciiField(max_length=3)
    amount_minor = models.BigIntegerField()
    debit_entry = models.BigIntegerField(null=True)
    debit_balance_minor = models.BigIntegerField(null=True)
    credit_entry = models.BigIntegerField(null=True)
    credit_balance_minor = models.BigIntegerField(null=True)

    class Meta:
        ordering = ("id",)
        constraints = [
            models.UniqueConstraint(
                fields=["debit_account", "debit_entry"], name="transfer_debit_entry_once"
            ),
            models.UniqueConstraint(
                fields=["credit_account", "credit_entry"], name="transfer_credit_entry_once"
            ),
            models.CheckConstraint(name="transfer_amount_positive", condition=Q(amount_minor__gt=0)),
            models.CheckConstraint(
                name="transfer_two_accounts", condition=~Q(debit_account=models.F("credit_account"))
            ),
            models.CheckConstraint(
                name="transfer_one_currency",
                condition=Q(currency=Right("debit_account", 3)) & Q(currency=Right("credit_account", 3)),
            ),
            models.CheckConstraint(
                name="transfer_entry_has_balance",
                condition=Q(debit_entry__isnull=True, debit_balance_minor__isnull=True)
                | Q(debit_entry__isnull=False, debit_balance_minor__isnull=False),
            ),
            models.CheckConstraint(
                name="transfer_credit_entry_has_balance",
                condition=Q(credit_entry__isnull=True, credit_balance_minor__isnull=True)
                | Q(credit_entry__isnull=False, credit_balance_minor__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.debit_account_id} -> {self.credit_account_id} {self.amount_minor}"
