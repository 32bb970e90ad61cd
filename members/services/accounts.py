"""Beginning and end of an account, and what was found out about the person."""

from __future__ import annotations

import datetime as dt

import structlog
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.contrib.auth.hashers import make_password
from django.contrib.sessions.models import Session
from django.db import IntegrityError, transaction
from django.db.models import F

from foundation.db import atomic_retry
from members import metrics
from members.errors import AddressTaken, InvalidProfile, MemberNotFound
from members.models import Block, Market, Member, Notice, NotificationSettings, Plan
from members.profiles import tidy_display_name
from members.services.consent import ConsentChange, record_consent
from members.services.profile import ProfileChange, check_profile

logger = structlog.get_logger(__name__)


@atomic_retry
def register(
    *,
    email: str,
    password: str | None,
    display_name: str,
    country: str,
    language: str | None,
    time_zone: str | None,
    terms_version: str,
    now: dt.datetime,
) -> str:
    """Make the account of a person who has just accepted the terms, and return its id.

    The address is not verified yet; the API's sign-up does that. Raises InvalidProfile, and
    AddressTaken (which the API must not let on).
    """
    problems = check_profile(
        ProfileChange(display_name=display_name, country=country, language=language, time_zone=time_zone)
    )
    if problems:
        raise InvalidProfile(errors=problems)
    market = Market.objects.get(code=country)
    try:
        with transaction.atomic():
            member = Member.objects.create_user(
                email,
                password,
                display_name=tidy_display_name(display_name),
                market=market,
                language=language or market.default_language,
                time_zone=time_zone or market.time_zone,
                terms_version=terms_version,
                terms_accepted_at=now,
                joined_at=now,
            )
    except IntegrityError:
        # The unique address is the fence: of two sign-ups at once the second ends here.
        raise AddressTaken from None
    metrics.SIGN_UPS.labels(country).inc()
    logger.info("member_registered", member_id=member.id, country=country)
    return str(member.id)


@atomic_retry
def verify_identity(*, member_id: str, source: str, now: dt.datetime) -> None:
    """Record that the person's identity was verified (first time counts). Raises MemberNotFound."""
    if not Member.objects.filter(id=member_id).exists():
        raise MemberNotFound
    if Member.objects.filter(id=member_id, identity_verified_at__isnull=True).update(
        identity_verified_at=now, version=F("version") + 1
    ):
        logger.info("identity_verified", member_id=member_id, source=source)


@atomic_retry
def revoke_identity(*, member_id: str, source: str) -> None:
    """The verification turned out to be wrong. Raises MemberNotFound."""
    if not Member.objects.filter(id=member_id).exists():
        raise MemberNotFound
    if Member.objects.filter(id=member_id, identity_verified_at__isnull=False).update(
        identity_verified_at=None, version=F("version") + 1
    ):
        logger.info("identity_revoked", member_id=member_id, source=source)


@atomic_retry
def set_plan(*, member_id: str, plan: Plan, source: str) -> None:
    """Whether the member sells as a private person or as a trade. Raises MemberNotFound."""
    if not Member.objects.filter(id=member_id).exists():
        raise MemberNotFound
    if Member.objects.filter(id=member_id).exclude(plan=plan).update(plan=plan, version=F("version") + 1):
        logger.info("plan_set", member_id=member_id, plan=plan.value, source=source)


@atomic_retry
def close_account(*, member_id: str, now: dt.datetime) -> None:
    """End an account: it can never be signed into again, and nothing in it names the person any more.

    The row stays, because orders, entries and tax records that must be kept point to it. Tokens and
    sessions stop working at once, because they ask for the active member. Apps above must have
    settled what is open (orders, balance) before they call this. Raises MemberNotFound.
    """
    member = Member.objects.select_for_update().filter(id=member_id, closed_at__isnull=True).first()
    if member is None:
        raise MemberNotFound
    Member.objects.filter(id=member_id).update(
        **record_consent(member, ConsentChange(agreed=False), now=now),
        is_active=False,
        closed_at=now,
        # Unique and no address: ".invalid" is reserved for that (RFC 2606).
        email=f"{member_id.lower()}@closed.invalid",
        display_name="Closed account",
        password=make_password(None),
        version=F("version") + 1,
    )
    EmailAddress.objects.filter(user_id=member_id).delete()
    Authenticator.objects.filter(user_id=member_id).delete()
    Block.objects.filter(blocker_id=member_id).delete()
    Notice.objects.filter(member_id=member_id).delete()
    NotificationSettings.objects.filter(member_id=member_id).delete()
    UserSession.objects.filter(user_id=member_id).delete()
    logger.info("account_closed", member_id=member_id)


def forget_expired_sessions(*, now: dt.datetime) -> int:
    """Delete sessions whose refresh tokens have run out, and what was kept of their devices; return how many.

    Safe to repeat, and not in one transaction: what is gone may stay gone.
    """
    expired, _ = Session.objects.filter(expire_date__lt=now).delete()
    # A day of grace: a device is written down a moment before its session is.
    UserSession.objects.filter(created_at__lt=now - dt.timedelta(days=1)).exclude(
        session_key__in=Session.objects.values("session_key")
    ).delete()
    logger.info("expired_sessions_forgotten", sessions=expired)
    return expired
