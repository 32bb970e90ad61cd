"""Tax profiles as data: for their owner, for whoever decides what is reported, and for the report."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime

from django.db.models import Count, Exists, OuterRef, Q, QuerySet

from balance.holder_names import is_same_person
from balance.queries.banking import PayoutAccount, find_identity, list_payout_accounts
from dac7.dossiers import (
    AccountIdentifier,
    Birth,
    EntityType,
    Exclusion,
    Level,
    PostalAddress,
    SellerDossier,
    Tin,
)
from dac7.lifecycle.profiles import CheckStatus
from dac7.models import ProfileCheck, TaxNumber, TaxProfile
from dac7.profile_rules import GivenTin, ProfileDetails, missing_of
from foundation.encryption.blind_index import current_index_key_id
from foundation.errors import FieldProblem
from members.queries import get_member_facts

BATCH = 500


@dataclass(frozen=True, slots=True)
class NumberFacts:
    """A TIN as its owner and staff see it."""

    state: str
    ending: str
    level: str
    checked_at: datetime


@dataclass(frozen=True, slots=True)
class CheckFacts:
    """How a check of one fact stands. `reason`: what did not fit."""

    kind: str
    about: str
    status: str
    reason: str
    changed_at: datetime


@dataclass(frozen=True, slots=True)
class ProfileFacts:
    """A tax profile as its owner sees it; without `version` it is a proposal from what is known elsewhere."""

    details: ProfileDetails
    numbers: tuple[NumberFacts, ...]
    checks: tuple[CheckFacts, ...]
    missing: tuple[FieldProblem, ...]
    version: int
    changed_at: datetime | None

    @property
    def is_given(self) -> bool:
        return self.version > 0


@dataclass(frozen=True, slots=True)
class TaxSubject:
    """What decides whether somebody is reported. `person_key` is equal for accounts of one verified TIN."""

    member_id: str
    kind: EntityType
    residences: tuple[str, ...]
    exclusion: str
    is_complete: bool
    missing: tuple[str, ...]
    person_key: str | None


def find_profile(member_id: str) -> ProfileFacts | None:
    """None until the member has given one."""
    profile = TaxProfile.objects.filter(member_id=member_id).prefetch_related("numbers", "checks").first()
    return None if profile is None else profile_facts(profile)


def get_profile_or_proposal(member_id: str) -> ProfileFacts:
    """What is known, given or not: asking for it again would be asking for nothing. Raises MemberNotFound."""
    return find_profile(member_id) or _proposal(member_id)


def profile_facts(profile: TaxProfile) -> ProfileFacts:
    """The row and what hangs on it, as data. Raises CannotOpen."""
    return ProfileFacts(
        details=details_of(profile),
        numbers=tuple(
            NumberFacts(number.state, number.ending, number.level, number.checked_at)
            for number in _numbers(profile)
        ),
        checks=tuple(
            CheckFacts(check.kind, check.about, check.status, check.reason, check.changed_at)
            for check in _standing(profile)
        ),
        missing=tuple(_owed(profile)),
        version=profile.version,
        changed_at=profile.changed_at,
    )


def details_of(profile: TaxProfile) -> ProfileDetails:
    """What the seller said, TINs without their numbers."""
    born = _opened(profile.birth_date)
    return ProfileDetails(
        entity_type=EntityType(profile.entity_type),
        first_name=_opened(profile.first_name),
        last_name=_opened(profile.last_name),
        birth_date=date.fromisoformat(born) if born else None,
        birth_city=_opened(profile.birth_city),
        birth_country=profile.birth_country,
        legal_name=_opened(profile.legal_name),
        registration_number=_opened(profile.registration_number),
        registered_in=profile.registered_in,
        establishments=tuple(profile.establishments.split()),
        street=_opened(profile.street),
        building=_opened(profile.building),
        postal_code=_opened(profile.postal_code),
        city=_opened(profile.city),
        country=profile.country,
        tins=tuple(GivenTin(number.state, None) for number in _numbers(profile)),
        has_no_tin=profile.has_no_tin,
        vat_number=_opened(profile.vat_number),
    )


def iter_dossiers(member_ids: Iterable[str]) -> Iterator[SellerDossier]:
    """The dossiers of those who have given a profile, in the order of the ids; a bounded part in memory."""
    waiting = iter(member_ids)
    while ids := list(itertools.islice(waiting, BATCH)):
        rows = TaxProfile.objects.filter(member_id__in=ids).prefetch_related("numbers", "checks")
        found = {profile.member_id: profile for profile in rows}
        accounts = list_payout_accounts(found)
        for member_id in ids:
            if member_id in found:
                yield _dossier(found[member_id], accounts.get(member_id))


def list_tax_subjects(member_ids: Iterable[str]) -> dict[str, TaxSubject]:
    """Of those who have given a profile; nothing encrypted is opened."""
    rows = TaxProfile.objects.filter(member_id__in=set(member_ids)).prefetch_related("numbers", "checks")
    profiles = {profile.member_id: profile for profile in rows}
    groups = _persons({profile.id for profile in profiles.values()})
    return {
        member_id: TaxSubject(
            member_id=member_id,
            kind=EntityType(profile.entity_type),
            residences=residences_of(profile),
            exclusion=profile.exclusion,
            is_complete=not _owed(profile),
            missing=tuple(problem.pointer for problem in _owed(profile)),
            person_key=groups[profile.id][0] if profile.id in groups else None,
        )
        for member_id, profile in profiles.items()
    }


def iter_shared_persons() -> Iterator[tuple[str, ...]]:
    """Member ids of one person with several accounts, by verified TIN; in order of their first."""
    counted = _trusted_numbers().order_by().values("state", "number_index")
    repeated = counted.annotate(profiles=Count("profile_id")).filter(profiles__gt=1)
    indexes = [row["number_index"] for row in repeated]
    ids = set(_trusted_numbers().filter(number_index__in=indexes).values_list("profile_id", flat=True))
    groups = {members for members in _persons(ids).values() if len(members) > 1}
    yield from sorted(groups)


def list_accounts_of_person(member_id: str) -> tuple[str, ...]:
    """The member ids of the person whose account it is, by TINs that tell who somebody is; in order."""
    profile_id = TaxProfile.objects.filter(member_id=member_id).values_list("id", flat=True).first()
    return (member_id,) if profile_id is None else _persons({profile_id}).get(profile_id, (member_id,))


def residences_of(profile: TaxProfile) -> tuple[str, ...]:
    """Alphabetical: primary address, states that issued a TIN, permanent establishments [R]."""
    states = {profile.country, *profile.establishments.split()}
    return tuple(sorted(states | {number.state for number in _numbers(profile)}))


def count_numbers_under_former_keys() -> int:
    """TINs that no comparison of indexes finds, until ``rotate_encryption_keys`` has brought them over."""
    return TaxNumber.objects.exclude(number_index__startswith=f"{current_index_key_id()}.").count()


def find_other_owners(number: TaxNumber, index: Q) -> list[TaxProfile]:
    """Profiles of others that hold the same TIN of the same state; at most a few are of interest."""
    rows = TaxNumber.objects.filter(index, state=number.state).exclude(profile_id=number.profile_id)
    return [row.profile for row in rows.select_related("profile").order_by("id")[:20]]


def list_shared_number_ids() -> list[str]:
    """TINs that somebody else has too, but the first of each, which the others are held against."""
    earlier = TaxNumber.objects.filter(
        number_index=OuterRef("number_index"), state=OuterRef("state"), id__lt=OuterRef("id")
    )
    return list(TaxNumber.objects.filter(Exists(earlier)).order_by("id").values_list("id", flat=True))


def list_unchecked_holders(*, after: str, limit: int) -> list[tuple[str, str]]:
    """Profiles, with their members, whose bank account was never compared; in order of ids, after one."""
    compared = ProfileCheck.objects.filter(
        profile_id=OuterRef("id"), kind=ProfileCheck.Kind.HOLDER, is_standing=True
    )
    rows = TaxProfile.objects.exclude(Exists(compared)).filter(id__gt=after).order_by("id")
    return list(rows.values_list("id", "member_id")[:limit])


def due_check_ids(*, now: datetime, limit: int) -> list[str]:
    """Checks for which a registry is to be asked, for the first time or again; the longest due first."""
    rows = ProfileCheck.objects.filter(due_at__lte=now).order_by("due_at", "id")
    return list(rows.values_list("id", flat=True)[:limit])


def count_pending_checks() -> int:
    """How many wait for a person."""
    return ProfileCheck.objects.filter(status=CheckStatus.PENDING).count()


def _trusted_numbers() -> QuerySet[TaxNumber]:
    """TINs that tell who somebody is; one that others have too counts once a person approved it."""
    doubted = ProfileCheck.objects.filter(
        profile_id=OuterRef("profile_id"),
        kind=ProfileCheck.Kind.SHARED_TIN,
        about=OuterRef("state"),
        status__in=(CheckStatus.PENDING, CheckStatus.REFUSED),
    )
    return TaxNumber.objects.exclude(Exists(doubted))


def _persons(profile_ids: set[str]) -> dict[str, tuple[str, ...]]:
    """Of each profile with a trusted TIN: the members whose trusted TINs hang together with it."""
    links: dict[tuple[str, str], set[str]] = {}
    members: dict[str, str] = {}
    unread, indexes = set(profile_ids), set[str]()
    while unread:
        rows = _trusted_numbers().filter(profile_id__in=unread)
        found = set(rows.values_list("number_index", flat=True)) - indexes
        indexes |= found
        unread = set()
        holders = _trusted_numbers().filter(number_index__in=found)
        for row in holders.values("profile_id", "profile__member_id", "state", "number_index"):
            if row["profile_id"] not in members:
                unread.add(row["profile_id"])
            members[row["profile_id"]] = row["profile__member_id"]
            links.setdefault((row["state"], row["number_index"]), set()).add(row["profile_id"])
    return _joined(links.values(), members)


def _joined(links: Iterable[set[str]], members: dict[str, str]) -> dict[str, tuple[str, ...]]:
    groups: list[set[str]] = []
    for link in links:
        touching = [group for group in groups if group & link]
        groups = [group for group in groups if not group & link] + [set(link).union(*touching)]
    return {
        profile_id: tuple(sorted(members[other] for other in group))
        for group in groups
        for profile_id in group
    }


def _dossier(profile: TaxProfile, account: PayoutAccount | None) -> SellerDossier:
    details = details_of(profile)
    name = details.legal_name or f"{details.first_name} {details.last_name}"
    birth = None
    if details.birth_date is not None:
        birth = Birth(details.birth_date, details.birth_city, details.birth_country)
    return SellerDossier(
        member_id=profile.member_id,
        version=profile.version,
        entity_type=details.entity_type,
        exclusion=Exclusion(profile.exclusion),
        first_name=details.first_name,
        last_name=details.last_name,
        legal_name=details.legal_name,
        birth=birth,
        address=PostalAddress(
            street=details.street,
            building=details.building,
            postal_code=details.postal_code,
            city=details.city,
            country=details.country,
        ),
        tins=tuple(
            Tin(number.number.reveal(), number.state, Level(number.level)) for number in _numbers(profile)
        ),
        vat_number=details.vat_number,
        registration_number=details.registration_number,
        registered_in=(details.registered_in or details.country) if details.registration_number else "",
        residences=residences_of(profile),
        establishments=details.establishments,
        account=None
        if account is None
        else AccountIdentifier(
            iban=account.iban,
            holder=account.holder_name,
            differs=not is_same_person(account.holder_name, name),
        ),
        missing=tuple(problem.pointer for problem in _owed(profile)),
    )


def _proposal(member_id: str) -> ProfileFacts:
    """From the details for withdrawals and the home country; of a name the last word is the family's."""
    member, identity = get_member_facts(member_id), find_identity(member_id)
    if identity is None:
        details = ProfileDetails(entity_type=EntityType.INDIVIDUAL, country=member.country)
    else:
        first, _, last = identity.legal_name.rpartition(" ")
        details = ProfileDetails(
            entity_type=EntityType.ENTITY if member.is_professional else EntityType.INDIVIDUAL,
            first_name="" if member.is_professional else first,
            last_name="" if member.is_professional else last,
            birth_date=None if member.is_professional else date.fromisoformat(identity.date_of_birth),
            legal_name=identity.legal_name if member.is_professional else "",
            street=identity.street,
            postal_code=identity.postal_code,
            city=identity.city,
            country=identity.country,
        )
    return ProfileFacts(
        details=details,
        numbers=(),
        checks=(),
        missing=tuple(missing_of(details)),
        version=0,
        changed_at=None,
    )


