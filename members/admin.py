"""For staff: find members, see their state, restrict and lift. Changes go through services and are logged."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import allauth.account.admin  # registers EmailAddress, so that it can be taken away below
import allauth.mfa.admin  # likewise Authenticator
import allauth.usersessions.admin  # noqa: F401  # likewise UserSession
from allauth.account.adapter import get_adapter
from allauth.account.models import EmailAddress
from allauth.mfa.base.forms import AuthenticateForm
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.contrib.admin.forms import AdminAuthenticationForm
from django.contrib.admin.widgets import AdminSplitDateTime
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse

from foundation import clock
from foundation.admin import NoteForm, ReadOnly, ask, for_each
from members import metrics, queries, services
from members.models import Block, Market, Member, Notice, Plan, Restriction
from members.services.notice_mails import send_again

if TYPE_CHECKING:
    _MemberAdmin = admin.ModelAdmin[Member]
    _RestrictionAdmin = admin.ModelAdmin[Restriction]
    _RestrictionInline = admin.TabularInline[Restriction, Member]
    _BlockAdmin = admin.ModelAdmin[Block]
    _MarketAdmin = admin.ModelAdmin[Market]
    _NoticeAdmin = admin.ModelAdmin[Notice]
else:  # generic only in the stubs, not at run time
    _MemberAdmin = _RestrictionAdmin = _BlockAdmin = _MarketAdmin = _NoticeAdmin = admin.ModelAdmin
    _RestrictionInline = admin.TabularInline

STAFF_SESSION = dt.timedelta(hours=12)

# They show secrets, session keys and addresses, and change them past our services.
admin.site.unregister([EmailAddress, Authenticator, UserSession])


class StaffSignInForm(AdminAuthenticationForm):
    """E-mail address, password and, for those who have one, the code of the authenticator app.

    Counted against the same limits as sign-in by the API (5 wrong passwords lock an address).
    """

    code = forms.CharField(
        required=False,
        max_length=20,
        label="Code of your authenticator app",
        widget=forms.TextInput(attrs={"autocomplete": "one-time-code"}),
    )

    def clean(self) -> dict[str, Any]:
        """Raises ValidationError; otherwise the session that follows ends after STAFF_SESSION."""
        email, password = self.cleaned_data.get("username"), self.cleaned_data.get("password")
        if self.request is None or not email or not password:
            return self.cleaned_data
        member = get_adapter(self.request).authenticate(self.request, email=email, password=password)
        if member is None:
            raise self.get_invalid_login_error()
        self.confirm_login_allowed(member)
        if queries.has_second_factor(member.pk):
            second = AuthenticateForm(data={"code": self.cleaned_data.get("code")}, user=member)
            if not second.is_valid():
                metrics.SIGN_IN_FAILURES.labels("code").inc()
                raise ValidationError("The code of your authenticator app is needed, and right.", code="code")
        elif settings.ADMIN_REQUIRE_SECOND_FACTOR:
            raise ValidationError(
                "Add an authenticator app to your account first (docs/members.md).", code="second_factor"
            )
        self.request.session.set_expiry(STAFF_SESSION)
        self.user_cache = member
        return self.cleaned_data


admin.site.login_form = StaffSignInForm
admin.site.login_template = "admin/members/sign_in.html"


class RestrictForm(forms.Form):
    capability = forms.ChoiceField(choices=Restriction.Capability.choices)
    reason = forms.RegexField(
        r"^[a-z][a-z0-9_]{1,39}\Z", help_text="A code that the member sees, such as counterfeits_sold."
    )
    until = forms.SplitDateTimeField(
        required=False,
        widget=AdminSplitDateTime(),
        help_text="UTC; empty: until lifted.",
    )
    note = forms.CharField(
        max_length=500, help_text="Why; kept in the history of the member, for staff only."
    )


class PlanForm(NoteForm):
    plan = forms.ChoiceField(choices=Plan.choices)


class RestrictionInline(ReadOnly, _RestrictionInline):
    model = Restriction
    fields = ("capability", "reason", "source", "since_at", "until_at", "lifted_at", "lifted_by")
    readonly_fields = fields
    extra = 0
    can_delete = False


def _name(member: Member) -> str:
    return member.display_name


@admin.register(Member)
class MemberAdmin(_MemberAdmin):
    list_display = (
        "id",
        "display_name",
        "email",
        "market_id",
        "is_verified",
        "plan",
        "is_active",
        "is_staff",
        "joined_at",
    )
    list_filter = ("plan", "is_active", "is_staff", "market")
    list_select_related = False
    # Prefixes, which an index can answer; ids in full.
    search_fields = ("=id", "^email", "^display_name")
    search_help_text = "Id, or the beginning of an e-mail address or name"
    ordering = ("-id",)
    show_full_result_count = False
    list_per_page = 50
    actions = ("restrict_members", "verify_identities", "revoke_identities", "set_plans")
    inlines = (RestrictionInline,)
    filter_horizontal = ("groups", "user_permissions")
    fieldsets = (
        (None, {"fields": ("id", "display_name", "email", "addresses", "second_factor")}),
        ("Where", {"fields": ("market", "language", "locale", "time_zone")}),
        (
            "Account",
            {
                "fields": (
                    "joined_at",
                    "last_login",
                    "terms_version",
                    "terms_accepted_at",
                    "training_consent_at",
                    "training_consent_version",
                    "identity_verified_at",
                    "plan",
                )
            },
        ),
        ("State", {"fields": ("is_active", "closed_at")}),
        ("Staff", {"fields": ("is_staff", "is_superuser", "groups", "user_permissions")}),
    )
    # What a superuser may change here; a member changes the rest, and services change the state.
    staff_fields = ("is_active", "is_staff", "is_superuser", "groups", "user_permissions")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Member | None = None) -> bool:
        return False

    def get_readonly_fields(self, request: HttpRequest, obj: Member | None = None) -> list[str]:
        shown = [str(name) for _, options in self.fieldsets for name in options["fields"]]
        return [name for name in shown if name not in self.staff_fields or not request.user.is_superuser]

    @admin.display(boolean=True, description="verified")
    def is_verified(self, member: Member) -> bool:
        return member.is_verified_seller

    @admin.display(description="e-mail addresses")
    def addresses(self, member: Member) -> str:
        rows = EmailAddress.objects.filter(user=member).order_by("-primary", "email")
        return "; ".join(
            ", ".join([row.email, "verified" if row.verified else "not verified", *["primary"] * row.primary])
            for row in rows[:10]
        )

    @admin.display(description="second factor")
    def second_factor(self, member: Member) -> str:
        rows = Authenticator.objects.filter(user=member).order_by("type")
        return "; ".join(f"{row.type} since {row.created_at:%Y-%m-%d}" for row in rows[:10]) or "none"

    @admin.action(description="Restrict…", permissions=["change"])
    def restrict_members(self, request: HttpRequest, chosen: QuerySet[Member]) -> HttpResponse | None:
        form, page = ask(request, RestrictForm, chosen, "Restrict these members", name=_name)
        if page is not None:
            return page
        given = form.cleaned_data

        def restrict(member: Member) -> None:
            services.restrict(
                member_id=member.id,
                capability=given["capability"],
                reason=given["reason"],
                source=f"staff:{request.user.pk}",
                until=given["until"],
                now=clock.now(),
            )

        for_each(
            self,
            request,
            chosen,
            restrict,
            f"Restricted: {given['capability']}, {given['reason']}. {given['note']}",
        )
        return None

    @admin.action(description="Identity is verified…", permissions=["change"])
    def verify_identities(self, request: HttpRequest, chosen: QuerySet[Member]) -> HttpResponse | None:
        form, page = ask(request, NoteForm, chosen, "The identity of these members was verified", name=_name)
        if page is not None:
            return page
        source = f"staff:{request.user.pk}"
        for_each(
            self,
            request,
            chosen,
            lambda member: services.verify_identity(member_id=member.id, source=source, now=clock.now()),
            f"Identity verified. {form.cleaned_data['note']}",
        )
        return None

    @admin.action(description="Identity is not verified…", permissions=["change"])
    def revoke_identities(self, request: HttpRequest, chosen: QuerySet[Member]) -> HttpResponse | None:
        form, page = ask(request, NoteForm, chosen, "The verification of these members was wrong", name=_name)
        if page is not None:
            return page
        for_each(
            self,
            request,
            chosen,
            lambda member: services.revoke_identity(member_id=member.id, source=f"staff:{request.user.pk}"),
            f"Identity no longer verified. {form.cleaned_data['note']}",
        )
        return None

    @admin.action(description="Set the plan…", permissions=["change"])
    def set_plans(self, request: HttpRequest, chosen: QuerySet[Member]) -> HttpResponse | None:
        form, page = ask(request, PlanForm, chosen, "Set the plan of these members", name=_name)
        if page is not None:
            return page
        plan, source = Plan(form.cleaned_data["plan"]), f"staff:{request.user.pk}"
        for_each(
            self,
            request,
            chosen,
            lambda member: services.set_plan(member_id=member.id, plan=plan, source=source),
            f"Plan: {plan.value}. {form.cleaned_data['note']}",
        )
        return None


@admin.register(Restriction)
class RestrictionAdmin(_RestrictionAdmin):
    list_display = (
        "id",
        "member_id",
        "capability",
        "reason",
        "source",
        "since_at",
        "until_at",
        "is_standing",
    )
    list_filter = ("is_standing", "capability")
    search_fields = ("=id", "=member__id", "=source", "=reason")
    readonly_fields = (
        *("id", "member", "capability", "reason", "source", "since_at", "until_at", "lifted_at", "lifted_by"),
    )
    show_full_result_count = False
    actions = ("lift_restrictions",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Restriction | None = None) -> bool:
        return False

    @admin.action(description="Lift…", permissions=["change"])
    def lift_restrictions(self, request: HttpRequest, chosen: QuerySet[Restriction]) -> HttpResponse | None:
        form, page = ask(request, NoteForm, chosen, "Lift these restrictions")
        if page is not None:
            return page
        for restriction in chosen:
            if not restriction.source.startswith("staff:"):
                # Whoever set it would set it again, or rely on it: the reason has to go away there.
                owner = restriction.source.partition(":")[0]
                self.message_user(request, f"{restriction.pk}: only {owner} lifts this", messages.ERROR)
                continue
            lifted = services.lift(
                restriction_id=restriction.id, lifted_by=f"staff:{request.user.pk}", now=clock.now()
            )
            if lifted:
                self.log_change(request, restriction, f"Lifted. {form.cleaned_data['note']}")
            self.message_user(request, f"{restriction.pk}: {'lifted' if lifted else 'was lifted before'}")
        return None


@admin.register(Block)
class BlockAdmin(ReadOnly, _BlockAdmin):
    list_display = ("id", "blocker_id", "blocked_id", "blocked_at")
    search_fields = ("=blocker__id", "=blocked_id")
    show_full_result_count = False


@admin.register(Market)
class MarketAdmin(ReadOnly, _MarketAdmin):
    """Changed in members/data/markets.csv and loaded by `manage.py load_markets`."""

    list_display = ("code", "name", "currency", "languages", "time_zone", "is_enabled")
    list_filter = ("is_enabled", "currency")
    search_fields = ("code", "name")


@admin.register(Notice)
class NoticeAdmin(ReadOnly, _NoticeAdmin):
    """What members were told, and what came of the mails."""

    list_display = (
        *("id", "member_id", "kind", "subject", "read_at"),
        *("mail_status", "mail_attempts", "mail_due_at", "mail_error"),
    )
    list_filter = ("mail_status", "category")
    search_fields = ("=id", "=member__id", "=subject")
    ordering = ("-id",)
    show_full_result_count = False
    actions = ("send_mails_again",)

    @admin.action(description="Send the mail again…")
    def send_mails_again(self, request: HttpRequest, chosen: QuerySet[Notice]) -> HttpResponse | None:
        form, page = ask(request, NoteForm, chosen, "Send these mails again")
        if page is not None:
            return page
        for_each(
            self,
            request,
            chosen,
            lambda notice: send_again(notice_id=notice.id, now=clock.now()),
            f"Mail sent again. {form.cleaned_data['note']}",
        )
        return None
