"""Sellers say who they are for taxes: saved whole or not at all, with every problem named at once."""

from __future__ import annotations

from datetime import datetime

import structlog
from django.db import IntegrityError, transaction

from balance.holder_names import is_same_person
from balance.queries.banking import find_identity, list_payout_accounts
from dac7 import metrics
from dac7.dossiers import EntityType
from dac7.errors.profiles import ExclusionNotPossible, InvalidTaxProfile, ReasonRequired, TaxProfileNotFound
from dac7.lifecycle.profiles import MEMBER, CheckStatus
from dac7.models import ProfileCheck, TaxNumber, TaxProfile
from dac7.profile_rules import ProfileDetails, problems_of
from dac7.queries.profiles import ProfileFacts, details_of, list_unchecked_holders, profile_facts
from dac7.services.check_moves import move, open_check
from dac7.services.diligence import information_given
from dac7.services.ringing import ring_for_check
from dac7.services.sharing import check_sharing, name_of
from dac7.tins import CheckedTin
from foundation.db import atomic_retry
from foundation.errors import PreconditionFailed

logger = structlog.get_logger(__name__)

Kind = ProfileCheck.Kind
BATCH = 500


@atomic_retry
def give_tax_profile(
    *, member_id: str, details: ProfileDetails, expected_version: int | None, now: datetime
) -> ProfileFacts:
    """Store what a seller says, or change it. ``expected_version``: None for the first time.

    A TIN that is left out of a known state stays. Raises InvalidTaxProfile with every problem, and
    PreconditionFailed when it was given or changed in the meantime.
    """
    profile = TaxProfile.objects.select_for_update().filter(member_id=member_id).first()
    if (None if profile is None else profile.version) != expected_version:
        raise PreconditionFailed
    before = None if profile is None else details_of(profile)
    # Another kind of seller has other numbers: nothing of the former can stay.
    keeps = before is not None and before.entity_type is details.entity_type
    known = {given.state for given in before.tins} if before is not None and keeps else set()
    problems, checked = problems_of(details, today=now.date(), known_states=frozenset(known))
    if problems:
        for code in {problem.code for problem in problems}:
            metrics.PROFILES_REFUSED.labels(code).inc()
        raise InvalidTaxProfile(errors=problems)
    if profile is None:
        profile = TaxProfile(member_id=member_id, given_at=now, kept_for_year=now.year)
    else:
        profile.version += 1
        profile.kept_for_year = max(profile.kept_for_year, now.year)
    _fill(profile, details, now)
    try:
        with transaction.atomic():
            profile.save()
    except IntegrityError:
        raise PreconditionFailed from None  # given twice at once
    fresh = _store_numbers(profile, details, checked, keeps=keeps, now=now)
    _check(profile, details, before, fresh, now)
    facts = profile_facts(TaxProfile.objects.prefetch_related("numbers", "checks").get(id=profile.id))
    if not facts.missing:
        # Whatever was held for want of this is let go with it.
        information_given(member_id=member_id, now=now)
    metrics.PROFILES_GIVEN.labels(details.entity_type.value).inc()
    logger.info("tax_profile_given", profile_id=profile.id, version=profile.version)
    return facts


@atomic_retry
def exclude_entity(*, member_id: str, exclusion: str, staff_id: str, note: str, now: datetime) -> None:
    """Staff found that an entity is never reported, or ("") that it is. Raises TaxProfileNotFound,
    ExclusionNotPossible, ReasonRequired.
    """
    profile = TaxProfile.objects.select_for_update().filter(member_id=member_id).first()
    if profile is None:
        raise TaxProfileNotFound
    if profile.entity_type != EntityType.ENTITY:
        raise ExclusionNotPossible
    if not note.strip():
        raise ReasonRequired
    profile.exclusion, profile.changed_at = exclusion, now
    profile.version += 1
    profile.save(update_fields=["exclusion", "changed_at", "version"])
    logger.info("tax_profile_excluded", profile_id=profile.id, exclusion=exclusion, staff_id=staff_id)


def review_holders(*, now: datetime) -> int:
    """Compare the holders of bank accounts that were added after the profile was given; how many checks."""
    opened, last = 0, ""
    while page := list_unchecked_holders(after=last, limit=BATCH):
        last = page[-1][0]
        accounts = list_payout_accounts(member_id for _, member_id in page)
        opened += sum(_review_holder(id_, now) for id_, member_id in page if member_id in accounts)
    return opened


