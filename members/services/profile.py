"""What members say about themselves."""

from __future__ import annotations

import datetime as dt
import zoneinfo
from dataclasses import dataclass

from django.db.models import F

from foundation.db import atomic_retry
from foundation.errors import FieldProblem, PreconditionFailed
from members import queries
from members.errors import InvalidProfile, MemberNotFound
from members.models import Market, Member
from members.profiles import display_name_problem, is_locale, tidy_display_name
from members.services.consent import ConsentChange, check_consent, record_consent


@dataclass(frozen=True, slots=True, kw_only=True)
class ProfileChange:
    """What to change; None leaves a field as it is. Nothing else follows by itself.

    After a move to a country with another currency, new listings are in the new one; listings,
    offers and balances that exist keep theirs.
    """

    display_name: str | None = None
    country: str | None = None
    language: str | None = None
    locale: str | None = None
    time_zone: str | None = None
    training_consent: ConsentChange | None = None


def check_profile(change: ProfileChange, *, country_now: str | None = None) -> list[FieldProblem]:
    """Every problem of a change at once, with the field's name as pointer.

    A member may stay in a country that has closed since (`country_now`), but nobody may join it.
    """
    problems: list[FieldProblem] = []
    if change.display_name is not None:
        problem = display_name_problem(tidy_display_name(change.display_name))
        if problem:
            problems.append(FieldProblem("/display_name", *problem))
    if change.country is not None and change.country != country_now:
        market = Market.objects.filter(code=change.country).first()
        if market is None:
            problems.append(FieldProblem("/country", "unknown_country", "See GET /api/v1/markets."))
        elif not market.is_enabled:
            problems.append(
                FieldProblem("/country", "country_not_open", f"Preloved is not open in {market.name}.")
            )
    if change.language is not None and change.language not in queries.list_languages():
        problems.append(FieldProblem("/language", "unknown_language", "One of a market, such as en."))
    if change.locale is not None and not is_locale(change.locale):
        problems.append(FieldProblem("/locale", "unknown_locale", "A BCP 47 tag such as nl-BE."))
    if change.time_zone is not None and change.time_zone not in zoneinfo.available_timezones():
        problems.append(FieldProblem("/time_zone", "unknown_time_zone", "An IANA name: Europe/Vilnius."))
    if change.training_consent is not None:
        problems += check_consent(change.training_consent)
    return problems


@atomic_retry
def change_profile(
    *, member_id: str, expected_version: int, change: ProfileChange, now: dt.datetime
) -> queries.OwnProfile:
    """Apply a change to the version the client has seen, and return the profile as it is now.

    Of two at once the first wins (compare-and-set on `version`). Raises MemberNotFound,
    InvalidProfile, PreconditionFailed.
    """
    member = Member.objects.filter(id=member_id, is_active=True).first()
    if member is None:
        raise MemberNotFound
    if member.version != expected_version:
        raise PreconditionFailed("Read your profile again and retry.")
    problems = check_profile(change, country_now=member.market_id)
    if problems:
        raise InvalidProfile(errors=problems)
    fields: dict[str, object] = {}
    if change.display_name is not None:
        fields["display_name"] = tidy_display_name(change.display_name)
    if change.country is not None:
        fields["market_id"] = change.country
    if change.language is not None:
        fields["language"] = change.language
    if change.locale is not None:
        fields["locale"] = change.locale
    if change.time_zone is not None:
        fields["time_zone"] = change.time_zone
    if change.training_consent is not None:
        fields |= record_consent(member, change.training_consent, now=now)
    if not fields:
        return queries.get_own_profile(member_id)
    changed = Member.objects.filter(id=member_id, is_active=True, version=expected_version).update(
        **fields, version=F("version") + 1
    )
    if not changed:
        raise PreconditionFailed("Read your profile again and retry.")
    return queries.get_own_profile(member_id)
