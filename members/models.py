"""The tables of members. Business effects are in members.services, never in save() or a signal."""

from __future__ import annotations

import datetime as dt
import unicodedata
from typing import Any

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Lower, Now

from foundation.ids import AsciiField, IdField
from members.lifecycle import MailStatus

EMAIL_MAX_LENGTH = 254  # RFC 5321 section 4.5.3.1.3, less the angle brackets
DISPLAY_NAME_MAX_LENGTH = 40
SUBJECT_MAX_LENGTH = 80
KEY_MAX_LENGTH = 120


def normalise_email(email: str) -> str:
    """The one form in which an address is stored and looked up: trimmed, NFKC, lower case.

    RFC 5321 lets the part before the @ be case-sensitive; no provider that people use makes it so.
    """
    return unicodedata.normalize("NFKC", email).strip().lower()


class Market(models.Model):
    """A country Preloved knows, with its currency and defaults. Data: members/data/markets.csv."""

    code = AsciiField(max_length=2, primary_key=True, help_text="ISO 3166-1 alpha-2")
    name = models.CharField(max_length=60, help_text="In English")
    currency = AsciiField(max_length=3, help_text="ISO 4217")
    languages = AsciiField(max_length=40, help_text="ISO 639-1 codes separated by spaces, the default first")
    locale = AsciiField(max_length=12, help_text="BCP 47 tag of the default language")
    time_zone = AsciiField(max_length=40, help_text="IANA name; the capital's where a country has several")
    is_enabled = models.BooleanField(help_text="Whether a member may join it or move to it")

    class Meta:
        ordering = ("code",)

    def __str__(self) -> str:
        return f"{self.name} ({self.currency})"

    @property
    def language_codes(self) -> tuple[str, ...]:
        return tuple(self.languages.split())

    @property
    def default_language(self) -> str:
        return self.language_codes[0]


class MemberManager(BaseUserManager["Member"]):
    """Makes members with a normalised address, a hashed password and the defaults of their market."""

    @classmethod
    def normalize_email(cls, email: str | None) -> str:
        return normalise_email(email or "")

    def get_by_natural_key(self, username: str | None) -> Member:
        return self.get(email=normalise_email(username or ""))

    def create_user(
        self,
        email: str,
        password: str | None = None,
        *,
        display_name: str,
        market: Market | str,
        **facts: Any,
    ) -> Member:
        """Insert a member. `market` is a Market or its code; raises Market.DoesNotExist, IntegrityError."""
        home = market if isinstance(market, Market) else Market.objects.get(code=market)
        facts.setdefault("language", home.default_language)
        facts.setdefault("locale", home.locale)
        facts.setdefault("time_zone", home.time_zone)
        member = self.model(email=normalise_email(email), display_name=display_name, market=home, **facts)
        member.set_password(password)
        member.save(using=self._db)
        return member

    def create_superuser(
        self,
        email: str,
        password: str | None = None,
        *,
        display_name: str,
        market: Market | str,
        **facts: Any,
    ) -> Member:
        """As create_user, for staff with every permission (`manage.py createsuperuser`)."""
        return self.create_user(
            email,
            password,
            display_name=display_name,
            market=market,
            **{**facts, "is_staff": True, "is_superuser": True},
        )


class Plan(models.TextChoices):
    """Who a member sells as. Staff set it once they have seen a trade register entry."""

    PRIVATE = "private", "Private person"
    PROFESSIONAL = "professional", "Professional seller"