# What a refused check asks the seller to give again.
_ASKED_AGAIN = {
    ProfileCheck.Kind.VAT: (
        "/vat_number",
        "vat_not_registered",
        "The registry does not know this VAT number.",
    ),
    ProfileCheck.Kind.ADDRESS: ("/address", "address_refused", "Your address could not be confirmed."),
    ProfileCheck.Kind.SHARED_TIN: ("/tins", "tin_of_another_person", "This tax number is somebody else's."),
    ProfileCheck.Kind.HOLDER: ("/account", "holder_refused", "Add a bank account in your own name."),
}


def _owed(profile: TaxProfile) -> list[FieldProblem]:
    """A profile is saved whole, so only what a person refused is owed."""
    refused = {check.kind for check in _standing(profile) if check.status == CheckStatus.REFUSED}
    return [FieldProblem(*_ASKED_AGAIN[ProfileCheck.Kind(kind)]) for kind in sorted(refused)]


def _standing(profile: TaxProfile) -> list[ProfileCheck]:
    # In Python: both sets are prefetched, and small.
    return sorted((check for check in profile.checks.all() if check.is_standing), key=lambda check: check.id)


def _numbers(profile: TaxProfile) -> list[TaxNumber]:
    return sorted(profile.numbers.all(), key=lambda number: number.state)


def _opened(value: object) -> str:
    return "" if value is None else str(value.reveal())  # type: ignore[attr-defined]  # a SealedText
