"""Reading about members. `get_…` raises, `find_…` may return None; other apps get frozen dataclasses."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from allauth.mfa.models import Authenticator
from django.conf import settings
from django.db.models import Q, QuerySet

from foundation.compiled import Arg, CompiledQuery, args, named
from members.errors import MarketNotFound, MemberNotFound, MemberRestricted
from members.models import (
    Block,
    Market,
    Member,
    Notice,
    NotificationSettings,
    Plan,
    Restriction,
    TrainingConsent,
)
from members.notices.kinds import SWITCHABLE, Category

MAX_BLOCKS = 1000
MOST_COUNTED = 100


@dataclass(frozen=True, slots=True)
class MarketFacts:
    """A market, as data. `languages` has the default first."""

    code: str
    name: str
    currency: str
    languages: tuple[str, ...]
    locale: str
    time_zone: str
    is_enabled: bool


@dataclass(frozen=True, slots=True)
class MemberFacts:
    """What other apps may know of a member. `currency` is that of the country, ISO 4217."""

    id: str
    display_name: str
    country: str
    currency: str
    language: str
    time_zone: str
    is_verified: bool
    is_active: bool
    plan: str = Plan.PRIVATE.value

    @property
    def is_professional(self) -> bool:
        return self.plan == Plan.PROFESSIONAL


@dataclass(frozen=True, slots=True)
class ConsentFacts:
    """Whether a member's photos and texts may be learned from, since when and by which text's version."""

    agreed: bool
    text_version: str
    since_at: dt.datetime | None
    current_text_version: str


@dataclass(frozen=True, slots=True)
class OwnProfile:
    """What a member sees of the own account. `version` grows with every change of the profile."""

    id: str
    email: str
    display_name: str
    country: str
    currency: str
    language: str
    locale: str
    time_zone: str
    is_verified: bool
    plan: str
    has_second_factor: bool
    terms_version: str
    training_consent: ConsentFacts
    joined_at: dt.datetime
    version: int


@dataclass(frozen=True, slots=True)
class PublicProfile:
    """What everybody sees of a member; `is_blocked` is about the one who looks."""

    id: str
    display_name: str
    country: str
    joined_at: dt.datetime
    is_verified: bool
    is_blocked: bool


@dataclass(frozen=True, slots=True)
class RestrictionFacts:
    """What a member may not do, why, and until when (exclusive; None: until lifted)."""

    id: str
    member_id: str
    capability: str
    reason: str
    source: str
    since_at: dt.datetime
    until_at: dt.datetime | None


def _market_facts(market: Market) -> MarketFacts:
    return MarketFacts(
        code=market.code,
        name=market.name,
        currency=market.currency,
        languages=market.language_codes,
        locale=market.locale,
        time_zone=market.time_zone,
        is_enabled=market.is_enabled,
    )


def list_markets() -> list[MarketFacts]:
    """Every market, by code; the closed ones too, because old members and listings may be of one."""
    return [_market_facts(market) for market in Market.objects.order_by("code")]


def list_plans() -> tuple[str, ...]:
    """Who a member may sell as."""
    return tuple(Plan.values)


_MARKET = CompiledQuery(lambda: Market.objects.filter(code=Arg("code")).order_by())


def get_market(code: str) -> MarketFacts:
    """Raises MarketNotFound."""
    market = _MARKET.find(code=code)
    if market is None:
        raise MarketNotFound(f"There is no market {code!r}.")
    return _market_facts(market)


def list_languages() -> set[str]:
    """The languages that a member may choose: those of all markets (ISO 639-1)."""
    return {
        code for languages in Market.objects.values_list("languages", flat=True) for code in languages.split()
    }


# As MemberFacts has them; the moment of verification says whether.
_FACT_FIELDS = (
    "id",
    "display_name",
    "market_id",
    "market__currency",
    "language",
    "time_zone",
    "identity_verified_at",
    "is_active",
    "plan",
)


def list_member_facts(member_ids: Iterable[str]) -> dict[str, MemberFacts]:
    """Facts by id, of those that exist; one statement. Closed accounts are included and marked inactive."""
    ids = set(member_ids)
    found: dict[str, MemberFacts] = {}
    for row in _facts(len(ids)).all(**named("id", ids)):
        facts: dict[str, Any] = dict(zip(MemberFacts.__slots__, row, strict=True))
        facts["is_verified"] = facts["is_verified"] is not None
        found[facts["id"]] = MemberFacts(**facts)
    return found


@lru_cache(maxsize=128)
def _facts(count: int) -> CompiledQuery[tuple[Any, ...]]:
    return CompiledQuery(
        lambda: Member.objects.filter(id__in=args("id", count)).order_by().values_list(*_FACT_FIELDS)
    )


def find_member_facts(member_id: str) -> MemberFacts | None:
    """Facts of a member, whether active or not; None when there is no such member."""
    return list_member_facts([member_id]).get(member_id)


def get_member_facts(member_id: str) -> MemberFacts:
    """As find_member_facts; raises MemberNotFound."""
    facts = find_member_facts(member_id)
    if facts is None:
        raise MemberNotFound
    return facts


def get_own_profile(member_id: str) -> OwnProfile:
    """Raises MemberNotFound, also for one who is not active."""
    member = Member.objects.select_related("market").filter(id=member_id, is_active=True).first()
    if member is None:
        raise MemberNotFound
    return OwnProfile(
        id=member.id,
        email=member.email,
        display_name=member.display_name,
        country=member.market.code,
        currency=member.market.currency,
        language=member.language,
        locale=member.locale,
        time_zone=member.time_zone,
        is_verified=member.is_verified_seller,
        plan=member.plan,
        has_second_factor=has_second_factor(member.id),
        terms_version=member.terms_version,
        training_consent=ConsentFacts(
            agreed=member.training_consent_at is not None,
            text_version=member.training_consent_version,
            since_at=member.training_consent_at,
            current_text_version=settings.TRAINING_CONSENT_VERSION,
        ),
        joined_at=member.joined_at,
        version=member.version,
    )


def list_training_consents(member_ids: Iterable[str]) -> dict[str, str]:
    """Of these members, those whose photos and texts may be learned from now, with the text's version."""
    rows = Member.objects.filter(id__in=set(member_ids), is_active=True, training_consent_at__isnull=False)
    return dict(rows.values_list("id", "training_consent_version"))