class Member(AbstractBaseUser, PermissionsMixin):
    """A person who sells, buys or works here. Signs in with an e-mail address."""

    id = IdField(primary_key=True)
    # The address that allauth marks as primary. Ascii: a collation that equates e with é is no fence.
    email = AsciiField("e-mail address", max_length=EMAIL_MAX_LENGTH, unique=True)
    display_name = models.CharField(max_length=DISPLAY_NAME_MAX_LENGTH, help_text="Public; not unique")
    market = models.ForeignKey(Market, on_delete=models.PROTECT, related_name="+")
    language = AsciiField(max_length=3, help_text="ISO 639-1")
    locale = AsciiField(max_length=12, help_text="BCP 47; how numbers and dates are written")
    time_zone = AsciiField(max_length=40, help_text="IANA name")
    is_active = models.BooleanField(default=True, help_text="Off: cannot sign in, tokens stop working")
    is_staff = models.BooleanField(default=False, help_text="May open the admin")
    identity_verified_at = models.DateTimeField(
        null=True,
        blank=True,
        help_text="When the person's identity was verified; needed for expensive listings",
    )
    plan = AsciiField(max_length=12, choices=Plan.choices, default=Plan.PRIVATE)
    terms_version = AsciiField(
        max_length=20, blank=True, default="", help_text="Version of the accepted terms"
    )
    terms_accepted_at = models.DateTimeField(null=True, blank=True)
    training_consent_at = models.DateTimeField(
        null=True, blank=True, help_text="Since when photos and texts may be learned from; empty: not"
    )
    training_consent_version = AsciiField(
        max_length=20, blank=True, default="", help_text="Version of the text that the member agreed to"
    )
    joined_at = models.DateTimeField(db_default=Now())
    closed_at = models.DateTimeField(null=True, blank=True, help_text="When the member closed the account")
    version = models.PositiveIntegerField(
        default=1, help_text="Grows with every change of the profile; the ETag"
    )

    objects = MemberManager()

    EMAIL_FIELD = "email"
    USERNAME_FIELD = "email"
    REQUIRED_FIELDS = ["display_name", "market"]

    class Meta:
        constraints = [
            models.CheckConstraint(name="member_email_lower_case", condition=Q(email=Lower("email"))),
            models.CheckConstraint(name="member_email_present", condition=~Q(email="")),
            models.CheckConstraint(name="member_display_name_present", condition=~Q(display_name="")),
            models.CheckConstraint(
                name="member_consent_names_its_text",
                condition=Q(training_consent_at__isnull=True, training_consent_version="")
                | Q(training_consent_at__isnull=False) & ~Q(training_consent_version=""),
            ),
            models.CheckConstraint(
                name="member_closed_is_inactive", condition=Q(closed_at__isnull=True) | Q(is_active=False)
            ),
            models.CheckConstraint(
                name="member_known_plan", condition=Q(plan__in=["private", "professional"])
            ),
        ]

    def __str__(self) -> str:
        # Logs and admin pages print this: no address, no name.
        return str(self.id)

    def get_full_name(self) -> str:
        return self.display_name

    def get_short_name(self) -> str:
        return self.display_name

    @property
    def is_verified_seller(self) -> bool:
        return self.identity_verified_at is not None


class TrainingConsent(models.Model):
    """What a member said on whether their photos and texts may be learned from; never changed or deleted."""

    id = IdField(primary_key=True)
    member = models.ForeignKey(Member, on_delete=models.PROTECT, related_name="+")
    agreed = models.BooleanField(help_text="False: withdrawn")
    text_version = AsciiField(max_length=20, help_text="Of the text agreed to, or agreed to until then")
    said_at = models.DateTimeField()

    class Meta:
        ordering = ("-said_at", "-id")
        indexes = [models.Index(fields=["agreed", "said_at"], name="consent_said")]
        constraints = [
            models.CheckConstraint(name="consent_names_its_text", condition=~Q(text_version="")),
        ]

    def __str__(self) -> str:
        return f"{self.member_id} {'agreed' if self.agreed else 'withdrew'}"


class Block(models.Model):
    """One member wants nothing to do with another. Kept in the blocker's shard: the other is a plain id."""

    id = IdField(primary_key=True)
    blocker = models.ForeignKey(Member, on_delete=models.PROTECT, related_name="+")
    blocked_id = IdField()
    blocked_at = models.DateTimeField()

    class Meta:
        ordering = ("-id",)
        constraints = [
            models.UniqueConstraint(name="block_once", fields=["blocker", "blocked_id"]),
            models.CheckConstraint(name="block_somebody_else", condition=~Q(blocker=F("blocked_id"))),
        ]

    def __str__(self) -> str:
        return f"{self.blocker_id} blocks {self.blocked_id}"


