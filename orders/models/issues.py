"""What a buyer objects to, the evidence, and what the two propose. Where it stands is the order's status."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from foundation.encryption.fields import EncryptedBytesField, EncryptedTextField
from foundation.ids import AsciiField, IdField
from orders.lifecycle import BUYER, SELLER
from orders.lifecycle.issues import ProposalStatus
from orders.models.orders import Order

TEXT_MAX = 2000
_ROLES = (BUYER, SELLER)
_PROPOSAL_STATUSES = [status.value for status in ProposalStatus]


class Issue(models.Model):
    """Reported once per order, within the time after the notice."""

    class Kind(models.TextChoices):
        NOT_RECEIVED = "not_received", "not received"
        DAMAGED = "damaged", "damaged"
        NOT_AS_DESCRIBED = "not_as_described", "not as described"
        COUNTERFEIT = "counterfeit", "counterfeit"
        MISSING_ITEM = "missing_item", "an item is missing"

    class PostageBy(models.TextChoices):
        BUYER = "buyer", "the buyer, who sends it as he likes"
        SELLER = "seller", "the seller, with our label"
        PLATFORM = "platform", "we, with our label"

    id = IdField(primary_key=True)
    order = models.OneToOneField(Order, on_delete=models.PROTECT, related_name="+")
    kind = AsciiField(max_length=16, choices=Kind.choices)
    text = EncryptedTextField(
        null=True, max_length=TEXT_MAX, help_text="In the buyer's words; NULL once they are forgotten"
    )
    version = models.PositiveIntegerField(default=1, help_text="Grows with every change")
    opened_at = models.DateTimeField()
    # Of a return
    postage_by = AsciiField(max_length=8, blank=True, default="", choices=PostageBy.choices)
    return_tracking = AsciiField(max_length=60, blank=True, default="", help_text="As the buyer says")
    # Of support
    decided_by = IdField(null=True)
    decision = models.CharField(max_length=500, blank=True, default="", help_text="What both are told")

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="issue_known_kind",
                condition=Q(
                    kind__in=["not_received", "damaged", "not_as_described", "counterfeit", "missing_item"]
                ),
            ),
            models.CheckConstraint(
                name="issue_known_postage", condition=Q(postage_by__in=["", "buyer", "seller", "platform"])
            ),
        ]

    def __str__(self) -> str:
        return str(self.id)


class IssueEvidence(models.Model):
    """A photo, re-encoded and encrypted; for the two members and support."""

    id = IdField(primary_key=True)
    issue = models.ForeignKey(Issue, on_delete=models.PROTECT, related_name="+")
    added_by = AsciiField(max_length=6, choices=[(role, role) for role in _ROLES])
    position = models.PositiveSmallIntegerField()
    file_name = AsciiField(max_length=100, help_text="In the documents storage")
    file_key = EncryptedBytesField(help_text="Opens the file")
    added_at = models.DateTimeField()

    class Meta:
        ordering = ("issue", "position")
        constraints = [
            models.UniqueConstraint(name="evidence_position_once", fields=["issue", "position"]),
            models.CheckConstraint(name="evidence_by_a_member", condition=Q(added_by__in=_ROLES)),
        ]

    def __str__(self) -> str:
        return f"{self.issue_id} {self.position}"


class Proposal(models.Model):
    """How one of the two would settle the issue; at most one is open."""

    class Kind(models.TextChoices):
        REFUND = "refund", "all of it back, nothing is sent back"
        PART = "part", "a part of the price back, the buyer keeps the item"
        RETURN = "return", "sent back, then all of it back"

    id = IdField(primary_key=True)
    issue = models.ForeignKey(Issue, on_delete=models.PROTECT, related_name="+")
    number = models.PositiveSmallIntegerField(help_text="Within the issue, from 1")
    by = AsciiField(max_length=6, choices=[(role, role) for role in _ROLES])
    kind = AsciiField(max_length=8, choices=Kind.choices)
    amount_minor = models.BigIntegerField(null=True, help_text="Of a part: of the order's currency")
    postage_by = AsciiField(max_length=8, blank=True, default="", help_text="Of a return: buyer or seller")
    status = AsciiField(max_length=8, default=ProposalStatus.OPEN.value)
    # True while open and NULL afterwards: MySQL has no partial unique index.
    is_open = models.BooleanField(null=True, default=True, editable=False)
    made_at = models.DateTimeField()
    answered_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ("issue", "number")
        constraints = [
            models.UniqueConstraint(name="proposal_number_once", fields=["issue", "number"]),
            models.UniqueConstraint(name="proposal_one_open", fields=["issue", "is_open"]),
            models.CheckConstraint(
                name="proposal_known_status",
                condition=Q(status__in=[status.value for status in ProposalStatus]),
            ),
            models.CheckConstraint(
                name="proposal_open_is_marked",
                condition=Q(status="open", is_open__isnull=False, is_open=True, answered_at__isnull=True)
                | ~Q(status="open") & Q(is_open__isnull=True, answered_at__isnull=False),
            ),
            models.CheckConstraint(
                name="proposal_says_what",
                condition=Q(kind="refund", amount_minor__isnull=True, postage_by="")
                | Q(kind="part", amount_minor__isnull=False, amount_minor__gt=0, postage_by="")
                | Q(kind="return", amount_minor__isnull=True, postage_by__in=["buyer", "seller"]),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.issue_id} {self.number}"
