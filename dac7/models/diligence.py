"""Who is watched and asked: sales so far, requests for information, and the log of all of it."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from dac7.lifecycle.diligence import OPEN, REQUEST, RequestStatus
from dac7.thresholds import Standing
from foundation.ids import AsciiField, IdField

_RUNNING = [status.value for status in OPEN]
_TIMED = [status.value for status in RequestStatus if REQUEST.clock_row(status) is not None]


class SalesCursor(models.Model):
    """Up to when the ledger was read for sales, and listings for sellers. One row for each reader."""

    name = AsciiField(max_length=20, primary_key=True)
    read_until = models.DateTimeField(help_text="Recorded time, exclusive")

    def __str__(self) -> str:
        return str(self.name)


class SellerYear(models.Model):
    """A seller's year as last read from the ledger. For warnings and overviews; filings read it anew."""

    id = IdField(primary_key=True)
    member = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    year = models.PositiveSmallIntegerField()
    activities = models.PositiveIntegerField()
    euros = models.DecimalField(max_digits=20, decimal_places=6, help_text="Rounded; limits are tested exact")
    standing = AsciiField(
        max_length=5,
        choices=[(one.value, one.value) for one in Standing],
        help_text="The highest that was reached, and told",
    )
    read_at = models.DateTimeField()

    class Meta:
        ordering = ("-year", "member")
        indexes = [models.Index(fields=["year", "standing"], name="selleryear_standing")]
        constraints = [
            models.UniqueConstraint(name="selleryear_once", fields=["member", "year"]),
            models.CheckConstraint(
                name="selleryear_known_standing", condition=Q(standing__in=[one.value for one in Standing])
            ),
        ]

    def __str__(self) -> str:
        return f"{self.year} {self.member_id}"


class LateChange(models.Model):
    """Sales of a year were taken back, or given back, once it was over: the report may be wrong now."""

    id = IdField(primary_key=True)
    member = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    year = models.PositiveSmallIntegerField(help_text="In which the sales were credited")
    changed_at = models.DateTimeField(help_text="The latest one")

    class Meta:
        ordering = ("-changed_at", "id")
        indexes = [models.Index(fields=["year", "changed_at"], name="latechange_since")]
        constraints = [models.UniqueConstraint(name="latechange_once", fields=["member", "year"])]

    def __str__(self) -> str:
        return f"{self.year} {self.member_id}"


class InformationRequest(models.Model):
    """What a seller was asked for. At most one is open for each."""

    id = IdField(primary_key=True)
    member = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    year = models.PositiveSmallIntegerField(help_text="Whose sales made it necessary")
    status = AsciiField(max_length=14, choices=[(one.value, one.value) for one in RequestStatus])
    # True while it is open and NULL afterwards: NULLs never collide in a unique constraint.
    is_open = models.BooleanField(null=True, default=True, editable=False)
    requested_at = models.DateTimeField()
    due_at = models.DateTimeField(null=True, help_text="When the clock acts next")
    ended_at = models.DateTimeField(null=True)
    withdrawals_held_by = IdField(null=True, help_text="The restriction that is lifted with the answer")
    selling_stopped_by = IdField(null=True, help_text="Likewise")

    class Meta:
        ordering = ("-id",)
        indexes = [
            models.Index(fields=["due_at", "id"], name="informationrequest_due"),
            models.Index(fields=["status", "requested_at"], name="informationrequest_queue"),
        ]
        constraints = [
            models.UniqueConstraint(name="informationrequest_one_open", fields=["member", "is_open"]),
            models.CheckConstraint(
                name="informationrequest_known_status",
                condition=Q(status__in=[one.value for one in RequestStatus]),
            ),
            models.CheckConstraint(
                name="informationrequest_open_until_ended",
                condition=Q(status__in=_RUNNING, is_open__isnull=False, is_open=True, ended_at__isnull=True)
                | (~Q(status__in=_RUNNING) & Q(is_open__isnull=True, ended_at__isnull=False)),
            ),
            models.CheckConstraint(
                name="informationrequest_timed_while_clock_acts",
                condition=Q(status__in=_TIMED, due_at__isnull=False)
                | (~Q(status__in=_TIMED) & Q(due_at__isnull=True)),
            ),
            models.CheckConstraint(
                name="informationrequest_ended_after_asked",
                condition=Q(ended_at__isnull=True) | Q(ended_at__gte=F("requested_at")),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.status} {self.id}"


class ClosedAccount(models.Model):
    """An account that is closed until a request is answered: the one asked, or another of the same person."""

    class FoundBy(models.TextChoices):
        ASKED = "asked", "It was asked itself"
        TIN = "tin", "The same TIN"
        BANK_ACCOUNT = "bank_account", "The same bank account, name and day of birth"

    id = IdField(primary_key=True)
    request = models.ForeignKey(InformationRequest, on_delete=models.CASCADE, related_name="closed_accounts")
    member = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    found_by = AsciiField(max_length=12, choices=FoundBy.choices)
    closed_at = models.DateTimeField()
    opened_at = models.DateTimeField(
        null=True, help_text="With the answer, or when staff dropped the request"
    )

    class Meta:
        ordering = ("id",)
        constraints = [
            models.UniqueConstraint(name="closedaccount_once", fields=["request", "member"]),
            models.CheckConstraint(
                name="closedaccount_known_reason", condition=Q(found_by__in=["asked", "tin", "bank_account"])
            ),
            models.CheckConstraint(
                name="closedaccount_opened_after_closed",
                condition=Q(opened_at__isnull=True) | Q(opened_at__gte=F("closed_at")),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.member_id} {self.found_by}"


class DiligenceEvent(models.Model):
    """What was done about a seller, when, by whom, and what they were told. A trigger refuses changes."""

    id = IdField(primary_key=True)
    member = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    request = models.ForeignKey(InformationRequest, on_delete=models.PROTECT, null=True, related_name="+")
    year = models.PositiveSmallIntegerField()
    verb = AsciiField(max_length=20)
    source = AsciiField(max_length=14, blank=True, default="")
    target = AsciiField(max_length=14, blank=True, default="")
    actor = AsciiField(max_length=60, help_text="clock, member:… or staff:…")
    happened_at = models.DateTimeField()
    notice = AsciiField(max_length=40, blank=True, default="", help_text="Kind of the notice that was sent")
    notice_params = models.JSONField(default=dict, blank=True)
    note = models.CharField(max_length=500, blank=True, default="", help_text="For staff")

    class Meta:
        ordering = ("-id",)
        indexes = [models.Index(fields=["member", "id"], name="diligenceevent_member")]

    def __str__(self) -> str:
        return f"{self.verb} {self.member_id}"


class QuarterCheck(models.Model):
    """What a quarterly look at all sellers found; one for each quarter."""

    id = IdField(primary_key=True)
    year = models.PositiveSmallIntegerField()
    quarter = models.PositiveSmallIntegerField()
    made_at = models.DateTimeField()
    sellers = models.PositiveIntegerField(help_text="With sales in the year so far")
    over = models.PositiveIntegerField(help_text="Over a limit")
    near = models.PositiveIntegerField()
    incomplete = models.PositiveIntegerField(help_text="Over or near, with information missing")

    class Meta:
        ordering = ("-year", "-quarter")
        constraints = [
            models.UniqueConstraint(name="quartercheck_once", fields=["year", "quarter"]),
            models.CheckConstraint(name="quartercheck_of_four", condition=Q(quarter__gte=1, quarter__lte=4)),
        ]

    def __str__(self) -> str:
        return f"{self.year} Q{self.quarter}"