class Restriction(models.Model):
    """What a member may not do for a while. Set from above with a reason; only `source` knows who set it."""

    class Capability(models.TextChoices):
        SELL = "sell", "Sell"
        BUY = "buy", "Buy"
        WITHDRAW = "withdraw", "Withdraw"

    id = IdField(primary_key=True)
    member = models.ForeignKey(Member, on_delete=models.PROTECT, related_name="+")
    capability = AsciiField(max_length=10, choices=Capability.choices)
    reason = AsciiField(
        max_length=40, help_text="Stable code shown to the member, such as tax_details_missing"
    )
    source = AsciiField(
        max_length=80, help_text='Opaque reference of who set it, such as "staff:…" or "dac7:…"'
    )
    since_at = models.DateTimeField()
    until_at = models.DateTimeField(null=True, blank=True, help_text="Exclusive; empty: until lifted")
    lifted_at = models.DateTimeField(null=True, blank=True)
    lifted_by = AsciiField(max_length=80, blank=True, default="")
    # True while it stands and NULL once lifted: MySQL has no partial unique index, but NULLs never collide.
    is_standing = models.BooleanField(null=True, default=True, editable=False)

    class Meta:
        ordering = ("-since_at", "-id")
        constraints = [
            models.UniqueConstraint(
                name="restriction_once_per_source", fields=["member", "capability", "source", "is_standing"]
            ),
            models.CheckConstraint(
                name="restriction_standing_until_lifted",
                # IS NOT NULL besides "= true": a CHECK passes what is neither true nor false.
                condition=Q(is_standing__isnull=False, is_standing=True, lifted_at__isnull=True)
                | Q(is_standing__isnull=True, lifted_at__isnull=False),
            ),
            models.CheckConstraint(
                name="restriction_ends_after_start",
                condition=Q(until_at__isnull=True) | Q(until_at__gt=F("since_at")),
            ),
            models.CheckConstraint(
                name="restriction_known_capability", condition=Q(capability__in=["sell", "buy", "withdraw"])
            ),
            models.CheckConstraint(name="restriction_has_reason", condition=~Q(reason="")),
        ]

    def __str__(self) -> str:
        return f"{self.member_id} may not {self.capability}: {self.reason}"

    def stands_at(self, now: dt.datetime) -> bool:
        """Whether it holds at `now` (half-open: [since_at, until_at))."""
        return (
            self.lifted_at is None and self.since_at <= now and (self.until_at is None or now < self.until_at)
        )


class Notice(models.Model):
    """What a member was told, and the mail of it. Written by members.services.notices, in one INSERT.

    Its words are made when it is read, from the kind's texts, in the language of that moment.
    """

    id = IdField(primary_key=True)
    member = models.ForeignKey(Member, on_delete=models.PROTECT, related_name="+", db_index=False)
    kind = AsciiField(max_length=60, help_text='Such as "order.paid"; members.notices.kinds')
    category = AsciiField(max_length=10)
    subject = AsciiField(max_length=SUBJECT_MAX_LENGTH, help_text='What it is about, such as "order:…"')
    key = AsciiField(max_length=KEY_MAX_LENGTH, help_text="Of the member's notices at most one has it")
    params = models.JSONField(help_text="Ids, amounts, instants, titles; no addresses")
    created_at = models.DateTimeField()
    read_at = models.DateTimeField(null=True)
    mail_status = AsciiField(
        max_length=8, blank=True, default="", choices=[(status.value, status.value) for status in MailStatus]
    )
    mail_attempts = models.PositiveSmallIntegerField(default=0)
    mail_due_at = models.DateTimeField(
        null=True, help_text="When the next attempt may begin; while one runs, when its lease ends"
    )
    mail_sent_at = models.DateTimeField(null=True)
    mail_error = AsciiField(
        max_length=64, blank=True, default="", help_text="The name of what the last attempt raised"
    )

    class Meta:
        ordering = ("-id",)
        indexes = [
            models.Index(fields=["member", "id"], name="notice_inbox"),
            # What is unread: NULLs are in the index of every engine.
            models.Index(fields=["member", "read_at", "id"], name="notice_unread"),
            # The clock: NULL once nothing is to be sent.
            models.Index(fields=["mail_due_at", "id"], name="notice_mail_due"),
        ]
        constraints = [
            models.UniqueConstraint(name="notice_once", fields=["member", "key"]),
            models.CheckConstraint(
                name="notice_known_mail_status",
                condition=Q(mail_status__in=["", *(status.value for status in MailStatus)]),
            ),
            models.CheckConstraint(
                name="notice_mail_due_until_done",
                condition=Q(mail_status__in=["waiting", "sending"], mail_due_at__isnull=False)
                | ~Q(mail_status__in=["waiting", "sending"]) & Q(mail_due_at__isnull=True),
            ),
            models.CheckConstraint(
                name="notice_mail_sent_has_time",
                condition=Q(mail_status="sent", mail_sent_at__isnull=False)
                | ~Q(mail_status="sent") & Q(mail_sent_at__isnull=True),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.id} {self.kind}"


class NotificationSettings(models.Model):
    """Which mails a member switched off; a member without a row gets them all."""

    member = models.OneToOneField(Member, on_delete=models.PROTECT, primary_key=True, related_name="+")
    mail_off = models.JSONField(default=list, help_text="Categories")
    version = models.PositiveIntegerField(default=0, help_text="Grows with every change; the ETag")

    class Meta:
        verbose_name_plural = "notification settings"

    def __str__(self) -> str:
        return str(self.member_id)