def last_withdrawals(member_ids: Iterable[str]) -> dict[str, dt.datetime]:
    """When each of these members last withdrew the consent to training, of those who ever did."""
    rows = TrainingConsent.objects.filter(member_id__in=set(member_ids), agreed=False)
    return dict(rows.order_by("said_at", "id").values_list("member_id", "said_at"))


def has_second_factor(member_id: str) -> bool:
    """Whether signing in takes a code from an authenticator app."""
    return bool(Authenticator.objects.filter(user_id=member_id, type=Authenticator.Type.TOTP).exists())


def get_public_profile(member_id: str, *, viewer_id: str | None) -> PublicProfile:
    """Raises MemberNotFound: unknown, not active, or has blocked the viewer, which must not be told apart."""
    row = (
        Member.objects.filter(id=member_id, is_active=True)
        .values("id", "display_name", "market_id", "joined_at", "identity_verified_at")
        .first()
    )
    if row is None:
        raise MemberNotFound
    is_blocked = False
    if viewer_id is not None and viewer_id != member_id:
        blockers = set(_blocks_between(viewer_id, member_id).values_list("blocker_id", flat=True))
        if member_id in blockers:
            raise MemberNotFound
        is_blocked = viewer_id in blockers
    return PublicProfile(
        id=row["id"],
        display_name=row["display_name"],
        country=row["market_id"],
        joined_at=row["joined_at"],
        is_verified=row["identity_verified_at"] is not None,
        is_blocked=is_blocked,
    )


_BLOCK = CompiledQuery(
    lambda: _blocks_between(Arg("one"), Arg("other")).order_by().values_list("id", flat=True)[:1]
)


def _blocks_between(one_id: str | Arg, other_id: str | Arg) -> QuerySet[Block]:
    return Block.objects.filter(
        Q(blocker_id=one_id, blocked_id=other_id) | Q(blocker_id=other_id, blocked_id=one_id)
    )