@atomic_retry
def _review_holder(profile_id: str, now: datetime) -> bool:
    profile = TaxProfile.objects.select_for_update().filter(id=profile_id).first()
    held = ProfileCheck.objects.filter(profile_id=profile_id, kind=Kind.HOLDER, is_standing=True)
    if profile is None or held.exists():
        return False
    _check_holder(profile, details_of(profile), now)
    return True


def _fill(profile: TaxProfile, details: ProfileDetails, now: datetime) -> None:
    profile.entity_type = details.entity_type.value
    profile.first_name = details.first_name or None
    profile.last_name = details.last_name or None
    profile.birth_date = None if details.birth_date is None else details.birth_date.isoformat()
    profile.birth_city = details.birth_city or None
    profile.birth_country = details.birth_country
    profile.legal_name = details.legal_name or None
    profile.registration_number = details.registration_number or None
    profile.registered_in = details.registered_in
    profile.establishments = " ".join(sorted(set(details.establishments)))
    profile.street, profile.building = details.street, details.building or None
    profile.postal_code, profile.city, profile.country = details.postal_code, details.city, details.country
    profile.vat_number = details.vat_number or None
    profile.has_no_tin = details.has_no_tin
    if not details.is_entity:
        profile.exclusion = ""
    profile.changed_at = now
    profile.erasure_asked_at = None  # who gives it again wants it kept


def _store_numbers(
    profile: TaxProfile, details: ProfileDetails, checked: list[CheckedTin], *, keeps: bool, now: datetime
) -> list[TaxNumber]:
    """Replace what was given anew, drop what is no longer there; the ones that are new."""
    given = {tin.kind.state: tin for tin in checked}
    states = {one.state for one in details.tins}
    for row in TaxNumber.objects.filter(profile=profile):
        tin = given.get(row.state)
        if keeps and row.state in states and (tin is None or row.number.reveal() == tin.number):
            given.pop(row.state, None)
        else:
            row.delete()
    fresh = [
        TaxNumber(
            profile=profile,
            state=state,
            number=tin.number,
            ending=tin.number[-3:],
            level=tin.level.value,
            checked_at=now,
            checked_by=tin.by,
        )
        for state, tin in sorted(given.items())
    ]
    for number in fresh:
        number.save(force_insert=True)
    return fresh


def _check(
    profile: TaxProfile,
    details: ProfileDetails,
    before: ProfileDetails | None,
    fresh: list[TaxNumber],
    now: datetime,
) -> None:
    """Open what has to be looked at anew; a check of something that did not change stands."""
    is_renamed = before is None or name_of(before) != name_of(details)
    for check in ProfileCheck.objects.select_for_update().filter(profile=profile, is_standing=True):
        if _is_outdated(check, details, before, {number.state for number in fresh}, is_renamed):
            move(check, verb="replace", actor=MEMBER, now=now)
    if details.vat_number and (before is None or before.vat_number != details.vat_number):
        ring_for_check(open_check(profile, Kind.VAT, status=CheckStatus.WAITING, now=now).id)
    if is_renamed:
        _check_holder(profile, details, now)
    if before is None or before.country != details.country:
        _check_address(profile, details, now)
    for number in fresh:
        check_sharing(profile, details, number, now)


def _is_outdated(
    check: ProfileCheck,
    details: ProfileDetails,
    before: ProfileDetails | None,
    fresh_states: set[str],
    is_renamed: bool,
) -> bool:
    match check.kind:
        case Kind.VAT:
            return before is None or before.vat_number != details.vat_number
        case Kind.HOLDER:
            return is_renamed
        case Kind.ADDRESS:
            return before is None or before.country != details.country
        case _:
            return check.about in fresh_states or check.about not in {one.state for one in details.tins}


def _check_holder(profile: TaxProfile, details: ProfileDetails, now: datetime) -> None:
    account = list_payout_accounts([profile.member_id]).get(profile.member_id)
    if account is None:
        return
    fits = is_same_person(account.holder_name, name_of(details))
    status = CheckStatus.PASSED if fits else CheckStatus.PENDING
    open_check(profile, Kind.HOLDER, status=status, reason="" if fits else "another_holder", now=now)


def _check_address(profile: TaxProfile, details: ProfileDetails, now: datetime) -> None:
    """Against the details given for withdrawals. A move inside a country is none of our business."""
    identity = find_identity(profile.member_id)
    if identity is None:
        return
    fits = identity.country == details.country
    status = CheckStatus.PASSED if fits else CheckStatus.PENDING
    open_check(profile, Kind.ADDRESS, status=status, reason="" if fits else "another_country", now=now)