def is_blocked_between(one_id: str, other_id: str) -> bool:
    """Whether either blocked the other: then neither may message, offer or buy."""
    return _BLOCK.find(one=one_id, other=other_id) is not None


def list_blocked_ids(member_id: str) -> list[str]:
    """Whom this member blocked, at most MAX_BLOCKS ids, the latest first."""
    return list(
        Block.objects.filter(blocker_id=member_id)
        .order_by("-id")
        .values_list("blocked_id", flat=True)[:MAX_BLOCKS]
    )


def block_rows(member_id: str) -> QuerySet[Block, Any]:
    """Rows (id, blocked_id, blocked_at) of whom this member blocked, for a cursor page sorted by id."""
    return Block.objects.filter(blocker_id=member_id).values("id", "blocked_id", "blocked_at")


def _restriction_facts(restriction: Restriction) -> RestrictionFacts:
    return RestrictionFacts(
        id=restriction.id,
        member_id=restriction.member_id,
        capability=restriction.capability,
        reason=restriction.reason,
        source=restriction.source,
        since_at=restriction.since_at,
        until_at=restriction.until_at,
    )


_RESTRICTION = CompiledQuery(
    lambda: _standing(Arg("member_id"), Arg("now")).filter(capability=Arg("capability"))[:1]
)


def _standing(member_id: str | Arg, now: dt.datetime | Arg) -> QuerySet[Restriction]:
    return Restriction.objects.filter(
        Q(until_at__isnull=True) | Q(until_at__gt=now),
        member_id=member_id,
        is_standing=True,
        since_at__lte=now,
    ).order_by("since_at", "id")


def list_restrictions(member_id: str, *, now: dt.datetime) -> list[RestrictionFacts]:
    """What holds at `now`, the oldest first; at most 100."""
    return [_restriction_facts(restriction) for restriction in _standing(member_id, now)[:100]]


def find_restriction(*, member_id: str, capability: str, now: dt.datetime) -> RestrictionFacts | None:
    """The oldest restriction of this capability that holds at `now`, or None."""
    restriction = _RESTRICTION.find(member_id=member_id, now=now, capability=capability)
    return None if restriction is None else _restriction_facts(restriction)


def require_unrestricted(*, member_id: str, capability: str, now: dt.datetime) -> None:
    """Raises MemberRestricted with `capability`, `reason` and, if known, `until`."""
    restriction = find_restriction(member_id=member_id, capability=capability, now=now)
    if restriction is None:
        return
    until = {} if restriction.until_at is None else {"until": restriction.until_at}
    raise MemberRestricted(extra={"capability": capability, "reason": restriction.reason, **until})


@dataclass(frozen=True, slots=True)
class MailChoice:
    """Whether optional mails are sent, by category. `version` grows with every change."""

    mail: dict[Category, bool]
    version: int


def notice_rows(member_id: str, *, unread: bool, category: str | None) -> QuerySet[Notice, Any]:
    """Rows of the inbox for a cursor page sorted by id; `unread`: only those."""
    rows = Notice.objects.filter(member_id=member_id)
    if unread:
        rows = rows.filter(read_at__isnull=True)
    if category is not None:
        rows = rows.filter(category=category)
    return rows.values("id", "kind", "category", "subject", "params", "created_at", "read_at")


def count_unread(member_id: str) -> int:
    """How many notices are unread, MOST_COUNTED at most: what it costs does not grow beyond that."""
    unread = Notice.objects.filter(member_id=member_id, read_at__isnull=True)
    return len(unread.order_by("id").values_list("id", flat=True)[:MOST_COUNTED])


def find_told(member_ids: Iterable[str], *, keys: Iterable[str]) -> set[str]:
    """Of these keys, those under which one of these members was told something."""
    told = Notice.objects.filter(member_id__in=set(member_ids), key__in=set(keys))
    return set(told.values_list("key", flat=True))


def get_mail_choice(member_id: str) -> MailChoice:
    """Everything is on until the member says otherwise."""
    own = NotificationSettings.objects.filter(member_id=member_id).first()
    off = [] if own is None else own.mail_off
    return MailChoice(
        mail={category: category.value not in off for category in SWITCHABLE},
        version=0 if own is None else own.version,
    )
